"""What all package formats share."""
