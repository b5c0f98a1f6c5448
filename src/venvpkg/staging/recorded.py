"""Compare the staged files with the RECORD of each distribution, before anything is made of them."""

from __future__ import annotations

import csv
import io
import posixpath
from typing import TYPE_CHECKING

from venvpkg.errors import StagingError
from venvpkg.staging.cache import record_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from venvpkg.model.staged import Payload, PayloadPath
    from venvpkg.staging.installed_paths import InstalledWheel


_MOST_SHOWN = 20


def require_recorded(installed: Iterable[InstalledWheel], payload: Payload, destdir: Path) -> None:
    """Check that every file of the distributions has the size and hash that RECORD says.

    The installer checked what it read from the wheels, and wrote RECORD from that. This checks what the filesystem has
    of it, whether it was installed or copied from the cache: the checksums in a package are made from the staged files
    and would fit a file that was cut off.

    Args:
        installed: the distributions.
        payload: what was staged, read back.
        destdir: staging root on this machine; has the RECORD of each.

    Raises:
        StagingError: files are missing, or not the recorded ones; the error lists them.

    Source:
        PyPA specification of recorded projects, The RECORD file.
    """
    staged = {str(each.path): each for each in payload.paths}
    problems = [problem for each in installed for problem in _differences(each, staged, destdir)]
    if problems:
        hidden = [f"and {len(problems) - _MOST_SHOWN} more"] if len(problems) > _MOST_SHOWN else []
        raise StagingError(
            f"{len(problems)} staged file{'s differ' if len(problems) != 1 else ' differs'} from RECORD.",
            details="\n".join(f"  {each}" for each in (*problems[:_MOST_SHOWN], *hidden)),
            resolution="Check the disk with the cache (df, quota, dmesg), or use another (--cache), and build again.",
        )


def _differences(distribution: InstalledWheel, staged: Mapping[str, PayloadPath], destdir: Path) -> Iterator[str]:
    """Yield a line for each file that is not as RECORD says."""
    record = distribution.dist_info / "RECORD"
    site = str(distribution.dist_info.parent)
    unlisted = {str(path) for path in distribution.files}
    with (destdir / record.relative_to("/")).open("rb") as file:
        text = file.read().decode("utf-8", "replace")
    for row in csv.reader(io.StringIO(text, newline="")):
        name, digest, size = (*row, "", "", "")[:3]
        path = posixpath.normpath(posixpath.join(site, name))
        unlisted.discard(path)
        found = staged.get(path)
        if found is None:
            yield f"{path}: missing"
        elif size and str(found.size_bytes) != size:
            yield f"{path}: {found.size_bytes} bytes, where RECORD says {size}"
        elif digest and digest != f"sha256={_hash_of(found)}":
            yield f"{path}: another content than RECORD says"
    yield from (f"{path}: not in RECORD" for path in sorted(unlisted))


def _hash_of(file: PayloadPath) -> str:
    return record_hash(bytes.fromhex(file.sha256))
