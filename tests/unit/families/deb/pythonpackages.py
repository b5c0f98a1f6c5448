"""A release that has PyYAML in a package of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unit.families.deb.dpkg import Dpkg, database
from unit.places import Dirs
from venvpkg.host.command import Command, Completed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SITE = "/usr/lib/python3/dist-packages"
METADATA = "Metadata-Version: 2.1\nName: PyYAML\nVersion: 6.0\n"
LISTED = f"""/.
package diverts others to: {SITE}/other.py
{SITE}
{SITE}/PyYAML-6.0.dist-info
{SITE}/PyYAML-6.0.dist-info/METADATA
{SITE}/_yaml
{SITE}/_yaml/__init__.py
{SITE}/yaml
{SITE}/yaml/__init__.py
/usr/share/doc/python3-yaml/examples/yaml-highlight/yaml_hl.py
"""


@dataclass
class Machine(Dpkg):
    """A dpkg-query that lists one package too, and an apt-cache."""

    known: Mapping[str, str] = field(default_factory=dict)

    def run(self, command: Command) -> Completed:
        argv = command.argv
        if argv[0] == "apt-cache":
            version = self.known.get(argv[-1])
            return Completed(0, f"{argv[-1]} | {version} | mirror\n".encode() if version else b"")
        if argv[1] == "--listfiles":
            return Completed(0, LISTED.encode())
        if argv[1] == "--show" and "${Architecture}" in argv[3]:
            return Completed(0, f"{argv[-1]} 6.0-3+b2 amd64 installed\n".encode())
        return super().run(command)


def with_pyyaml(directory: Path) -> Dirs:
    """Make a target with PyYAML, which is for the release's own Python."""
    made = Dirs.below(directory)
    database(made)
    (made.root / "usr/bin/python3").symlink_to("python3.11")
    made.text(f"{SITE}/PyYAML-6.0.dist-info/METADATA", METADATA)
    return made
