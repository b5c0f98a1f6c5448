"""Systems to build in that venvpkg makes and keeps."""
