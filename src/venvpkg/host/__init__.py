"""Everything outside this process: programs, files, filesystem trees."""
