"""An rpm and an rpm2archive that know what is in packages, by file name."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from venvpkg.host.command import Command, Completed, Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HEADER = "NAME='app'\nEPOCH=(none)\nVERSION='1.0'\nRELEASE='1'\nDESCRIPTION='an application\n it'\\''s more'\n"


@dataclass
class RpmFiles:
    """A Streamer; ``packages`` maps a file name to what rpm says of it, and to its payload as a tar archive."""

    packages: Mapping[str, tuple[str, bytes]]
    listed: str = ""
    outcome: Completed = field(default_factory=lambda: Completed(0))

    def run(self, command: Command) -> Completed:
        *start, query, option, path = command.argv
        assert (start[:2], option) == (["rpm", "--query"], "--package")
        said = self.packages[path.rpartition("/")[2]][0]
        return (
            Completed(0, (self.listed if "FILEMODES" in query else said).encode()) if self.outcome.ok else self.outcome
        )

    @contextlib.contextmanager
    def stream(self, command: Command) -> Iterator[Stream]:
        assert command.argv[0] == "rpm2archive"
        assert command.stdin_file is not None
        yield Stream(io.BytesIO(self.packages[command.stdin_file.name][1]), lambda: self.outcome)
