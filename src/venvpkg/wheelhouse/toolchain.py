"""What compiles: the flags of the release and the packages that take part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvpkg.targets.families import traits_of

if TYPE_CHECKING:
    from venvpkg.host.runner import Runner
    from venvpkg.model.target import Target


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Everything on the target, beside the interpreter, that can change what a compile makes.

    Attributes:
        flags: variable → flags, as the release builds its own packages, sorted.
        packages: name and version of installed build packages, sorted.
    """

    flags: tuple[tuple[str, str], ...]
    packages: tuple[tuple[str, str], ...]


def read_toolchain(target: Target, runner: Runner) -> Toolchain:
    """Return the toolchain of ``target``.

    Args:
        target: whose.
        runner: runs programs there.

    Raises:
        MissingToolError: the flags cannot be had.
        PackageDatabaseError: the package database is damaged.
    """
    traits = traits_of(target.family)
    return Toolchain(tuple(sorted(traits.read_flags(runner).items())), traits.build_packages(target, runner))
