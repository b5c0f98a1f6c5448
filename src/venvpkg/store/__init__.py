"""Storage that outlives a run: keyed files, atomic directories, leases, locks."""
