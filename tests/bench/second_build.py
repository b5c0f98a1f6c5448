"""CPU time of a second build, with nothing changed and with one line of the application changed.

venvpkg against dh-virtualenv, both for real, in one run:

    tests/bench/second_build.py [--peer DIRECTORY]

Needs dh-virtualenv, debhelper, python3-venv and the -dev packages of the application. ``--peer`` names a source
directory with a ``debian/`` of dh-virtualenv's; without it the guestbook gets one, by dh-virtualenv's own tutorial.
Figures, never pass or fail. Of venvpkg's later builds, the cheapest of three is given.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.cost import Cost, guestbook_copy, installed_environment, measured, plain_environment

# The tutorial's files, with the corrections that make them work on Debian 12.
DEBIAN = {
    "control": """\
Source: guestbook
Section: python
Priority: optional
Maintainer: Bench <bench@example.org>
Build-Depends: debhelper-compat (= 13), dh-virtualenv (>= 1.2), python3-dev, python3-venv
Standards-Version: 4.6.2

Package: guestbook
Architecture: any
Depends: ${misc:Depends}, ${shlibs:Depends}, python3.11
Description: guestbook
 The guestbook, for comparison.
""",
    "rules": """\
#!/usr/bin/make -f
%:
\tdh $@ --with python-virtualenv

override_dh_virtualenv:
\tdh_virtualenv --builtin-venv --python /usr/bin/python3.11
""",
    "changelog": """\
guestbook (1.0.0-1) bookworm; urgency=medium

  * Bench.

 -- Bench <bench@example.org>  Fri, 01 Nov 2024 17:00:00 +0000
""",
}
REQUIREMENTS = "--no-binary lxml,psycopg2\nflask\ngunicorn\nlxml\npsycopg2\n"


def peer_source(work: Path) -> Path:
    """Return the guestbook with a debian/ of dh-virtualenv's."""
    source = guestbook_copy(work / "theirs")
    (source / "requirements.txt").write_text(REQUIREMENTS)
    (source / "debian").mkdir()
    for name, text in DEBIAN.items():
        (source / "debian" / name).write_text(text)
    (source / "debian/rules").chmod(0o755)
    return source


def peer(source: Path, work: Path) -> list[Cost]:
    """Return the costs of dh-virtualenv's first and second build, and of that after a change."""
    env = plain_environment() | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PIP_CACHE_DIR": str(work / "pip")}
    costs = []
    for number in (1, 2, 3):
        build = work / f"peer-{number}" / source.name
        shutil.copytree(source, build)
        if number == 3:
            change(build, number)
        costs.append(measured(["dpkg-buildpackage", "-us", "-uc", "-b", "-d"], build, env))
    return costs


def ours(work: Path) -> list[Cost]:
    """Return the costs of venvpkg's first and second build of the guestbook, and of that after a change."""
    source, env = guestbook_copy(work / "ours"), installed_environment(work)
    argv = [sys.executable, "-m", "venvpkg", "build", ".", "--wheelhouse", str(work / "w"), "--cache", str(work / "c")]
    first, *second = [measured(argv, source, env) for _ in range(4)]
    changed = []
    for number in range(3):
        change(source, number)
        changed.append(measured(argv, source, env))
    return [first, *(min(costs, key=lambda cost: cost.cpu) for costs in (second, changed))]


def change(source: Path, number: int) -> None:
    """Add a line to the application."""
    module = next(path for path in sorted(source.rglob("__init__.py")) if "debian" not in path.parts)
    module.write_text(f"{module.read_text()}\nCHANGED = {number}\n")


def main() -> None:
    """Print the figures and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=Path, help="a source directory with a debian/ of dh-virtualenv's")
    source = parser.parse_args().peer
    with tempfile.TemporaryDirectory(prefix="venvpkg-bench-") as directory:
        work = Path(directory)
        mine = ours(work)
        theirs = peer(source.resolve() if source else peer_source(work), work)
    print(f"{'':16}{'first':>22}{'second':>22}{'one line changed':>22}")
    for name, costs in (("venvpkg", mine), ("dh-virtualenv", theirs)):
        cells = "".join(f"{cost.cpu:8.2f} CPU s {cost.wall:5.0f} s" for cost in costs)
        print(f"{name:16}{cells}")
    second, changed = (their.cpu / my.cpu for their, my in zip(theirs[1:], mine[1:], strict=True))
    print(f"1/{second:.0f} of dh-virtualenv's CPU time, and 1/{changed:.0f} after a change")


if __name__ == "__main__":
    main()
