"""How loud a voice is, how loud it shall be, and the limiter that keeps peaks below a ceiling."""
