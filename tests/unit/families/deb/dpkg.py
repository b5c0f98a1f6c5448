"""A dpkg-query that answers from a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from venvpkg.host.command import Command, Completed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from unit.places import Dirs


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
