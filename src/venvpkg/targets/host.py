"""Recognise the system in a root, this machine's own or another's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from venvpkg.model.target import Target
from venvpkg.targets.families import family_of, installer_of, traits_of
from venvpkg.targets.interpreter import read_interpreter
from venvpkg.targets.processor import processor_of
from venvpkg.targets.release import read_release

if TYPE_CHECKING:
    from venvpkg.host.runner import Runner
    from venvpkg.model.target import Family, Release
    from venvpkg.targets.interpreter import Choice
    from venvpkg.targets.processor import Processor

# What a kernel of 64 bits calls itself → what wheels for programs of 32 bits there are marked with.
# Source: packaging.tags, which pip and uv follow.
_NARROW: Final = {"x86_64": "i686", "aarch64": "armv8l"}


def release_own(family: Family, release: Release) -> None:
    """Choose the release's own interpreter."""
    del family, release


def resolve_host(runner: Runner, root: Path = Path("/"), choice: Choice = release_own) -> Target:
    """Return release, family, architecture and interpreter of this machine, or of another root.

    Args:
        runner: runs programs there.
        root: its filesystem.
        choice: which interpreter the user wants there.

    Raises:
        ConfigurationError: the release cannot be told.
        MissingToolError: it has no tools of its family, or no interpreter.
    """
    release = read_release(root)
    family = family_of(release, root)
    traits, wanted = traits_of(family), choice(family, release)
    packages = traits.interpreter_packages(wanted, release)[:1] if wanted is not None else ("python3",)
    interpreter, multiarch = read_interpreter(runner, root, wanted, packages, installer_of(family, release, root))
    identity = traits.read_identity(release, multiarch, runner)
    return Target(
        family=family,
        release=release,
        architecture=identity.architecture,
        machine=_machine(interpreter.environment["platform_machine"], processor_of(root)),
        multiarch=identity.multiarch,
        root=root,
        interpreter=interpreter,
        dist=identity.dist,
        isa=identity.isa,
    )


def _machine(kernel: str, processor: Processor | None) -> str:
    """Return the machine of the system's programs, which is not the kernel's own on a Raspberry Pi of 32 bits."""
    narrow = processor is not None and processor.bits == 32  # noqa: PLR2004
    return _NARROW.get(kernel, kernel) if narrow else kernel
