"""Package families: everything that differs between them, one folder each, found through the registry."""
