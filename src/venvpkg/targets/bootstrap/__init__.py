"""Build roots that venvpkg bootstraps and keeps."""
