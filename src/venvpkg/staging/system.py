"""Expose chosen system distributions in the staged virtual environment, and nothing else of the release.

A finder that is installed at the start of the interpreter looks them up in the release's own directory. Symbolic links
would need no finder, but fail twice. dpkg does not replace a directory by a link, and unpacks files through a link in
place of a directory: a distribution that is vendored again later would overwrite the release's own. And the names of
metadata directories contain versions, so that a link would dangle after the release's next update.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.errors import StagingError
from venvpkg.staging.bytecode import compile_bytecode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from venvpkg.host.command import Runner
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import SystemDistribution
    from venvpkg.staging.installed_paths import InstalledWheel


FINDER = "_venvpkg_system"

_SOURCE = Path(__file__).with_name("system_finder.py")


def expose(
    system: Sequence[SystemDistribution], destdir: Path, site: PurePosixPath, target: Target, runner: Runner
) -> None:
    """Write the finder, its bytecode, and the ``.pth`` line that configures it.

    Args:
        system: distributions to expose; nothing is written when it is empty.
        destdir: staging root on this machine.
        site: site-packages of the virtual environment on the target.
        target: its interpreter compiles.
        runner: runs the interpreter.
    """
    if not system:
        return
    here = destdir / site.relative_to("/")
    (here / f"{FINDER}.py").write_bytes(_SOURCE.read_bytes())
    (here / f"{FINDER}.pth").write_text(pth_line(system), encoding="ascii")
    compile_bytecode(destdir, (site / f"{FINDER}.py",), target, runner)


def pth_line(system: Sequence[SystemDistribution]) -> str:
    """Return the line that ``site`` executes at each start of the interpreter.

    Source:
        Python documentation, module site.
    """
    directories = dict.fromkeys(str(directory) for each in system for directory in each.directories)
    modules = sorted({module for each in system for module in each.modules})
    names = sorted(each.name for each in system)
    values = ", ".join(ascii(tuple(several)) for several in (directories, modules, names))
    return f"import {FINDER}; {FINDER}.expose({values})\n"


def require_no_module_conflict(
    system: Iterable[SystemDistribution], installed: Iterable[InstalledWheel], site: PurePosixPath
) -> None:
    """Check that no wheel ships a module that a system distribution has too: it would hide the system's.

    Raises:
        StagingError: wheels ship such modules; the error lists all of them.
    """
    exposed = {module: each for each in system for module in each.modules}
    conflicts: set[str] = set()
    for wheel in installed if exposed else ():
        for path in wheel.files:
            if path.is_relative_to(site) and path.suffix in {".py", ".so"}:
                *packages, last = path.relative_to(site).parts
                parts = (*packages, last.partition(".")[0])
                for end in range(1, len(parts) + 1):
                    if (theirs := exposed.get(".".join(parts[:end]))) is not None:
                        module = ".".join(parts[:end])
                        conflicts.add(f"{module}: in {wheel.wheel.name}, and in {theirs.package.name}")
    if conflicts:
        raise StagingError(
            f"{len(conflicts)} module{'s are' if len(conflicts) != 1 else ' is'} both in a wheel and in a package"
            " of the release.",
            details="\n".join(f"  {conflict}" for conflict in sorted(conflicts)),
            resolution="List both distributions in wheels.system, or neither.",
        )
