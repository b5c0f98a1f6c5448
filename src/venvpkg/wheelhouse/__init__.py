"""The vendor wheels that are kept, under their keys, and the plan that reuses them."""
