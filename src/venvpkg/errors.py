"""Expected failures. Each kind has its own exit code; 1 (a bug) and 2 (usage) are not among them."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path, PurePosixPath

    from venvpkg.model.elf import Need


class VenvpkgError(Exception):
    """Base of all expected failures.

    Attributes:
        brief: one sentence: what failed.
        details: the evidence, indented lines; may be empty.
        resolution: what the user can do; may be empty.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, brief: str, *, details: str = "", resolution: str = "") -> None:
        self.brief = brief
        self.details = details
        self.resolution = resolution
        super().__init__("\n".join(part for part in (brief, details, resolution) if part))


class ConfigurationError(VenvpkgError):
    """The user's configuration cannot be used; the details list every problem of the file."""

    exit_code = 3

    def __init__(self, source: Path | str, problems: Iterable[str], *, resolution: str = "") -> None:
        self.problems = tuple(problems)
        super().__init__(
            f"{source}: {len(self.problems)} problem{'s' * (len(self.problems) != 1)} in the configuration.",
            details="\n".join(f"  {problem}" for problem in self.problems),
            resolution=resolution or 'Fix the keys listed above (reference: README, "Keys").',
        )


class LockError(VenvpkgError):
    """The lockfile is malformed, out of date or incomplete, or resolving failed."""

    exit_code = 4


class DownloadError(VenvpkgError):
    """A file could not be fetched, or its hash is not the locked one."""

    exit_code = 5


class MissingToolError(VenvpkgError):
    """Prerequisites of the build are missing on the machine: programs, header packages, permissions.

    Args:
        missing: what, each with what for.
        install: packages that bring it.
        installer: the beginning of a command that installs packages there; empty where that is not known, so that
            nobody is told another family's.
        resolution: what else to do.
    """

    exit_code = 6

    def __init__(
        self,
        missing: Sequence[str],
        *,
        install: Sequence[str] = (),
        installer: str = "",
        resolution: str = "",
    ) -> None:
        self.missing = tuple(missing)
        self.install = tuple(install)
        command = f"Run: {installer} {shlex.join(self.install)}" if installer else f"Install {', '.join(self.install)}."
        super().__init__(
            f"{len(self.missing)} prerequisite{'s' * (len(self.missing) != 1)} of this build"
            f" {'are' if len(self.missing) != 1 else 'is'} missing.",
            details="\n".join(f"  {each}" for each in self.missing),
            resolution="\n".join(part for part in (command if install else "", resolution) if part),
        )


class CompileError(VenvpkgError):
    """A distribution could not be built into a wheel."""

    exit_code = 7


class PrepareError(VenvpkgError):
    """A prepare command of the project failed, or did not produce its declared outputs."""

    exit_code = 21


class WheelError(VenvpkgError):
    """A wheel or sdist is malformed or hostile: wrong RECORD, path outside the tree, excessive size."""

    exit_code = 8


class StagingError(VenvpkgError):
    """Staging the virtual environment failed: missing dependency, file conflict, leaked build path."""

    exit_code = 9


class ElfError(VenvpkgError):
    """ELF files are damaged; the details list each with its defect."""

    exit_code = 10

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            f"{len(self.problems)} ELF file{'s are' if len(self.problems) != 1 else ' is'} damaged.",
            details="\n".join(f"  {problem}" for problem in self.problems),
            resolution="Rebuild the distributions that contain these files, or download them again. Files that nothing"
            ' loads can be left out: leave-out = ["DISTRIBUTION:PATTERN"] in [tool.venvpkg].',
        )


class UnownedSonameError(VenvpkgError):
    """The application needs libraries that no installed package owns."""

    exit_code = 11

    def __init__(self, needs: Iterable[Need], paths: Mapping[Need, PurePosixPath] | None = None) -> None:
        """List each library with the file that needs it.

        Args:
            needs: the needs without an owner.
            paths: where a library was found nevertheless, such as in ``/usr/local/lib``.
        """
        self.needs = tuple(sorted(needs))
        paths = paths or {}
        super().__init__(
            f"{len(self.needs)} needed librar{'ies are' if len(self.needs) != 1 else 'y is'}"
            " not owned by any installed package.",
            details="\n".join(
                f"  {need.soname}, for {need.needed_by}"
                + (f" (found at {paths[need]}, which no package ships)" if need in paths else "")
                for need in self.needs
            ),
            resolution="Install the packages that ship them, then build again.",
        )


