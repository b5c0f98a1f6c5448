"""Everything outside this process: programs, places, files."""
