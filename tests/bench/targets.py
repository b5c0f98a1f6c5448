"""A second build with nothing changed for other releases, against an empty run of the same target plus packing.

    tests/bench/targets.py TARGET... [--project DIRECTORY] [--runs N] [--wheelhouse DIRECTORY] [--cache DIRECTORY]

TARGET is as ``--target`` has it: ``root:DIR``, ``debian:trixie``. The empty run starts Python, finds out what the
target is, and enters it to run ``true`` as often as the build enters it to run anything; packing is ``dpkg-deb`` on the
same tree with the same compression (rpmbuild alone is in ``rpm.py``). With several targets also one call for all of
them, against the sum of those for each. Figures, never pass or fail: the cheapest of N runs each.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.cost import Cost, guestbook_copy, installed_environment, measured, plain_environment
from unit.fakes import RecordingReporter
from venvpkg.cli.main import main as venvpkg_main
from venvpkg.context import Session, resolve_target
from venvpkg.families.deb.pack import compression
from venvpkg.host.command import Command
from venvpkg.host.runner import SubprocessRunner
from venvpkg.store.dirs import Dirs
from venvpkg.targets.root import RootRunner
from venvpkg.targets.selection import parse_selection
from venvpkg.wheelbuild.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from venvpkg.model.target import Release
    from venvpkg.targets.resolve import ResolvedTarget


def cheapest(run: Callable[[], Cost], runs: int) -> Cost:
    """Return the cheapest of several runs."""
    return min((run() for _ in range(runs)), key=lambda cost: cost.cpu)


@contextlib.contextmanager
def entries() -> Iterator[list[Command]]:
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
    dirs = Dirs.of_user(wheelhouse=cache / "w", cache=cache)
    session = Session(
        host=SubprocessRunner(os.environ),
        reporter=RecordingReporter(),
        dirs=dirs,
        environ=os.environ,
        pool=Pool(1),
        offline=True,
        selection=parse_selection(target),
    )
    return resolve_target(session)


def empty_run(target: str, cache: Path, times: int) -> None:
    """Find out what the target is, and enter it as often."""
    found = resolved(target, cache)
    for _ in range(times):
        if not found.runner.run(Command(("true",))).ok:
            sys.exit(f"nothing runs in {target}")


@dataclass(frozen=True, slots=True)
class Bench:
    """Where the runs are made.

    Attributes:
        work: directory of its own.
        source: the project.
        wheelhouse: see ``--wheelhouse``.
        cache: see ``--cache``.
        runs: of which the cheapest counts.
    """

    work: Path
    source: Path
    wheelhouse: Path
    cache: Path
    runs: int

    def command(self, *targets: str) -> list[str]:
        """Return the arguments of a build."""
        dirs = (f"--out={self.work / 'dist'}", f"--wheelhouse={self.wheelhouse}", f"--cache={self.cache}")
        return ["build", f"{self.source}/", *dirs, *(f"--target={each}" for each in targets)]

    def build(self, *targets: str) -> Cost:
        """Return what a build takes."""
        command = [sys.executable, "-m", "venvpkg", *self.command(*targets)]
        return measured(command, self.work, installed_environment(self.work))

    def figures(self, target: str) -> Cost:
        """Print what builds for one target take, and return the cheapest."""
        self.build(target)
        with entries() as seen, contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            if code := venvpkg_main(self.command(target)):
                sys.exit(f"{target}: exit {code}")
        during = len(seen)
        with entries() as seen:
            release = resolved(target, self.cache).target.release
        enter = [sys.executable, __file__, target, f"--cache={self.cache}", f"--enter={during - len(seen)}"]
        again = cheapest(partial(self.build, target), self.runs)
        empty = cheapest(partial(measured, enter, self.work, installed_environment(self.work)), self.runs)
        print(target)
        show("  second build", again)
        show(f"  empty run, {during} entries", empty)
        package = next((self.work / "dist").glob(f"*{release.suffix}*.deb"), None)
        if package is not None:
            packing = self.packing(package, release)
            show("  packing", packing)
            print(f"  {again.cpu / (empty.cpu + packing.cpu):.2f} times")
        return again

    def packing(self, package: Path, release: Release) -> Cost:
        """Return what dpkg-deb takes for the same tree."""
        tree = Path(tempfile.mkdtemp(dir=self.work)) / "tree"
        measured(["dpkg-deb", "--raw-extract", str(package), str(tree)], self.work, plain_environment())
        packed = str(self.work / "x.deb")
        command = ["dpkg-deb", "--root-owner-group", *compression(release), "--build", str(tree), packed]
        return cheapest(partial(measured, command, self.work, plain_environment()), self.runs)


def show(what: str, cost: Cost) -> None:
    """Print a line."""
    print(f"{what:40}{cost.cpu:8.2f} CPU s{cost.wall:8.2f} s")


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
            source = guestbook_copy(work)
        wheelhouse, cache = (options.wheelhouse or work / "w").resolve(), (options.cache or work / "c").resolve()
        bench = Bench(work, source, wheelhouse, cache, options.runs)
        alone = [bench.figures(target) for target in options.targets]
        if len(alone) > 1:
            show("one call for all", cheapest(partial(bench.build, *options.targets), options.runs))
            print(f"{'one call for each':40}{sum(each.cpu for each in alone):8.2f} CPU s")


if __name__ == "__main__":
    main()
