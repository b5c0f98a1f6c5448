"""A small .deb, made by the real dpkg-deb."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unit.fakes import NOTHING_PACKED, RecordingReporter
from unit.samples import PREFIX, a_spec, a_staged, on_target
from venvpkg.families.deb.assemble import assemble
from venvpkg.host.command import Command
from venvpkg.host.tree import normalise_modes
from venvpkg.staging.leaks import read_payload

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.host.runner import SubprocessRunner
    from venvpkg.model.package import Artifact
    from venvpkg.model.target import Target


def assemble_in(base: Path, target: Target, runner: SubprocessRunner, **changes: object) -> Artifact:
    home = base / "work/destdir" / PREFIX.relative_to("/")
    (home / "bin").mkdir(parents=True)
    (home / "bin/app").write_text("#!/opt/venvs/app/bin/python\n")
    (home / "bin/app").chmod(0o755)
    (home / "bin/python").symlink_to("/usr/bin/python3")
    (home / "größe ü.txt").write_bytes(b"\x7fELF" + bytes(range(256)) * 4000)
    destdir = base / "work/destdir"
    normalise_modes(destdir)
    spec = a_spec(a_staged(destdir, payload=read_payload(destdir, ())), **changes)
    return assemble(spec, base / "dist", NOTHING_PACKED, on_target(target, runner, RecordingReporter()))


def output(runner: SubprocessRunner, *argv: str) -> str:
    done = runner.run(Command(argv))
    assert done.ok, done.errors
    return done.text
