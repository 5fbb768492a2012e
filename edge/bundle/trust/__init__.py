"""Who may put what on a device: signed documents, their keys, consent to a voice, and what was revoked."""
