"""English: numbers and abbreviations written out, dictionary, homographs, letters to sound."""
