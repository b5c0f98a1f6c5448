"""Compare Debian versions, and spell Python versions as Debian versions. Pure.

debian-inspector is not used: it rejects versions that end with a tilde, such as the floors in symbols files (``libpq5``
has ``10~~``), and removes ``-0`` from versions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvpkg.families.common.versions import native_version

if TYPE_CHECKING:
    from venvpkg.model.package import PackageSpec
    from venvpkg.model.target import Target


_PARTS = re.compile(r"([^0-9]*)([0-9]*)")
_END = 0  # the end of a part sorts after a tilde and before everything else
_AFTER_LETTERS = 256

# For non-digits, the weight of each and of the end. For a number, its length and its digits, without conversion.
Part = tuple[int, ...] | tuple[int, str]
VersionKey = tuple[tuple[int, str], tuple[Part, ...], tuple[Part, ...]]


def version_key(version: str) -> VersionKey:
    """Return a key that sorts versions like dpkg.

    Source:
        deb-version(7), Sorting algorithm.
    """
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, hyphen, revision = rest.rpartition("-")
    if not hyphen:
        upstream, revision = rest, ""
    return _number(epoch), _part_key(upstream), _part_key(revision)


def is_higher(version: str, than: str) -> bool:
    """Whether ``version`` is later than ``than`` for dpkg."""
    return version_key(version) > version_key(than)


def without_revision(version: str) -> str:
    """Return the epoch and the upstream version."""
    return version.rpartition("-")[0] or version


def to_debian(version: str, *, epoch: int = 0) -> str:
    """Return the Debian spelling of a PEP 440 version, without a revision; the order of versions stays the same.

    ``1.2rc1`` → ``1.2~rc1``, ``1.2.dev1`` → ``1.2~~dev1`` (one tilde would sort it after the alphas), ``1.2.post1`` →
    ``1.2.0.0+post1`` (``.post1`` would sort after ``1.2.1``), ``1.2+local`` → ``1.2.0.0+~local``. For zeros see
    ``native_version``.

    Args:
        version: PEP 440 version.
        epoch: the package's epoch; 0 uses the version's own, ``1!2.0`` → ``1:2.0``.

    Raises:
        AssembleError: the version is not valid in PEP 440.
    """
    return native_version(version, epoch=epoch, local_mark="+~")


def to_release_spelling(version: str) -> str:
    """Return the Debian spelling with the version's zeros unchanged, as in a distribution's own packages."""
    return native_version(version, epoch=0, local_mark="+~", as_given=True)


def _part_key(part: str) -> tuple[Part, ...]:
    """Return the alternating non-digits and numbers of an upstream version or a revision, then the end."""
    key: list[Part] = []
    for others, digits in _PARTS.findall(part or "0"):
        if others or digits:
            key += ((*map(_weight, others), _END), _number(digits))
    return (*key, (_END,))


def _weight(char: str) -> int:
    if char == "~":
        return -1
    return ord(char) if char.isascii() and char.isalpha() else ord(char) + _AFTER_LETTERS


def _number(digits: str) -> tuple[int, str]:
    significant = digits.lstrip("0")
    return len(significant), significant


def package_version(spec: PackageSpec, target: Target, *, epoch: bool = True) -> str:
    """Return the package's version, ``[epoch:]1.0.0-1~debian12[+2]``; file names have no epoch.

    A rebuild for one release sorts after the first build and before any build for the next release.

    Source:
        Debian Policy 5.6.12.
    """
    again = f"+{spec.target_revision}" if spec.target_revision else ""
    version = f"{to_debian(spec.upstream_version, epoch=spec.epoch)}-{spec.revision}~{target.release.suffix}{again}"
    return version if epoch else version.rpartition(":")[2]
