"""Roots of two releases with a declared list of packages, and a seeded sample of their ELF files.

A root is made once by mmdebstrap from this machine's own mirrors and kept. dpkg-dev is in it, so that each release's
own dpkg-shlibdeps speaks there; ours reads the same root from outside.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from acceptance.cleanroot import CleanRoot, CleanRootError
from differential.shlibdeps import CONTROL, is_elf

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# The same names in both releases, and why each is there. What they depend on is in the sample too.
PACKAGES = {
    "programs and libraries in C": (
        *("bind9-dnsutils", "curl", "git", "gnupg", "nginx-core", "openssh-client", "postgresql-client", "rsync"),
        *("ruby", "sqlite3", "udev", "uwsgi-core", "uwsgi-plugin-python3", "vim", "wget"),
    ),
    "C++": ("aptitude", "cmake", "gdal-bin", "inkscape", "mkvtoolnix", "poppler-utils", "qpdf"),
    "Rust": ("python3-cryptography",),
    "Fortran, and libraries by alternatives": ("libopenblas0-pthread", "python3-scipy", "r-base-core"),
    "several sonames in one package, or one soname in several": (
        *("libblas3", "libkrb5support0", "krb5-user", "libgl1-mesa-dri", "mesa-utils", "tcl"),
    ),
    "private libraries": ("apache2-bin", "binutils", "pulseaudio-utils", "samba-libs", "smbclient", "systemd"),
    "plug-ins": ("ffmpeg", "graphviz", "imagemagick", "mariadb-client"),
    "extension modules": ("python3-lxml", "python3-psycopg2", "python3-tk"),
    "the reference": ("dpkg-dev",),
}
_PLACES = ("usr/bin", "usr/sbin", "usr/lib", "usr/libexec")
_SEED = "2"
# Two minutes when nothing else runs.
_TIMEOUT_S = 3600

# $1 a file with one path a line. Prints path, exit code, and what dpkg-shlibdeps said, between tabs.
_SHLIBDEPS = """
one() {
    work=$(mktemp -d) && cd "$work" && mkdir -p debian/app/DEBIAN || exit
    cp /run/control debian/control && cp --parents "$1" debian/app/ || exit
    said=$(dpkg-shlibdeps -O "debian/app$1" 2> errors)
    code=$?
    [ "$code" -eq 0 ] || said=$(grep ' error: ' errors | head -n 1)
    printf '%s\\t%s\\t%s\\n' "$1" "$code" "$said"
    cd / && rm -r "$work"
}
export -f one
xargs -d '\\n' -a /run/files -P "$(nproc)" -n 1 bash -c 'one "$1"' one
"""


class Said(NamedTuple):
    """What dpkg-shlibdeps said of one file: its relations, or why it gave up."""

    relations: frozenset[str]
    refusal: str


def root_of(release: str) -> CleanRoot:
    """Return the root of a release, by its code name, with all of ``PACKAGES``; made now or found.

    Raises:
        CleanRootError: an obstacle, or mmdebstrap failed.
    """
    return CleanRoot.of_release(release, sorted(name for names in PACKAGES.values() for name in names))


def sample_of(root: Path, count: int) -> list[PurePosixPath]:
    """Return some ELF files of a root, by their place in it, sorted.

    Those whose path hashes lowest: an update of one package changes the sample by this package's files only.
    """
    files = [path for place in _PLACES for path in (root / place).rglob("*") if is_elf(path)]
    places = [PurePosixPath("/") / path.relative_to(root) for path in files]
    return sorted(sorted(places, key=lambda place: hashlib.sha256(f"{_SEED}{place}".encode()).digest())[:count])


def payload_in(work: Path, root: Path, place: PurePosixPath) -> Path:
    """Return a destdir with one file of a root at its own place."""
    copy = work / place.relative_to("/")
    copy.parent.mkdir(parents=True)
    shutil.copy(root / place.relative_to("/"), copy)
    return work


def shlibdeps_in(
    root: CleanRoot, places: Sequence[PurePosixPath], work: Path, architecture: str = ""
) -> dict[PurePosixPath, Said]:
    """Return what the root's own dpkg-shlibdeps says of each of its files, each alone.

    Args:
        root: where they are.
        places: in the root.
        work: an empty directory.
        architecture: what packages would be made for; the root's own when empty.
    """
    (work / "files").write_text("".join(f"{place}\n" for place in places))
    (work / "control").write_text(CONTROL)
    binds = {work / name: PurePosixPath("/run") / name for name in ("files", "control")}
    host = {"DEB_HOST_ARCH": architecture} if architecture else {}
    outcome = root.run(_SHLIBDEPS, binds=binds, environment=host, network=False, timeout_s=_TIMEOUT_S)
    said = {}
    for line in outcome.stdout.splitlines():
        place, code, text = line.split("\t")
        relations = frozenset(text.removeprefix("shlibs:Depends=").split(", ")) - {""} if code == "0" else frozenset()
        said[PurePosixPath(place)] = Said(relations, "" if code == "0" else text)
    if set(said) != set(places):
        raise CleanRootError(f"dpkg-shlibdeps said nothing of some; {outcome.transcript[-4000:]}")
    return said
