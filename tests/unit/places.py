"""A target and a payload in temporary directories."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from unit.fakes import RecordingReporter
from unit.linking.builder import ET_EXEC, Elf
from venvpkg.linking.tree import scan
from venvpkg.model.staged import ApplicationMetadata, InstalledDistribution, StagedVenv
from venvpkg.model.target import Interpreter, Release, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvpkg.model.elf import ElfReport

MULTIARCH = "x86_64-linux-gnu"
SYSTEM = f"/usr/lib/{MULTIARCH}"
PYTHON = Elf(needed=("libc.so.6",), interpreter="/lib64/ld-linux-x86-64.so.2", kind=ET_EXEC)


@dataclass(frozen=True)
class Dirs:
    """``root`` is the target's filesystem, ``destdir`` the payload."""

    root: Path
    destdir: Path

    @classmethod
    def below(cls, directory: Path) -> Dirs:
        """Make a target with merged /usr, an interpreter and a C library, and an empty payload."""
        places = cls(directory / "root", directory / "destdir")
        places.destdir.mkdir()
        (places.root / "usr/lib").mkdir(parents=True)
        (places.root / "lib").symlink_to("usr/lib")
        places.system("/usr/bin/python3.11", PYTHON)
        places.library("libc.so.6")
        return places

    def system(self, path: str, elf: Elf) -> None:
        """Put an ELF file on the target."""
        elf.write(self.root / path[1:])

    def library(self, *sonames: str) -> None:
        """Put libraries into the target's multiarch directory."""
        for soname in sonames:
            self.system(f"{SYSTEM}/{soname}", Elf(soname=soname))

    def payload(self, path: str, elf: Elf) -> None:
        """Put an ELF file into the payload."""
        elf.write(self.destdir / path[1:])

    def text(self, path: str, content: str) -> None:
        """Put a text file on the target."""
        file = self.root / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def target(self) -> Target:
        """Return it as the stages get it."""
        interpreter = Interpreter(
            PurePosixPath("/usr/bin/python3.11"), (3, 11, 2), "", PurePosixPath("/usr/include/python3.11"), {}, (2, 36)
        )
        return Target("deb", Release("debian", "12", "bookworm"), "amd64", "x86_64", MULTIARCH, self.root, interpreter)

    def staged(self, distributions: Sequence[InstalledDistribution] = ()) -> StagedVenv:
        """Return the payload as the stages get it."""
        application = ApplicationMetadata("app", "1.0", "", "", "", "", "", ())
        return StagedVenv(self.destdir, PurePosixPath("/opt/venvs/app"), application, tuple(distributions), "3.11.0")

    def scan(self) -> ElfReport:
        """Return what the payload has."""
        return scan(self.destdir, self.target(), RecordingReporter())
