"""Take the record of a package's dependencies out of a .deb."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from venvpkg.backends.deb.assemble import EVIDENCE
from venvpkg.errors import MissingToolError, NotAPackageError
from venvpkg.host.runner import Command

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.host.runner import Runner

_NOT_FOUND = 127
# A record of a large scientific application is below one MiB.
_LARGEST = 64 * 2**20


def read_evidence(artifact: Path, runner: Runner) -> bytes:
    """Return the record that ``assemble`` put below the prefix.

    Raises:
        NotAPackageError: the file is no .deb, or venvpkg did not build it.
        MissingToolError: there is no dpkg-deb.
    """
    if not artifact.is_file():
        raise NotAPackageError(f"{artifact} is not a file.", resolution="Name a package that venvpkg built.")
    done = runner.run(Command(("dpkg-deb", "--fsys-tarfile", str(artifact.absolute())), timeout_s=600))
    if done.returncode == _NOT_FOUND:
        raise MissingToolError(["dpkg-deb, which reads packages"], install=["dpkg"])
    if not done.ok:
        raise NotAPackageError(
            f"{artifact} is not a Debian package.",
            details=done.errors.strip()[-500:],
            resolution="Name a package that venvpkg built.",
        )
    return _record(done.stdout, artifact)


def _record(payload: bytes, artifact: Path) -> bytes:
    suffix = f"/{EVIDENCE}"
    try:
        with tarfile.open(fileobj=io.BytesIO(payload), mode="r:") as archive:
            for member in archive:
                if member.isreg() and member.name.endswith(suffix) and member.size <= _LARGEST:
                    file = archive.extractfile(member)
                    return file.read() if file else b""
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise NotAPackageError(f"{artifact}: its payload cannot be read.", details=f"  {error}") from error
    raise NotAPackageError(
        f"{artifact} has no record of its dependencies.", resolution="Only packages that venvpkg built have one."
    )
