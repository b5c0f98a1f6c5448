"""ELF files: what each one says, and where the loader finds the libraries that it needs."""
