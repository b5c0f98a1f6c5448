"""Render a package family's templates."""
