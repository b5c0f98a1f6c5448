"""Source code: repositories, trees, sdists, crates, prepare steps."""
