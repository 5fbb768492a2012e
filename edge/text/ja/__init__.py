"""Japanese: numbers written out, words and accents of Open JTalk, repairs."""
