"""RPM packages: the backend of the family rpm."""
