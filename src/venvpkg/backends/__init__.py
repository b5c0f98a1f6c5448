"""Package families: one protocol, the same file names for the same concern."""
