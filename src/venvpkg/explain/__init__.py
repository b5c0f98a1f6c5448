"""The evidence of dependencies, and what people are shown of it."""
