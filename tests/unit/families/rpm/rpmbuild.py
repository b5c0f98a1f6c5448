"""A package, and rpm's answers to what packing it asks: those that the real rpm gave to the very same package.

``differential/test_rpm_assemble.py`` records them below ``golden/rpm/answers``, and sees that they are still given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unit.golden import recorded
from unit.samples import PREFIX, a_spec, a_staged, needing
from venvpkg.host.command import Command, Completed
from venvpkg.staging.leaks import read_payload

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.host.command import Runner
    from venvpkg.model.package import PackageSpec


def payload_in(directory: Path) -> Path:
    """Make the payload of the package that the answers are of."""
    destdir = directory / "job/destdir"
    program = destdir / (PREFIX / "bin/app").relative_to("/")
    program.parent.mkdir(parents=True)
    program.write_bytes(b"#!/opt/venvs/app/bin/python\n")
    (destdir / "etc").mkdir()
    (destdir / "etc/app.conf").write_text("x\n")
    for path in (destdir, *destdir.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return destdir


def spec_in(destdir: Path, **changes: object) -> PackageSpec:
    """Return the package that the answers are of; debug information makes no difference to it."""
    staged = a_staged(destdir, payload=read_payload(destdir, ()))
    return a_spec(staged, epoch=2, dependencies=needing("bash"), **changes)


def debug_in(directory: Path) -> tuple[tuple[str, Path], ...]:
    """Make the debug information whose package the other answers are of."""
    (directory / "debug").write_bytes(b"debug")
    return (("ab12", directory / "debug"),)


def question(command: Command) -> str:
    """Return of which package a command asks what; empty where it asks nothing."""
    package = "app-debuginfo" if any(bind.source.name.startswith("debuginfo") for bind in command.binds) else "app"
    if "--query" not in command.argv:
        return ""
    is_payload = any("FILEMODES" in each for each in command.argv)
    return f"{package}/{command.argv[0]}-{'payload' if is_payload else 'header'}.txt"


@dataclass
class Rpmbuild:
    """A runner of rpm's programs: what they answered once, but for what a test changes.

    ``failing`` maps a program to how it ends; ``extra`` are lines that rpm adds to each answer about a header, and
    ``lost`` is a path that is not packed.
    """

    failing: dict[str, Completed] = field(default_factory=dict)
    extra: str = ""
    lost: str = ""
    ran: list[Command] = field(default_factory=list)
    specs: list[str] = field(default_factory=list)

    def run(self, command: Command) -> Completed:
        self.ran.append(command)
        program, *arguments = command.argv
        if program in self.failing:
            return self.failing[program]
        if program == "rpmbuild":
            work = next(bind.source for bind in command.binds if bind.writable)
            (work / "package.rpm").write_bytes(b"an rpm")
            self.specs.append((work / "package.spec").read_text())
            return Completed(0, b"", b"warning: absolute symlink\n")
        if "--showrc" in arguments:
            return Completed(0, b"    rpmlib(PayloadIsZstd) = 5.4.18-1\n")
        answer = recorded(f"rpm/answers/{question(command)}")
        if question(command).endswith("payload.txt"):
            lines = answer.splitlines(keepends=True)
            answer = "".join(line for line in lines if not line.endswith(f"\t{self.lost}\n"))
        else:
            answer += self.extra
        return Completed(0, answer.encode())


@dataclass
class Recorder:
    """A runner that keeps what the real rpm answers."""

    runner: Runner
    answers: dict[str, str] = field(default_factory=dict)

    def run(self, command: Command) -> Completed:
        done = self.runner.run(command)
        if name := question(command):
            self.answers[name] = done.text
        return done
