"""Find files of wheels that were meant for absolute paths and ended up in site-packages. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator
    from pathlib import PurePosixPath

    from venvpkg.staging.installed_paths import InstalledWheel


# Directories at the root of a system (FHS 3.0, chapter 3) that setuptools' ``data_files`` are found in.
_OF_ROOT: Final = frozenset({"bin", "etc", "lib", "lib64", "opt", "sbin", "srv", "usr", "var"})
# With merged /usr these are links, and no package may put a file below them.
_MERGED: Final = frozenset({"bin", "lib", "lib64", "sbin"})
_MOST_IN_WARNING: Final = 5


def misplaced_warnings(
    installed: Iterable[InstalledWheel], site: PurePosixPath, targets: Container[PurePosixPath]
) -> Iterator[str]:
    """Yield a warning for each distribution with ``data_files`` at absolute paths.

    A wheel has no place for those: setuptools writes ``/etc/app.conf`` to ``etc/app.conf`` next to the modules, and pip
    installs it there. A package with modules of its own, which may have such a name, is left alone.

    Args:
        installed: the distributions.
        site: the site-packages directory.
        targets: paths at which the configuration's ``files`` already put something.
    """
    for each in installed:
        found = [path for path in _absolute_paths(each.files, site) if path not in targets]
        if found:
            names = ", ".join(map(str, found[:_MOST_IN_WARNING]))
            more = f" and {len(found) - _MOST_IN_WARNING} more" if len(found) > _MOST_IN_WARNING else ""
            yield (
                f"{each.wheel.name} has data files for absolute paths ({names}{more}), which a wheel cannot put there:"
                f" they are in {site}, where nothing looks for them. Add those that are needed to [tool.venvpkg] files:"
                f' {{ source = "{found[0].name}", target = "{found[0]}" }}'
            )


def _absolute_paths(files: Iterable[PurePosixPath], site: PurePosixPath) -> list[PurePosixPath]:
    below = [path.relative_to(site) for path in files if path.is_relative_to(site)]
    packages = {path.parts[0] for path in below if len(path.parts) == 2 and path.suffix == ".py"}  # noqa: PLR2004
    root = type(site)("/")
    return [
        root / "usr" / path if path.parts[0] in _MERGED else root / path
        for path in below
        if len(path.parts) > 1 and path.parts[0] in _OF_ROOT - packages
    ]
