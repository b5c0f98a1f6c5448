"""Parse the files that the user wrote into model values."""
