"""ELF files to facts."""
