"""Expected failures: each family has its own exit code. Exit codes 1 (a bug) and 2 (usage) are not ours."""

from __future__ import annotations

import errno
import os
import shlex
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path, PurePosixPath

    from venvpkg.model.elf import Need


class VenvpkgError(Exception):
    """What failed (brief), the evidence (details), what to do next (resolution)."""

    exit_code: ClassVar[int] = 1

    def __init__(self, brief: str, *, details: str = "", resolution: str = "") -> None:
        self.brief = brief
        self.details = details
        self.resolution = resolution
        super().__init__("\n".join(part for part in (brief, details, resolution) if part))


class ConfigurationError(VenvpkgError):
    """What the user declared cannot be used; every problem of the file is in the details."""

    exit_code = 3

    def __init__(self, source: Path | str, problems: Iterable[str], *, resolution: str = "") -> None:
        self.problems = tuple(problems)
        super().__init__(
            f"{source}: {len(self.problems)} problem{'s' * (len(self.problems) != 1)} in the configuration.",
            details="\n".join(f"  {problem}" for problem in self.problems),
            resolution=resolution or "Correct what is named; README lists every key with its option and its variable.",
        )


class LockError(VenvpkgError):
    """The lock is malformed, out of date, incomplete, or cannot be resolved."""

    exit_code = 4


class DownloadError(VenvpkgError):
    """A file could not be fetched, or is not the file that the lock names."""

    exit_code = 5


class MissingToolError(VenvpkgError):
    """A program, header package or ability of the machine is missing."""

    exit_code = 6

    def __init__(
        self,
        missing: Sequence[str],
        *,
        install: Sequence[str] = (),
        installer: str = "apt-get install --no-install-recommends",
        resolution: str = "",
    ) -> None:
        self.missing = tuple(missing)
        self.install = tuple(install)
        command = f"Run: {installer} {shlex.join(self.install)}" if self.install else ""
        super().__init__(
            f"{len(self.missing)} thing{'s' * (len(self.missing) != 1)} this build needs are missing here."
            if len(self.missing) != 1
            else "One thing this build needs is missing here.",
            details="\n".join(f"  {each}" for each in self.missing),
            resolution="\n".join(part for part in (command, resolution) if part),
        )


class CompileError(VenvpkgError):
    """A distribution could not be built into a wheel."""

    exit_code = 7


class PrepareError(VenvpkgError):
    """A prepare command of the project failed, or did not make what it was to make."""

    exit_code = 21


class WheelError(VenvpkgError):
    """A wheel or sdist is malformed or hostile: wrong RECORD, path outside the tree, absurd size."""

    exit_code = 8


class StagingError(VenvpkgError):
    """The virtual environment could not be staged: incomplete closure, clash of files, a leaked path."""

    exit_code = 9


class ElfError(VenvpkgError):
    """ELF files are damaged; each with what is wrong with it."""

    exit_code = 10

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            f"{len(self.problems)} ELF file{'s are' if len(self.problems) != 1 else ' is'} damaged.",
            details="\n".join(f"  {problem}" for problem in self.problems),
            resolution="Build or download the distributions that these files come from again.",
        )


class UnownedSonameError(VenvpkgError):
    """The application needs libraries that no installed package owns.

    ``places`` tells where a library is all the same, such as ``/usr/local/lib``.
    """

    exit_code = 11

    def __init__(self, needs: Iterable[Need], places: Mapping[Need, PurePosixPath] | None = None) -> None:
        self.needs = tuple(sorted(needs))
        places = places or {}
        super().__init__(
            f"{len(self.needs)} needed librar{'ies belong' if len(self.needs) != 1 else 'y belongs'}"
            " to no installed package.",
            details="\n".join(
                f"  {need.soname}, for {need.needed_by}"
                + (f" (found as {places[need]}, which no package ships)" if need in places else "")
                for need in self.needs
            ),
            resolution="Install the packages that ship them, and build again.",
        )


class UnknownAbiError(VenvpkgError):
    """Packages of needed libraries tell no lowest version, and ``strict`` forbids to take the installed one."""

    exit_code = 26

    def __init__(self, libraries: Iterable[tuple[str, str]]) -> None:
        found = sorted(libraries)
        count = f"{len(found)} needed librar{'ies' if len(found) != 1 else 'y'}"
        super().__init__(
            f"The packages of {count} say nothing about the ABI.",
            details="\n".join(f"  {soname}, of {owner}" for soname, owner in found),
            resolution="Name a relation for each under sonames, or leave strict out: the lowest is the installed"
            " version then.",
        )


