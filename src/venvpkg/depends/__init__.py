"""Native dependencies: derived from ELF files and imports, changed by the user's overrides."""
