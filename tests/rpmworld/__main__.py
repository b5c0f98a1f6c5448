"""Roots of an rpm world from the command line, for demonstrations and for looking around."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path, PurePosixPath

from acceptance.cleanroot import CleanRootError
from rpmworld.flavours import Flavour
from rpmworld.tools import RpmWorldError
from rpmworld.world import World


def main() -> int:
    """Print the directory of a root, or run a script in a fresh overlay over it. Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m rpmworld", description=main.__doc__)
    parser.add_argument("--suite", help="Debian suite inside (default: this machine's)")
    parser.add_argument("--flavour", type=Flavour, choices=list(Flavour), default=Flavour.FEDORA)
    parser.add_argument("--with", dest="packages", action="append", default=[], metavar="PACKAGE", help="install it")
    parser.add_argument("--bind", action="append", default=[], metavar="SOURCE:TARGET", help="show a file read-only")
    parser.add_argument("script", nargs="?", type=Path, help="without it, print the root's directory")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    pairs = [text.rpartition(":") for text in options.bind]
    try:
        root = World.of(options.suite).root(*options.packages, flavour=options.flavour)
        if options.script is None:
            sys.stdout.write(f"{root.base}\n")
            return 0
        binds = {Path(source): PurePosixPath(target) for source, _, target in pairs}
        return root.show(options.script, binds=binds, arguments=options.arguments)
    except (RpmWorldError, CleanRootError, OSError) as error:
        sys.stderr.write(f"rpmworld: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
