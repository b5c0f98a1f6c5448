"""The SBOM of a package or a wheel."""
