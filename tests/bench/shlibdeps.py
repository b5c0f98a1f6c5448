"""Print the CPU time of dpkg-shlibdeps and of ours over the same tree of ELF files.

    python tests/bench/shlibdeps.py [TREE | COUNT] [RUNS]

The ELF files of TREE are tried, at their own places; or COUNT (300) of this machine's. Only figures are printed: CPU
seconds of each, children counted, the fewest of RUNS; and their ratio.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from unit.samples import on_target
from venvpkg.model.project import Settings

sys.path.insert(0, str(Path(__file__).parents[1]))

from differential.shlibdeps import is_elf, payload_of, shlibdeps, system_elf_files
from unit.fakes import RecordingReporter
from venvpkg.families.deb.dependencies import derive_dependencies
from venvpkg.host.runner import SubprocessRunner
from venvpkg.linking.loader import resolve_needs
from venvpkg.linking.tree import scan
from venvpkg.model.elf import Found
from venvpkg.model.staged import ApplicationMetadata, StagedVenv
from venvpkg.targets.host import resolve_host

if TYPE_CHECKING:
    from collections.abc import Callable


def cpu_seconds(run: Callable[[], object]) -> float:
    """Return the user and system time of this process and its children that a call takes."""

    def now() -> float:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(each.ru_utime + each.ru_stime for each in used)

    start = now()
    run()
    return now() - start


def main(tree: str, runs: int) -> None:
    """Print the figures."""
    runner = SubprocessRunner(os.environ)
    target = resolve_host(runner)
    reporter = RecordingReporter()
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        destdir = payload_of(
            system_elf_files(int(tree))
            if tree.isdecimal()
            else [file for file in Path(tree).rglob("*") if is_elf(file)],
            work,
        )
        # Neither tool finds what only a program that is not in the tree can have loaded before.
        for resolved_need in resolve_needs(scan(destdir, target, reporter), destdir, target).needs:
            if resolved_need.found is Found.MISSING:
                (destdir / resolved_need.need.needed_by.relative_to("/")).unlink(missing_ok=True)
        application = ApplicationMetadata("app", "1", "", "", "", "", "", ())
        staged = StagedVenv(destdir, PurePosixPath("/opt/venvs/app"), application, (), "3.9.0")

        def ours() -> None:
            derive_dependencies(
                scan(destdir, target, reporter), staged, Settings(), on_target(target, runner, reporter)
            )

        files = len(scan(destdir, target, reporter).objects)
        mine = min(cpu_seconds(ours) for _ in range(runs))
        theirs = min(cpu_seconds(lambda: shlibdeps(work)) for _ in range(runs))
    sys.stdout.write(f"files {files}\nvenvpkg_cpu_s {mine:.2f}\nshlibdeps_cpu_s {theirs:.2f}\n")
    sys.stdout.write(f"ratio {theirs / mine:.1f}\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "300", int(sys.argv[2]) if len(sys.argv) > 2 else 3)
