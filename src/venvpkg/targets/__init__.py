"""Where a package will be installed, and how to run a program there."""
