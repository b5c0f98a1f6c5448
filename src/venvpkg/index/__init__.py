"""Indexes: settings of pip and uv, credentials, HTTP, downloads."""
