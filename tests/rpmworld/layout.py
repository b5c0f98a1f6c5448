"""Where a Debian path goes: merged /usr, libraries in /usr/lib64, Python's modules in site-packages. Pure.

``/usr/lib/<triplet>`` becomes a link to ``../lib64``, so that every path compiled into Debian's programs keeps working.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

_MERGED = frozenset({"bin", "sbin", "lib", "lib64"})

# Directories of every system; a package that has files in one does not own it.
_SHARED = """
    boot dev etc etc/opt etc/pki etc/pki/tls etc/skel etc/sysconfig etc/profile.d home media mnt opt run run/lock
    srv usr usr/bin usr/sbin usr/lib usr/lib64 usr/libexec usr/include usr/share usr/src usr/share/licenses
    usr/share/misc usr/lib/sysimage usr/lib/systemd usr/lib/systemd/system usr/lib/tmpfiles.d usr/lib/sysusers.d
    usr/lib/udev usr/lib/udev/rules.d usr/lib64/pkgconfig usr/share/pkgconfig usr/local usr/local/bin usr/local/etc
    usr/local/include usr/local/lib usr/local/lib64 usr/local/libexec usr/local/sbin usr/local/share usr/local/src
    var var/adm var/cache var/db var/empty var/lib var/lib/misc var/local var/log var/opt var/spool var/spool/mail
""".split()  # noqa: SIM905  # sixty words
SHARED_DIRECTORIES = dict.fromkeys(_SHARED, 0o755) | {
    "tmp": 0o1777,
    "var/tmp": 0o1777,
    "root": 0o550,
    "proc": 0o555,
    "sys": 0o555,
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How paths change.

    Attributes:
        triplet: the multiarch directory's name.
        python: the interpreter's X.Y.
    """

    triplet: str
    python: str

    @property
    def shared_links(self) -> dict[str, str]:
        """The links of every system: path to target."""
        return {
            **{top: f"usr/{top}" for top in sorted(_MERGED)},
            f"usr/lib/{self.triplet}": "../lib64",
            "var/run": "../run",
            "var/lock": "../run/lock",
            "usr/tmp": "../var/tmp",
        }

    def moved(self, path: str) -> str:
        """Return the new place of a path, without leading slash."""
        new = path.removeprefix("./").strip("/")
        if new.partition("/")[0] in _MERGED:
            new = f"usr/{new}"
        for old, replacement in (
            (f"usr/lib/{self.triplet}", "usr/lib64"),
            ("usr/lib/python3/dist-packages", f"usr/lib/python{self.python}/site-packages"),
        ):
            if new == old or new.startswith(f"{old}/"):
                return replacement + new.removeprefix(old)
        return new

    def moved_link(self, path: str, target: str) -> str:
        """Return the target, from its new place, of a link that was at ``path``."""
        whole = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), target))
        new = f"/{self.moved(whole)}"
        if target.startswith("/"):
            return new
        return posixpath.relpath(new, f"/{posixpath.dirname(self.moved(path))}")
