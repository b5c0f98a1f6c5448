"""A dpkg-query that answers from a table, and a dpkg-deb."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from unit.fakes import ScriptedRunner, expect
from venvpkg.host.command import Bind, Command, Completed
from venvpkg.staging.leaks import read_payload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import PurePosixPath

    from unit.places import Dirs

# Files and versions of packages that tests of dependencies begin with.
PYTHON = {"/usr/bin/python3.11": "python3.11-minimal"}
VERSIONS = {"python3.11": "3.11.2-6+deb12u6", "libfoo1:amd64": "1:2.3-4+deb12u1"}


@dataclass
class Dpkg:
    """A Runner that only knows ``dpkg-query --search`` and ``--show``.

    ``files`` maps a path to its owners as dpkg prints them, ``diversions`` a path to who took it away (empty: the
    administrator) and where to, ``versions`` a package to its version.
    """

    files: Mapping[str, str]
    versions: Mapping[str, str] = field(default_factory=dict)
    diversions: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    searches: list[Sequence[str]] = field(default_factory=list)

    def run(self, command: Command) -> Completed:
        program, action, *rest = command.argv
        if program != "dpkg-query":
            raise AssertionError(f"no answer for: {command}")
        operands = rest[rest.index("--") + 1 :]
        if action == "--show":
            lines = [f"{name} {self.versions[name]} installed\n" for name in operands if name in self.versions]
            return Completed(int(len(lines) < len(operands)), "".join(lines).encode())
        self.searches.append(operands)
        lines = [line for path in operands for line in self._found(path)]
        return Completed(1, "".join(lines).encode(), b"dpkg-query: no path found matching pattern\n")

    def _found(self, path: str) -> list[str]:
        lines = []
        for origin, (by, to) in self.diversions.items():
            if path in {origin, to}:
                who = f"diversion by {by}" if by else "local diversion"
                lines += [f"{who} from: {origin}\n", f"{who} to: {to}\n"]
        return lines + ([f"{self.files[path]}: {path}\n"] if path in self.files else [])


def database(places: Dirs) -> None:
    """Make the target have a package database."""
    places.text("/var/lib/dpkg/status", "")


@dataclass
class DpkgDeb:
    """A dpkg-deb whose packages hold their control file.

    ``fails`` is how packing ends, if not well; ``adds`` what it reads back from a package and was not packed.
    """

    fails: Completed | None = None
    adds: bytes = b""
    seen: tuple[PurePosixPath, ...] = ()

    def runner(self) -> ScriptedRunner:
        """Return a Runner that packs and, if that goes well, reads back."""
        pack = expect(
            "dpkg-deb", "--root-owner-group", ...,
            env={"SOURCE_DATE_EPOCH": "1700000000", "TZ": "UTC"},
            binds=lambda command: tuple(
                map(Bind.in_place, dict.fromkeys(Path(each).parent for each in command.argv[-2:]))
            ),
        )  # fmt: skip
        read_back = expect(
            "dpkg-deb", "--field", ...,
            binds=lambda command: (Bind.in_place(Path(command.argv[-1]), writable=False),),
        )  # fmt: skip
        return ScriptedRunner({pack: self.fails} if self.fails else {pack: self._pack, read_back: self._read_back})

    def _pack(self, command: Command) -> Completed:
        destdir, packed = map(Path, command.argv[-2:])
        self.seen = tuple(each.path for each in read_payload(destdir, ()).paths)
        packed.write_bytes((destdir / "DEBIAN/control").read_bytes())
        return Completed(0)

    def _read_back(self, command: Command) -> Completed:
        return Completed(0, Path(command.argv[-1]).read_bytes() + self.adds)