class UnprovidedCapabilityError(UnownedSonameError):
    """The application needs capabilities that no package of the target provides, installed or not."""

    def __init__(
        self,
        needed_by: Mapping[str, Sequence[PurePosixPath]],
        places: Mapping[str, PurePosixPath],
        problem: str = "",
    ) -> None:
        """List each capability with a file that needs it.

        Args:
            needed_by: capability → the files that need it, at least one.
            places: capability → where its library is on the target all the same.
            problem: a clause: why the repositories could not be asked; empty when they were.
        """
        self.capabilities = tuple(sorted(needed_by))
        lines = []
        for name in self.capabilities:
            first, *more = needed_by[name]
            others = f" and {len(more)} more" if more else ""
            where = f" (the library is there as {places[name]})" if name in places else ""
            lines.append(f"  {name}, for {first}{others}{where}")
        count = len(self.capabilities)
        VenvpkgError.__init__(
            self,
            f"{count} needed capabilit{'ies are' if count != 1 else 'y is'} provided by no package of the target.",
            details="\n".join([*lines, *([f"  {problem}"] if problem else [])]),
            resolution="Install the packages that provide them, enable the repository that has them, or say in"
            " [tool.venvpkg.sonames] what stands for a library.",
        )


class PackageDatabaseError(VenvpkgError):
    """The target's package database cannot be read: damaged, locked, or not there."""

    exit_code = 12


class AssembleError(VenvpkgError):
    """The package could not be written, or what was written is not what was composed."""

    exit_code = 13


class NotAPackageError(VenvpkgError):
    """A file is not a package, or not a package or record that venvpkg wrote."""

    exit_code = 14


class TargetError(VenvpkgError):
    """A system to build in cannot be made or reached, or packages cannot be installed into it."""

    exit_code = 24


class SeveralTargetsError(VenvpkgError):
    """Of several targets some failed, each for a reason that was told before; the others were built."""

    exit_code = 25


class NotReproducedError(VenvpkgError):
    """A build that was repeated did not give the recorded package."""

    exit_code = 20

    def __init__(self, artifact: str, changes: Iterable[str], differences: Iterable[str], *, resolution: str) -> None:
        self.changes = tuple(changes)
        self.differences = tuple(differences)
        parts = (("Inputs that have changed since", self.changes), ("Where the packages differ", self.differences))
        super().__init__(
            f"{artifact} was not reproduced.",
            details="\n".join(
                line for title, lines in parts if lines for line in (f"  {title}:", *(f"    {each}" for each in lines))
            ),
            resolution=resolution,
        )


class MachineError(VenvpkgError):
    """The operating system refuses: a full disk, no permission, a read-only file system, too many open files."""

    exit_code = 16

    @classmethod
    def of(cls, error: OSError, *, resolution: str = "") -> Self:
        """Return the error that tells people what the system refused, and where.

        Args:
            error: as the kernel gave it; with an errno.
            resolution: what to do, when the caller knows it better than the errno does.
        """
        name = error.filename2 or error.filename
        path = os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else ""
        what = error.strerror or str(error)
        return cls(
            f"{path} cannot be used: {what}." if path else f"The operating system refuses: {what}.",
            resolution=resolution or _WAYS_OUT.get(error.errno or 0, _ANOTHER_WAY_OUT),
        )


_PLACES = "name another place (--out, --wheelhouse, --cache; TMPDIR for temporary files)"
_SPACE = f"Make space on that disk, or {_PLACES}."
_PERMISSION = f"Give this user permission, or {_PLACES}."
_WAYS_OUT = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: _PERMISSION,
    errno.EMFILE: "Raise the limit of open files (ulimit -n), or run fewer jobs at once (--jobs).",
    errno.ENFILE: "Raise the limit of open files (sysctl fs.file-max), or run fewer jobs at once (--jobs).",
    errno.ENOMEM: "Give this machine more memory, or run fewer jobs at once (--jobs).",
    errno.EAGAIN: "Raise the limit of processes (ulimit -u), or run fewer jobs at once (--jobs).",
    errno.EIO: "Look into the kernel's log (dmesg): the disk may be failing.",
}
_ANOTHER_WAY_OUT = (
    "See whether the path, or the current directory, was removed or is something else than venvpkg needs there;"
    " otherwise report this as a bug in venvpkg."
)


class UnsafePathError(StagingError):
    """A path in the payload cannot be packed; each is given by name."""

    def __init__(self, paths: Iterable[PurePosixPath | str]) -> None:
        self.paths = tuple(str(path) for path in paths)
        super().__init__(
            f"{len(self.paths)} payload path{'s' * (len(self.paths) != 1)} cannot be packed:"
            " control characters in a name.",
            details="\n".join(f"  {path!r}" for path in self.paths),
            resolution="Leave these files out of the wheel.",
        )
