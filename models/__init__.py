"""Networks only: no training, no files, nothing of the other packages.

Letters in shape comments: B batch, P phonemes, T frames, N samples, C channels, D width, S states,
K pitch points of a phoneme.
"""