class UndefinedSymbolError(VenvpkgError):
    """Extension modules import symbols that nothing defines, so importing them fails."""

    exit_code = 27

    def __init__(self, symbols: Mapping[PurePosixPath, Sequence[str]], distributions: Iterable[str]) -> None:
        """List each module with its symbols.

        Args:
            symbols: module → symbols that it will not find, at least one.
            distributions: names of the distributions with the modules.
        """
        self.symbols = symbols
        names = ", ".join(f'"{each}"' for each in sorted(set(distributions)))
        example = symbols[min(symbols)][0].partition("@")[0]
        super().__init__(
            f"{len(symbols)} extension module{'s import symbols' if len(symbols) != 1 else ' imports a symbol'} that"
            " neither the interpreter nor any needed library defines; its import will fail.",
            details="\n".join(f"  {path}: {shown(symbols[path])}" for path in sorted(symbols)),
            resolution="Link the module with the library that defines them, or compile against a version of that"
            " library that does (build-depends)."
            + (f" Or use the prebuilt wheel: wheels.binary = [{names}]." if names else "")
            + f' If something else defines them before the import: undefined-symbols = ["{example}"].',
        )


def shown(symbols: Sequence[str]) -> str:
    """Return the first few symbols, and the number of the others."""
    most = 5
    more = f" and {len(symbols) - most} more" if len(symbols) > most else ""
    return f"{', '.join(symbols[:most])}{more}"


class UnknownAbiError(VenvpkgError):
    """Packages of needed libraries declare no lowest version, and ``strict`` rules out the installed one."""

    exit_code = 26

    def __init__(self, libraries: Iterable[tuple[str, str]]) -> None:
        undeclared = sorted(libraries)
        count = f"{len(undeclared)} needed librar{'ies' if len(undeclared) != 1 else 'y'}"
        super().__init__(
            f"the packages of {count} declare nothing about their ABI.",
            details="\n".join(f"  {soname}, of {owner}" for soname, owner in undeclared),
            resolution="Map each under [tool.venvpkg.sonames], or turn strict off to require at least the installed"
            " version.",
        )


class UnprovidedCapabilityError(UnownedSonameError):
    """The application needs capabilities that no package of the target provides, whether installed or not."""

    def __init__(
        self,
        needed_by: Mapping[str, Sequence[PurePosixPath]],
        paths: Mapping[str, PurePosixPath],
        problem: str = "",
    ) -> None:
        """List each capability with a file that needs it.

        Args:
            needed_by: capability → the files that need it, at least one.
            paths: capability → path on the target where its library was found nevertheless.
            problem: why the repositories could not be queried, a clause; empty if they were.
        """
        self.capabilities = tuple(sorted(needed_by))
        lines = []
        for name in self.capabilities:
            first, *more = needed_by[name]
            others = f" and {len(more)} more" if more else ""
            where = f" (library found at {paths[name]})" if name in paths else ""
            lines.append(f"  {name}, for {first}{others}{where}")
        count = len(self.capabilities)
        VenvpkgError.__init__(
            self,
            f"{count} needed capabilit{'ies are' if count != 1 else 'y is'} not provided by any package of the target.",
            details="\n".join([*lines, *([f"  {problem}"] if problem else [])]),
            resolution="Install the packages that provide them, enable the repository that has them, or map the library"
            " under [tool.venvpkg.sonames].",
        )


class PackageDatabaseError(VenvpkgError):
    """The target's package database cannot be read: damaged, locked or missing."""

    exit_code = 12


class AssembleError(VenvpkgError):
    """The package could not be written, or the written package differs from its specification."""

    exit_code = 13


class NotAPackageError(VenvpkgError):
    """A file is not a package, or not a package or build record written by venvpkg."""

    exit_code = 14


class TargetError(VenvpkgError):
    """A build root or machine cannot be created or reached, or packages cannot be installed into it."""

    exit_code = 24


