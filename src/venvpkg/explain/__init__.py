"""The evidence for dependencies, and its presentation as text, graph or page."""
