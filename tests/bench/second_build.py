"""CPU time of a second build with nothing changed: venvpkg against dh-virtualenv, both for real, in one run.

    tests/bench/second_build.py [--peer DIRECTORY]

Needs dh-virtualenv, debhelper, python3-venv and the -dev packages of the application. ``--peer`` names a source
directory with a ``debian/`` of dh-virtualenv's; without it the guestbook gets one, by dh-virtualenv's own tutorial.
Figures, never pass or fail: CPU seconds are user + system of the whole process tree.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

GUESTBOOK = Path(__file__).parents[2] / "examples/guestbook"

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


class Cost(NamedTuple):
    """What one run took, in seconds."""

    wall: float
    cpu: float


def measured(argv: list[str], cwd: Path, env: dict[str, str]) -> Cost:
    """Run to the end and return what it took, children included; exits when it fails."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(argv, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(done.stdout.decode(errors="replace")[-3000:] + f"\n{argv}: exit {done.returncode}")
    return Cost(wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def peer_source(work: Path) -> Path:
    """Return the guestbook with a debian/ of dh-virtualenv's."""
    source = work / "guestbook"
    shutil.copytree(GUESTBOOK, source, ignore=shutil.ignore_patterns("dist", "*.lock", "pylock*.toml"))
    (source / "requirements.txt").write_text(REQUIREMENTS)
    (source / "debian").mkdir()
    for name, text in DEBIAN.items():
        (source / "debian" / name).write_text(text)
    (source / "debian/rules").chmod(0o755)
    return source


def peer(source: Path, work: Path) -> list[Cost]:
    """Return the costs of dh-virtualenv's first and second build."""
    env = dict(os.environ) | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PIP_CACHE_DIR": str(work / "pip")}
    costs = []
    for number in (1, 2):
        build = work / f"peer-{number}" / source.name
        shutil.copytree(source, build)
        costs.append(measured(["dpkg-buildpackage", "-us", "-uc", "-b", "-d"], build, env))
    return costs


def ours(work: Path) -> list[Cost]:
    """Return the costs of venvpkg's first and second build of the guestbook."""
    source = work / "ours"
    shutil.copytree(GUESTBOOK, source, ignore=shutil.ignore_patterns("dist", "*.lock", "pylock*.toml"))
    argv = [sys.executable, "-m", "venvpkg", "build", ".", "--wheelhouse", str(work / "w"), "--cache", str(work / "c")]
    return [measured(argv, source, dict(os.environ)) for _ in (1, 2)]


def main() -> None:
    """Print the figures and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=Path, help="a source directory with a debian/ of dh-virtualenv's")
    source = parser.parse_args().peer
    with tempfile.TemporaryDirectory(prefix="venvpkg-bench-") as directory:
        work = Path(directory)
        mine = ours(work)
        theirs = peer(source.resolve() if source else peer_source(work), work)
    print(f"{'':16}{'first':>22}{'second':>22}")
    for name, costs in (("venvpkg", mine), ("dh-virtualenv", theirs)):
        cells = "".join(f"{cost.cpu:9.1f} CPU s {cost.wall:5.0f} s" for cost in costs)
        print(f"{name:16}{cells}")
    print(f"second build: 1/{theirs[1].cpu / mine[1].cpu:.0f} of dh-virtualenv's CPU time")


if __name__ == "__main__":
    main()
