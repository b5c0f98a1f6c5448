"""Limits for archives from outside: member names, counts, sizes and ratios, the same for every reader. Pure."""

from __future__ import annotations

import contextlib
import tarfile
import unicodedata
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits for one kind of archive. A useful archive stays far below them, but a small hostile one can exceed them.

    Attributes:
        members: maximum number of files, directories and links.
        total_bytes: maximum unpacked size.
        ratio: maximum ratio of the unpacked size to the archive's own; None if the archive is a stream of unknown size.
        ratio_counts_above_bytes: unpacked size up to which the ratio is ignored, because it does no harm.
    """

    members: int
    total_bytes: int
    ratio: int | None = None
    ratio_counts_above_bytes: int = 256 << 20


# Wheels and sdists. deflate reaches about 1000:1 on zeros alone; code, data tables and libraries stay below 50:1.
DISTRIBUTION: Final = Limits(200_000, 8 << 30, ratio=200)
# Native packages, and archives that a machine sends back, which hold many distributions. They have no ratio, because
# 40 KB of zstd can unpack to any size.
TREE: Final = Limits(2_000_000, 64 << 30)
# Maximum size of a file that is read into memory at once; the largest real ones are RECORDs of a few MiB.
MOST_METADATA_BYTES: Final = 64 << 20
_MOST_NAME_LENGTH: Final = 1024
_MOST_HEADER_BYTES: Final = 1 << 20
_EXTENSIONS: Final = frozenset({
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
})  # fmt: skip


def name_problem(name: str) -> str | None:
    """Return the reason why a member's name is not a safe relative path with forward slashes, or None.

    Directory names must be given without a trailing slash.
    """
    checks = (
        (name.startswith("/"), "is an absolute path"),
        ("\\" in name, "has a backslash in its name"),
        (any(part in {"", ".", ".."} for part in name.split("/")), "leaves the tree or is not a normalized path"),
        (any(unicodedata.category(each) in {"Cc", "Cs"} for each in name), "has control characters or broken text"),
        (len(name) > _MOST_NAME_LENGTH, "has a name that is too long"),
    )
    return next((problem for is_so, problem in checks if is_so), None)


@dataclass(slots=True)
class Budget:
    """Count of what an archive unpacks to, checked against limits while it is read.

    Attributes:
        limits: limits for its kind.
        packed_bytes: size of the archive itself; ignored if the limits have no ratio.
        members: number of members so far.
        total_bytes: unpacked size so far.
    """

    limits: Limits
    packed_bytes: int = 0
    members: int = 0
    total_bytes: int = 0

    @classmethod
    def of_distribution(cls, packed_bytes: int) -> Budget:
        """Return the budget of a wheel or an sdist."""
        return cls(DISTRIBUTION, packed_bytes)

    @classmethod
    def of_tree(cls) -> Budget:
        """Return the budget of a native package, or of a directory tree from outside."""
        return cls(TREE)

    def excess(self, size_bytes: int) -> str | None:
        """Count one more member; return the limit that is now exceeded, as the end of a sentence, or None."""
        limits = self.limits
        if size_bytes < 0:
            return "has a member of negative size"
        self.members += 1
        self.total_bytes += size_bytes
        if self.members > limits.members:
            return f"has more than {limits.members} members"
        if self.total_bytes > limits.total_bytes:
            return f"unpacks to more than {limits.total_bytes >> 30} GiB"
        is_large = self.total_bytes > limits.ratio_counts_above_bytes
        if limits.ratio is not None and is_large and self.total_bytes > limits.ratio * self.packed_bytes:
            return f"unpacks to more than {limits.ratio} times its size"
        return None


class Readable(Protocol):
    """A stream that can be read once."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; empty at the end."""
        ...


class ExcessError(tarfile.ReadError):
    """An archive exceeds a limit.

    Attributes:
        excess: the exceeded limit, as from ``Budget.excess``.
    """

    def __init__(self, excess: str) -> None:
        super().__init__(f"it {excess}")
        self.excess = excess


class _BoundedTarInfo(tarfile.TarInfo):
    """A header that keeps tarfile from reading a path of a gigabyte into memory.

    ``_proc_member`` is the hook that tarfile's own comments offer to subclasses. ``frombuf`` looks simpler, but the
    security updates of 2026 no longer call it (for example Debian's python3.11 3.11.2-6+deb12u9).
    """

    def _proc_member(self, archive: tarfile.TarFile) -> Self:
        if self.type in _EXTENSIONS and self.size > _MOST_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {self.size} bytes")
        return super()._proc_member(archive)  # type: ignore[misc, no-any-return]


def tar_members(stream: Readable, budget: Budget) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """Yield the members of a tar archive in order, each with its content if it is a file.

    The content of a member can be read until the next member is requested.

    Args:
        stream: the decompressed archive, read from its current position.
        budget: counts the members.

    Raises:
        tarfile.TarError, EOFError: the archive is damaged, or exceeds a limit.
    """
    with _open_tar(stream) as archive:
        while (member := _next_member(archive)) is not None:
            excess = budget.excess(member.size)
            if excess:
                raise ExcessError(excess)
            yield member, archive.extractfile(member) if member.isreg() else None
            archive.members.clear()  # type: ignore[attr-defined]  # tarfile keeps every header it ever saw


def _open_tar(stream: Readable) -> tarfile.TarFile:
    with _parser_errors_as_read_error():  # the first header is read here
        return tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|", tarinfo=_BoundedTarInfo, errorlevel=2)


def _next_member(archive: tarfile.TarFile) -> tarfile.TarInfo | None:
    with _parser_errors_as_read_error():
        return archive.next()


@contextlib.contextmanager
def _parser_errors_as_read_error() -> Iterator[None]:
    """Convert the exceptions that tarfile raises for absurd numbers and endlessly chained headers."""
    try:
        yield
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise tarfile.ReadError(str(error) or type(error).__name__) from error
