"""The payload of an .rpm that anybody may have made, and what rpm says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from venvpkg.backends.tarball import Member, Unpacker, require_file, streamed_members
from venvpkg.errors import MissingToolError, NotAPackageError
from venvpkg.host.runner import Command

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Iterator
    from pathlib import Path

    from venvpkg.host.runner import Runner, Streamer

_RPM2ARCHIVE: Final = Unpacker("rpm2archive", "rpm2cpio", "an rpm package")
_TIMEOUT_S: Final = 3600.0


def members_of(artifact: Path, runner: Streamer) -> contextlib.AbstractContextManager[Iterator[Member]]:
    """Yield the members of the payload; see ``streamed_members``. Ghosts and the header are no part of it.

    Source:
        rpm2archive(8).
    """
    require_file(artifact, _RPM2ARCHIVE)
    command = Command(("rpm2archive", "--nocompression"), stdin_file=artifact.absolute(), timeout_s=_TIMEOUT_S)
    return streamed_members(artifact, command, _RPM2ARCHIVE, runner)


def asked(artifact: Path, query: str, runner: Runner) -> str:
    """Return what rpm answers to a query format.

    Raises:
        NotAPackageError: the file is no .rpm, or is damaged.
        MissingToolError: there is no rpm.
    """
    require_file(artifact, _RPM2ARCHIVE)
    # A package that nobody signed, or whose signer is not known, can be looked into all the same.
    argv = ("rpm", "--query", "--nosignature", "--queryformat", query, "--package", str(artifact.absolute()))
    done = runner.run(Command(argv, timeout_s=_TIMEOUT_S))
    if done.not_found:
        raise MissingToolError(["rpm, which reads packages"], install=["rpm"])
    if not done.ok:
        raise NotAPackageError(
            f"{artifact} cannot be read as an rpm package.",
            details=f"  {done.errors.strip()[-500:]}",
            resolution="Name a package that is whole.",
        )
    return done.text
