"""Archives of packages in memory, and a dpkg-deb that streams them."""

from __future__ import annotations

import contextlib
import io
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from venvpkg.host.command import Command, Completed, Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONTROL = b"Package: app\nVersion: 1.0-1\nArchitecture: amd64\nDescription: an application\n more\n"


def archive(files: Mapping[str, bytes], links: Mapping[str, str] | None = None, mode: int = 0o644) -> bytes:
    """Return a tar archive; a name that ends with a slash is a directory."""
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.GNU_FORMAT) as made:
        for name, content in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.mode = mode
            if name.endswith("/"):
                member.type = tarfile.DIRTYPE
                made.addfile(member)
            else:
                member.size = len(content)
                made.addfile(member, io.BytesIO(content))
        for name, points_to in (links or {}).items():
            member = tarfile.TarInfo(f"./{name}")
            member.type, member.linkname = tarfile.SYMTYPE, points_to
            made.addfile(member)
    return output.getvalue()


@dataclass
class DpkgDeb:
    """A Streamer that knows the two archives of each package, by file name."""

    packages: Mapping[str, tuple[bytes, bytes]]
    outcome: Completed = field(default_factory=lambda: Completed(0))

    def run(self, command: Command) -> Completed:
        raise AssertionError(f"no answer for: {command}")

    @contextlib.contextmanager
    def stream(self, command: Command) -> Iterator[Stream]:
        program, option, path = command.argv
        assert program == "dpkg-deb"
        control, data = self.packages[path.rpartition("/")[2]]
        content = {"--ctrl-tarfile": control, "--fsys-tarfile": data}[option]
        yield Stream(io.BytesIO(content), lambda: self.outcome)
