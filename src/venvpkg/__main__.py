"""``python -m venvpkg``, and the console script."""

from __future__ import annotations

import sys

from venvpkg.cli.main import main


def run() -> None:
    """Run the command line and end with its exit code."""
    sys.exit(main())


if __name__ == "__main__":
    run()