class SeveralTargetsError(VenvpkgError):
    """Some of several targets failed, each with an error that was reported already; the others were built."""

    exit_code = 25


class NotReproducedError(VenvpkgError):
    """A rebuild did not reproduce the recorded package."""

    exit_code = 20

    def __init__(self, artifact: str, changes: Iterable[str], differences: Iterable[str], *, resolution: str) -> None:
        self.changes = tuple(changes)
        self.differences = tuple(differences)
        parts = (("Changed inputs", self.changes), ("Differences between the packages", self.differences))
        super().__init__(
            f"{artifact} was not reproduced.",
            details="\n".join(
                line for title, lines in parts if lines for line in (f"  {title}:", *(f"    {each}" for each in lines))
            ),
            resolution=resolution,
        )


class MachineError(VenvpkgError):
    """The operating system reports an error: full disk, no permission, read-only file system, too many open files."""

    exit_code = 16

    @classmethod
    def of(cls, error: OSError, *, resolution: str = "") -> Self:
        """Return the error that describes an OSError and the file concerned.

        Args:
            error: with an errno.
            resolution: what to do, if the caller knows better than the errno suggests.
        """
        name = error.filename2 or error.filename
        path = os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else ""
        reason = error.strerror or str(error)
        return cls(
            f"{path} cannot be used: {reason}." if path else f"system error: {reason}.",
            resolution=resolution or _RESOLUTIONS.get(error.errno or 0, _DEFAULT_RESOLUTION),
        )


@contextlib.contextmanager
def machine_errors() -> Iterator[None]:
    """Turn an OSError of the block into a MachineError; it can happen at every write, so that no stage catches it.

    An OSError without an errno does not come from the kernel, and EBADF, EFAULT and EINVAL mean that venvpkg made a
    wrong call. Both are bugs, and are raised unchanged.

    Raises:
        MachineError: the machine refused something.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {None, errno.EBADF, errno.EFAULT, errno.EINVAL}:
            raise
        raise MachineError.of(error) from error


_ELSEWHERE = "use another location (--out, --wheelhouse, --cache; TMPDIR for temporary files)"
_SPACE = f"Free some space on that disk, or {_ELSEWHERE}."
_PERMISSION = f"Give this user permission, or {_ELSEWHERE}."
_RESOLUTIONS = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EFBIG: f"Raise the limit of file sizes (ulimit -f), or {_ELSEWHERE}.",
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: _PERMISSION,
    errno.EMFILE: "Raise the limit of open files (ulimit -n), or run fewer jobs at once (--jobs).",
    errno.ENFILE: "Raise the limit of open files (sysctl fs.file-max), or run fewer jobs at once (--jobs).",
    errno.ENOMEM: "Give this machine more memory, or run fewer jobs at once (--jobs).",
    errno.EAGAIN: "Raise the limit of processes (ulimit -u), or run fewer jobs at once (--jobs).",
    errno.EIO: "Check the kernel log (dmesg): the disk may be failing.",
}
_DEFAULT_RESOLUTION = (
    "Check whether the path or the current directory was removed, or is not of the expected kind; otherwise report this"
    " as a bug in venvpkg."
)


class UnsafePathError(StagingError):
    """Payload paths cannot be packed; the details list each of them."""

    def __init__(self, paths: Iterable[PurePosixPath | str]) -> None:
        self.paths = tuple(str(path) for path in paths)
        super().__init__(
            f"{len(self.paths)} payload path{'s' * (len(self.paths) != 1)} cannot be packed:"
            " the name contains control characters.",
            details="\n".join(f"  {path!r}" for path in self.paths),
            resolution="Remove these files from the wheel.",
        )


class LongNameError(StagingError):
    """Payload paths have names that no package manager can unpack; the details list each of them."""

    def __init__(self, paths: Iterable[PurePosixPath], most_bytes: int) -> None:
        self.paths = tuple(paths)
        super().__init__(
            f"dpkg and rpm cannot unpack file names longer than {most_bytes} bytes; the payload has {len(self.paths)}.",
            details="\n".join(f"  {path}" for path in self.paths),
            resolution='Rename the files, or leave them out: leave-out = ["DISTRIBUTION:PATTERN"] in [tool.venvpkg].',
        )
