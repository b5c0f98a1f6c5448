"""Build the guestbook's package with venvpkg as a library, and say what it depends on and why.

Run it where venvpkg is installed: python examples/library/build_guestbook.py [DIRECTORY]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from venvpkg.api import Options, VenvpkgError, build, explain, read_project

if TYPE_CHECKING:
    from collections.abc import Mapping

GUESTBOOK = Path(__file__).resolve().parents[1] / "guestbook"


def show(event: Mapping[str, object]) -> None:
    """Print what a stage did; each event is a line of what ``venvpkg build --json`` prints."""
    if event["event"] in {"step", "warning"}:
        print(f"[{event['elapsed_s']:>7}s] {event['text']}", file=sys.stderr)


def main(out: str) -> int:
    """Build into the directory ``out``; return the exit code that the command line would end with."""
    project = read_project(GUESTBOOK)
    try:
        packages = build(project, Options(out=out), on_event=show)
    except VenvpkgError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for package in packages:
        depends = list(package.spec.dependencies.relations())
        print(json.dumps({"package": str(package.path), "sha256": package.sha256, "depends": depends}))
        print(explain(package.path))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2] or ["dist"]))
