"""Roots and targets for tests."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.host.command import Command, Completed
from venvpkg.model.target import Interpreter, Release, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.host.command import Stream

TRIXIE = 'ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n'


def root_with(os_release: str, directory: Path) -> Path:
    (directory / "etc").mkdir()
    (directory / "etc/os-release").write_text(os_release)
    return directory


def target_of(release: Release, root: Path = Path("/"), family: str = "rpm") -> Target:
    interpreter = Interpreter(
        path=PurePosixPath("/usr/bin/python3.11"),
        version=(3, 11, 2),
        ext_suffix=".cpython-311-x86_64-linux-gnu.so",
        include=PurePosixPath("/usr/include/python3.11"),
        marker_environment={"python_version": "3.11"},
        glibc=(2, 36),
    )
    return Target(
        family, release, "x86_64", "x86_64", "", root, interpreter, marks=(("dist", ".el9"), ("isa", "(x86-64)"))
    )


def python_says(version: tuple[int, int, int] = (3, 11, 2), libc: str = "glibc 2.36") -> Completed:
    """Return the output of the probe of an interpreter."""
    minor = f"{version[0]}.{version[1]}"
    facts = {
        "path": f"/usr/bin/python{minor}",
        "version": version,
        "ext_suffix": ".cpython-311-x86_64-linux-gnu.so",
        "include": f"/usr/include/python{minor}",
        "multiarch": "x86_64-linux-gnu",
        "libc": libc,
        "identity": minor,
        "environment": {"implementation_name": "cpython", "platform_machine": "x86_64", "python_version": minor},
    }
    return Completed(0, json.dumps(facts).encode())


@dataclass
class Machine:
    """A Streamer with the answers of a Debian machine, by the last words of the command."""

    works: bool = True
    ran: list[Command] = field(default_factory=list)

    def run(self, command: Command) -> Completed:
        self.ran.append(command)
        if not self.works:
            return Completed(1, b"", b"unshare: unshare failed: Operation not permitted\n")
        if "--print-architecture" in command.argv:
            return Completed(0, b"amd64\n")
        return python_says((3, 13, 5)) if "/usr/bin/python3" in command.argv else Completed(0)

    @contextlib.contextmanager
    def stream(self, command: Command) -> Iterator[Stream]:
        raise AssertionError(f"nothing is streamed: {command}")
        yield
