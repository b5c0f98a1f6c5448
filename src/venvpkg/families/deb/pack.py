"""Pack a directory with control files into a .deb by dpkg-deb, and read back what was packed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from venvpkg.errors import AssembleError, MissingToolError
from venvpkg.families.deb.deb822 import require_same
from venvpkg.families.deb.host import INSTALL
from venvpkg.host.command import Bind, Command
from venvpkg.host.oserrors import environment_error_in
from venvpkg.host.tree import set_times

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvpkg.errors import VenvpkgError
    from venvpkg.families.common.artifact_cache import ArtifactCache
    from venvpkg.host.command import Completed, Runner
    from venvpkg.model.target import Release
    from venvpkg.store.filecache import Json


# The directory of the control files, in the one that is packed.
CONTROL = "DEBIAN"
# What every dpkg and every lintian reads; bytes that do not depend on the number of threads.
XZ = ("-Zxz", "-z2")
_ZSTD = "-Zzstd"
_TIMEOUT_S = 3600.0


class PackInputs(NamedTuple):
    """Everything that a .deb is packed from.

    Attributes:
        destdir: with ``DEBIAN`` in it.
        fields: that the control file has.
        options: how dpkg-deb compresses; see ``compression``.
        source_date_epoch: seconds since 1970 UTC.
    """

    destdir: Path
    fields: Mapping[str, str]
    options: tuple[str, ...]
    source_date_epoch: int


def pack(inputs: PackInputs, packed: Path, runner: Runner, earlier: ArtifactCache) -> None:
    """Write the .deb ``packed`` of everything in the destdir, which gets the time of the sources.

    Args:
        inputs: what is packed, and how.
        packed: file to write.
        runner: runs dpkg-deb.
        earlier: packages that were packed before.

    Raises:
        AssembleError: dpkg-deb failed, or reads other fields than were composed.
        MissingToolError: there is no dpkg-deb.
        MachineError: no space, or no permission.
    """
    destdir, fields, options, source_date_epoch = inputs

    def packed_and_read_back() -> str:
        set_times(destdir, source_date_epoch)
        done = runner.run(
            Command(
                ("dpkg-deb", "--root-owner-group", *options, "--build", str(destdir), str(packed)),
                env={"SOURCE_DATE_EPOCH": str(source_date_epoch), "TZ": "UTC"},
                binds=tuple(map(Bind.in_place, dict.fromkeys((destdir.parent, packed.parent)))),
                timeout_s=_TIMEOUT_S,
            )
        )
        if not done.ok:
            raise _failed("dpkg-deb cannot pack", done)
        shown = Bind.in_place(packed, writable=False)
        done = runner.run(Command(("dpkg-deb", "--field", str(packed)), binds=(shown,), timeout_s=_TIMEOUT_S))
        if not done.ok:
            raise _failed("dpkg-deb cannot read what it packed", done)
        require_same(fields, done.text, packed.name)
        return ""

    key: dict[str, Json] = {"fields": fields, "options": options, "source_date_epoch": source_date_epoch}
    earlier.have(packed, destdir, key, packed_and_read_back)


def compression(release: Release) -> tuple[str, ...]:
    """Return dpkg-deb's options: zstd where the release's own dpkg reads it, else xz.

    zstd's bytes depend on the number of threads, so there is one; those of xz do not. Level 10 packs 50 MB in a
    second, and xz at its default level needs more than ten for a sixth less.

    Source:
        deb(5): zstd since dpkg 1.21.18, which Debian 12 has. Ubuntu's dpkg reads it since 21.10 at the latest.
    """
    first = {"debian": (12,), "raspbian": (12,), "ubuntu": (21, 10)}.get(release.id)
    parts = (release.upcoming or release.version).split(".")
    if first is not None and all(part.isdecimal() for part in parts) and tuple(map(int, parts)) >= first:
        return (_ZSTD, "-z10", "--threads-max=1")
    return XZ


def uses_zstd(release: Release) -> bool:
    """Whether packages for a release are compressed with zstd."""
    return _ZSTD in compression(release)


def _failed(what: str, done: Completed) -> VenvpkgError:
    if done.not_found:
        return MissingToolError(["dpkg-deb, which writes packages"], install=["dpkg"], installer=INSTALL)
    refusal = environment_error_in(done.errors)
    if refusal is not None:
        return refusal
    return AssembleError(f"{what}: {done.outcome()}.", details="\n".join(f"  {each}" for each in _last(done.errors)))


def _last(text: str) -> list[str]:
    return text.splitlines()[-20:]
