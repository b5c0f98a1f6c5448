"""What an archive from outside may contain: names, counts, sizes and ratios, the same for every reader. Pure."""

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
    """What no archive of a kind that is of use comes near, and a small one can claim.

    Attributes:
        members: files, directories and links.
        total_bytes: that it unpacks to.
        ratio: of what it unpacks to and its own size; None for what is streamed, whose size is not known.
        ratio_counts_above_bytes: what small archives unpack to does no harm.
    """

    members: int
    total_bytes: int
    ratio: int | None = None
    ratio_counts_above_bytes: int = 256 << 20


# Wheels and sdists. deflate reaches about 1000:1 on zeros alone; code, data tables and libraries stay below 50:1.
DISTRIBUTION: Final = Limits(200_000, 8 << 30, ratio=200)
# Native packages, and what a machine sends back: one holds many distributions. 40 KB of zstd can claim any of them.
TREE: Final = Limits(2_000_000, 64 << 30)
# What is read into memory at once; the largest real ones are RECORDs of a few MiB.
MOST_METADATA_BYTES: Final = 64 << 20
_MOST_NAME_LENGTH: Final = 1024
_MOST_HEADER_BYTES: Final = 1 << 20
_EXTENSIONS: Final = frozenset({
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
})  # fmt: skip


def name_problem(name: str) -> str | None:
    """Return why a member's name cannot be used as a relative path with forward slashes, or None.

    The name of a directory comes without its trailing slash.
    """
    checks = (
        (name.startswith("/"), "is an absolute path"),
        ("\\" in name, "has a backslash in its name"),
        (any(part in {"", ".", ".."} for part in name.split("/")), "leaves the tree or is not a plain path"),
        (any(unicodedata.category(each) in {"Cc", "Cs"} for each in name), "has control characters or broken text"),
        (len(name) > _MOST_NAME_LENGTH, "has a name that is too long"),
    )
    return next((problem for is_so, problem in checks if is_so), None)


@dataclass(slots=True)
class Budget:
    """Counts what an archive unpacks to, while it is read.

    Attributes:
        limits: of its kind.
        packed_bytes: its own size; of no account where the limits have no ratio.
    """

    limits: Limits
    packed_bytes: int = 0
    members: int = 0
    total_bytes: int = 0

    @classmethod
    def of_distribution(cls, packed_bytes: int) -> Budget:
        """Return that of a wheel or an sdist."""
        return cls(DISTRIBUTION, packed_bytes)

    @classmethod
    def of_tree(cls) -> Budget:
        """Return that of a native package, or of a directory from somewhere else."""
        return cls(TREE)

    def excess(self, size_bytes: int) -> str | None:
        """Count one more member; return what is too much, or None."""
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
        """Return at most ``size`` bytes; none at its end."""
        ...


class ExcessError(tarfile.ReadError):
    """An archive is too much of something.

    Attributes:
        excess: of what, as ``Budget.excess`` says it.
    """

    def __init__(self, excess: str) -> None:
        super().__init__(f"it {excess}")
        self.excess = excess


class _BoundedTarInfo(tarfile.TarInfo):
    """A header that does not make tarfile read a path of a gigabyte into memory.

    ``_proc_member`` is the hook that tarfile's own comments offer to subclasses. ``frombuf`` looks simpler, but is no
    longer called since the security updates of 2026 (Debian's python3.11 3.11.2-6+deb12u9 among them).
    """

    def _proc_member(self, archive: tarfile.TarFile) -> Self:
        if self.type in _EXTENSIONS and self.size > _MOST_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {self.size} bytes")
        return super()._proc_member(archive)  # type: ignore[misc, no-any-return]


def tar_members(stream: Readable, budget: Budget) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """Yield the members of a tar archive in order, each with its content if it is a file.

    A content can be read until the next member is asked for.

    Args:
        stream: the archive, decompressed; read from where it is.
        budget: counts the members.

    Raises:
        tarfile.TarError, EOFError: it is damaged, or absurd.
    """
    with _opened(stream) as archive:
        while (member := _next(archive)) is not None:
            excess = budget.excess(member.size)
            if excess:
                raise ExcessError(excess)
            yield member, archive.extractfile(member) if member.isreg() else None
            archive.members.clear()  # type: ignore[attr-defined]  # tarfile keeps every header it ever saw


def _opened(stream: Readable) -> tarfile.TarFile:
    with _absurdities_told():  # the first header is read here
        return tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|", tarinfo=_BoundedTarInfo, errorlevel=2)


def _next(archive: tarfile.TarFile) -> tarfile.TarInfo | None:
    with _absurdities_told():
        return archive.next()


@contextlib.contextmanager
def _absurdities_told() -> Iterator[None]:
    """Make one error of what tarfile does with absurd numbers and with headers on headers."""
    try:
        yield
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise tarfile.ReadError(str(error) or type(error).__name__) from error
