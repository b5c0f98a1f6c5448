"""Everything that is kept between runs: keyed files, atomic directories, leases, locks."""
