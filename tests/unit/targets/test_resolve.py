"""A target is resolved by its name, and its programs run in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit.linking.builder import Elf
from unit.targets.makers import TRIXIE, Machine, root_with
from venvpkg.errors import ConfigurationError, MissingToolError
from venvpkg.host.command import Command
from venvpkg.targets.resolve import resolve_target
from venvpkg.targets.selection import HOST, Kind, Selection

if TYPE_CHECKING:
    from pathlib import Path


def test_programs_of_a_root_run_in_an_overlay_of_it(tmp_path: Path) -> None:
    machine = Machine()
    root = root_with(TRIXIE, tmp_path)

    resolved = resolve_target(Selection(Kind.ROOT, str(root)), machine, {}, tmp_path / "cache")
    resolved.runner.run(Command(("gcc", "-v")))

    assert (resolved.target.name, resolved.target.root) == ("debian-13-amd64", root)
    assert not resolved.target.is_host
    assert machine.ran[-1].argv[0] == "/usr/bin/unshare"
    assert machine.ran[-1].argv[-2:] == ("gcc", "-v")
    assert all(str(root) in command.argv for command in machine.ran)


def test_a_root_is_found_relative_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root_with(TRIXIE, tmp_path)
    monkeypatch.chdir(tmp_path.parent)

    resolved = resolve_target(Selection(Kind.ROOT, f"./{tmp_path.name}"), Machine(), {}, tmp_path / "cache")

    assert resolved.target.root == tmp_path


def test_the_root_of_this_machine_is_this_machine(tmp_path: Path) -> None:
    machine = Machine()

    resolved = resolve_target(Selection(Kind.ROOT, "/"), machine, {}, tmp_path / "cache")

    assert resolved.runner is machine
    assert resolved == resolve_target(HOST, machine, {}, tmp_path / "cache")


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"--target root:.*\n.*is not a directory"):
        resolve_target(Selection(Kind.ROOT, str(tmp_path / "none")), Machine(), {}, tmp_path / "cache")


def test_a_machine_that_cannot_run_programs_in_a_root_is_reported_with_what_to_do(tmp_path: Path) -> None:
    root = root_with(TRIXIE, tmp_path)
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/env").touch()

    with pytest.raises(MissingToolError, match=r"Operation not permitted(.|\n)*Run as root"):
        resolve_target(Selection(Kind.ROOT, str(root)), Machine(works=False), {}, tmp_path / "cache")


def test_a_directory_without_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match=r"has no /usr/bin/env\. Give the directory of a root"):
        resolve_target(Selection(Kind.ROOT, str(tmp_path)), Machine(works=False), {}, tmp_path / "cache")


def test_a_root_for_another_processor_is_reported_with_its_emulator(tmp_path: Path) -> None:
    root = root_with(TRIXIE, tmp_path)
    (root / "usr/bin").mkdir(parents=True)
    Elf(machine=8).write(root / "usr/bin/env")

    with pytest.raises(MissingToolError, match="The root is for mips64"):
        resolve_target(Selection(Kind.ROOT, str(root)), Machine(works=False), {}, tmp_path / "cache")


def test_a_root_only_gets_our_variables_for_reaching_the_network(tmp_path: Path) -> None:
    machine = Machine()
    ours = {"PATH": "/home/me/bin", "HOME": "/home/me", "https_proxy": "http://proxy:3128", "SSL_CERT_FILE": "/x.pem"}

    resolved = resolve_target(Selection(Kind.ROOT, str(root_with(TRIXIE, tmp_path))), machine, ours, tmp_path / "cache")
    resolved.runner.run(Command(("dnf", "repoquery"), env={"LANG": "C"}))

    assert machine.ran[-1].clean
    assert machine.ran[-1].env == {
        "HOME": "/root",
        "LANG": "C",
        "LC_ALL": "C.UTF-8",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "https_proxy": "http://proxy:3128",
    }
