"""Click commands, one file a command; the only place where an error becomes an exit code."""
