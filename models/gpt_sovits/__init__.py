"""The full model, GPT-SoVITS v1, v2, v2Pro and v2ProPlus, for inference: the teacher.

Written anew from the file format and the published architecture; checked stage by stage against numbers
of the original. Attributes carry the names of the tensors in the official files, so that a loaded network
and a file can be laid side by side. Tensors are channels first, (B, C, T), unless a line says otherwise.

Besides the letters of ``models``: T25 semantic tokens (25 per second), T50 latent frames (50 per second),
R frames of the reference spectrogram (50 per second), N samples at 32 kHz, G width of the timbre vector.

Not here, as inference has no use for it: the posterior encoder ``enc_q``, the discriminators, and the
statistics that train the codebook.
"""
