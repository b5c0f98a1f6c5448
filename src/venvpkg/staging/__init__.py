"""Virtual environment, wheels and application files under the destdir."""
