"""Click commands, one module each; the only place where an error becomes an exit code."""
