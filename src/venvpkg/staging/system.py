"""Expose distributions of the system in the staged environment: exactly these, with nothing else of the release.

A finder that runs at the start of the interpreter looks them up in the release's own directory. Links would do so
without it, but dpkg does not replace a directory by a link, and unpacks files through a link where a directory was to
be: a distribution that is vendored again would be written over the release's own. And names of metadata have versions,
so that a link would dangle after the release's next update.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.errors import StagingError
from venvpkg.staging.bytecode import compile_bytecode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from venvpkg.host.runner import Runner
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import SystemDistribution
    from venvpkg.staging.installed_paths import InstalledWheel


FINDER = "_venvpkg_system"

_SOURCE = Path(__file__).with_name("system_finder.py")


def expose(
    system: Sequence[SystemDistribution], destdir: Path, site: PurePosixPath, target: Target, runner: Runner
) -> None:
    """Write the finder, its bytecode and the line that names what it finds.

    Args:
        system: what is exposed; nothing is written when it is empty.
        destdir: staging root on this machine.
        site: the environment's site-packages on the target.
        target: whose interpreter compiles.
        runner: runs it.
    """
    if not system:
        return
    here = destdir / site.relative_to("/")
    (here / f"{FINDER}.py").write_bytes(_SOURCE.read_bytes())
    (here / f"{FINDER}.pth").write_text(pth_line(system), encoding="ascii")
    compile_bytecode(destdir, (site / f"{FINDER}.py",), target, runner)


def pth_line(system: Sequence[SystemDistribution]) -> str:
    """Return what ``site`` runs at each start of the interpreter.

    Source:
        Python documentation, module site.
    """
    directories = dict.fromkeys(str(directory) for each in system for directory in each.directories)
    modules = sorted({module for each in system for module in each.modules})
    names = sorted(each.name for each in system)
    values = ", ".join(ascii(tuple(several)) for several in (directories, modules, names))
    return f"import {FINDER}; {FINDER}.expose({values})\n"


def require_apart(
    system: Iterable[SystemDistribution], installed: Iterable[InstalledWheel], site: PurePosixPath
) -> None:
    """Check that no wheel ships a module that the system's distributions have too: it would be found instead of theirs.

    Raises:
        StagingError: some do; all are given.
    """
    exposed = {module: each for each in system for module in each.modules}
    clashes: set[str] = set()
    for wheel in installed if exposed else ():
        for path in wheel.files:
            if path.is_relative_to(site) and path.suffix in {".py", ".so"}:
                *packages, last = path.relative_to(site).parts
                parts = (*packages, last.partition(".")[0])
                for end in range(1, len(parts) + 1):
                    if (theirs := exposed.get(".".join(parts[:end]))) is not None:
                        module = ".".join(parts[:end])
                        clashes.add(f"{module}: of {wheel.wheel.name}, and of {theirs.package.name}")
    if clashes:
        raise StagingError(
            f"{len(clashes)} module{'s are' if len(clashes) != 1 else ' is'} both in a wheel and in the release's own"
            " packages.",
            details="\n".join(f"  {clash}" for clash in sorted(clashes)),
            resolution="Name both distributions in wheels.system, or neither.",
        )
