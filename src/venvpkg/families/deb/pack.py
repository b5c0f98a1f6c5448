"""Pack a directory with control files as a .deb with dpkg-deb, and read the package back."""

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


# The directory of the control files in the packed directory.
CONTROL = "DEBIAN"
# Every dpkg and lintian can read it, and its bytes do not depend on the number of threads.
XZ = ("-Zxz", "-z2")
_ZSTD = "-Zzstd"
_TIMEOUT_S = 3600.0


class PackInputs(NamedTuple):
    """The inputs of a .deb.

    Attributes:
        destdir: directory to pack, with ``DEBIAN`` in it.
        fields: fields of the control file.
        options: dpkg-deb's options for compression; see ``compression``.
        source_date_epoch: SOURCE_DATE_EPOCH, in seconds since 1970 UTC.
    """

    destdir: Path
    fields: Mapping[str, str]
    options: tuple[str, ...]
    source_date_epoch: int


def pack(inputs: PackInputs, packed: Path, runner: Runner, earlier: ArtifactCache) -> None:
    """Pack everything in the destdir as the .deb ``packed``, with the time of the sources.

    Args:
        inputs: the directory to pack, and how.
        packed: file to write.
        runner: runs dpkg-deb.
        earlier: cache of packages that were packed before.

    Raises:
        AssembleError: dpkg-deb failed, or the package has other fields than expected.
        MissingToolError: dpkg-deb is not installed.
        MachineError: there is no space, or no permission to write.
    """
    destdir, fields, options, source_date_epoch = inputs

    def pack_and_read_back() -> str:
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
            raise _dpkg_deb_failed("dpkg-deb could not pack", done)
        shown = Bind.in_place(packed, writable=False)
        done = runner.run(Command(("dpkg-deb", "--field", str(packed)), binds=(shown,), timeout_s=_TIMEOUT_S))
        if not done.ok:
            raise _dpkg_deb_failed("dpkg-deb could not read the package that it packed", done)
        require_same(fields, done.text, packed.name)
        return ""

    key: dict[str, Json] = {"fields": fields, "options": options, "source_date_epoch": source_date_epoch}
    earlier.get_or_build(packed, destdir, key, pack_and_read_back)


def compression(release: Release) -> tuple[str, ...]:
    """Return dpkg-deb's options: zstd if the release's own dpkg can read it, otherwise xz.

    The bytes of zstd depend on the number of threads, so there is one; those of xz do not. Level 10 packs 50 MB in a
    second; xz at its default level takes more than ten seconds to save another sixth.

    Source:
        deb(5): zstd since dpkg 1.21.18, which is in Debian 12. Ubuntu's dpkg can read it since 21.10 at the latest.
    """
    first = {"debian": (12,), "raspbian": (12,), "ubuntu": (21, 10)}.get(release.id)
    parts = (release.upcoming or release.version).split(".")
    if first is not None and all(part.isdecimal() for part in parts) and tuple(map(int, parts)) >= first:
        return (_ZSTD, "-z10", "--threads-max=1")
    return XZ


def uses_zstd(release: Release) -> bool:
    """Whether packages for a release are compressed with zstd."""
    return _ZSTD in compression(release)


def _dpkg_deb_failed(what: str, done: Completed) -> VenvpkgError:
    if done.not_found:
        return MissingToolError(["dpkg-deb, which writes packages"], install=["dpkg"], installer=INSTALL)
    error = environment_error_in(done.errors)
    if error is not None:
        return error
    last = done.errors.splitlines()[-20:]
    return AssembleError(f"{what}: {done.outcome()}.", details="\n".join(f"  {each}" for each in last))
