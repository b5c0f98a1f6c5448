"""A second build with nothing changed for other releases, against an empty run of the same target plus packing.

    tests/bench/targets.py TARGET... [--project DIRECTORY] [--runs N] [--wheelhouse DIRECTORY] [--cache DIRECTORY]

TARGET is as ``--target`` has it: ``root:DIR``, ``debian:trixie``. The empty run starts Python, finds out what the target
is, and enters it to run ``true`` as often as the build enters it to run anything; packing is ``dpkg-deb`` (or the target's
``rpmbuild`` alone, which is not measured here) on the same tree with the same compression. With several targets also
one call for all of them, against the sum of those for each. Figures, never pass or fail: the cheapest of N runs each.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.cost import Cost, guestbook_copy, installed_environment, measured, plain_environment
from venvpkg.backends.deb.pack import compression
from venvpkg.cli.main import main as venvpkg_main
from venvpkg.host.runner import Command, SubprocessRunner
from venvpkg.host.places import Places
from venvpkg.targets.root import RootRunner
from venvpkg.targets.selection import parse_selection
from venvpkg.wheelhouse.pool import Pool
from venvpkg.workbench import Session, site_target
from unit.fakes import RecordingReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from venvpkg.targets.resolve import ResolvedTarget


def cheapest(run: Callable[[], Cost], runs: int) -> Cost:
    """Return the cheapest of several runs."""
    return min((run() for _ in range(runs)), key=lambda cost: cost.cpu)


@contextlib.contextmanager
def entries() -> object:
    """Yield a list that gets every command that enters a root while the block runs."""
    seen: list[Command] = []
    plain = RootRunner.on_host

    def counted(self: RootRunner, command: Command) -> Command:
        seen.append(command)
        return plain(self, command)

    RootRunner.on_host = counted  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        RootRunner.on_host = plain  # type: ignore[method-assign]


def resolved(target: str, cache: Path) -> ResolvedTarget:
    """Return the target as a build finds it."""
    places = Places.of_user(wheelhouse=cache / "w", cache=cache)
    session = Session(
        SubprocessRunner(os.environ), RecordingReport(), places, os.environ, Pool(1), True, parse_selection(target)
    )
    return site_target(session)


def empty_run(target: str, cache: Path, times: int) -> None:
    """Find out what the target is, and enter it as often."""
    found = resolved(target, cache)
    for _ in range(times):
        if not found.runner.run(Command(("true",))).ok:
            sys.exit(f"nothing runs in {target}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="+", metavar="TARGET")
    parser.add_argument("--project", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--wheelhouse", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--enter", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.enter is not None:
        empty_run(options.targets[0], options.cache, options.enter)
        return
    with tempfile.TemporaryDirectory(prefix="venvpkg-bench-") as directory:
        work = Path(directory)
        if options.project:
            source = work / "project"
            shutil.copytree(options.project, source)
        else:
            source = guestbook_copy(work / "ours")
        wheelhouse, cache = (options.wheelhouse or work / "w").resolve(), (options.cache or work / "c").resolve()
        env = installed_environment(work)
        places = [f"--wheelhouse={wheelhouse}", f"--cache={cache}"]

        def build(*targets: str) -> list[str]:
            return ["build", f"{source}/", f"--out={work / 'dist'}", *places, *(f"--target={each}" for each in targets)]

        venvpkg = [sys.executable, "-m", "venvpkg"]
        alone = []
        for target in options.targets:
            measured([*venvpkg, *build(target)], work, env)
            alone.append(_figures(target, build(target), work, cache, env, options.runs))
        if len(options.targets) > 1:
            run = partial(measured, [*venvpkg, *build(*options.targets)], work, env)
            together = cheapest(run, options.runs)
            print(f"{'one call for all':40}{together.cpu:8.2f} CPU s{together.wall:8.2f} s")
            print(f"{'the sum of one for each':40}{sum(each.cpu for each in alone):8.2f} CPU s")


def _figures(target: str, build: list[str], work: Path, cache: Path, env: dict[str, str], runs: int) -> Cost:
    with entries() as seen, contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = venvpkg_main(build)
        during = len(seen)
    if code:
        sys.exit(f"{target}: exit {code}")
    with entries() as seen:
        release = resolved(target, cache).target.release
        detection = len(seen)
    again = cheapest(partial(measured, [sys.executable, "-m", "venvpkg", *build], work, env), runs)
    enter = [sys.executable, __file__, target, f"--cache={cache}", f"--enter={during - detection}"]
    empty = cheapest(partial(measured, enter, work, env), runs)
    print(target)
    print(f"{'  second build':40}{again.cpu:8.2f} CPU s{again.wall:8.2f} s")
    print(f"{f'  empty run, {during} entries':40}{empty.cpu:8.2f} CPU s{empty.wall:8.2f} s")
    package = next((work / "dist").glob(f"*{release.suffix}*.deb"), None)
    if package is not None:
        tree = Path(tempfile.mkdtemp(dir=work)) / "tree"
        measured(["dpkg-deb", "--raw-extract", str(package), str(tree)], work, plain_environment())
        pack = ["dpkg-deb", "--root-owner-group", *compression(release), "--build", str(tree), str(work / "x.deb")]
        packing = cheapest(partial(measured, pack, work, plain_environment()), runs)
        print(f"{'  packing':40}{packing.cpu:8.2f} CPU s{packing.wall:8.2f} s")
        print(f"{'  times':40}{again.cpu / (empty.cpu + packing.cpu):8.2f}")
    return again


if __name__ == "__main__":
    main()
