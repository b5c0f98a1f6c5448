"""Files that the user wrote, to model values."""
