"""The filesystem of an image is exported by its id, and removed when it is no longer used."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from unit.fakes import ScriptedRunner, expect
from venvpkg.errors import ConfigurationError, MachineError, MissingToolError
from venvpkg.host.command import Completed
from venvpkg.targets.image import image_root
from venvpkg.targets.selection import Kind, Selection

if TYPE_CHECKING:
    from pathlib import Path

ID = "ab" * 32
IMAGE = Selection(Kind.PODMAN, "localhost/debian:trixie")
INSPECT = ("podman", "image", "inspect")


@pytest.mark.parametrize(("kind", "answer"), [(Kind.PODMAN, f"{ID}\n"), (Kind.DOCKER, f"sha256:{ID}\n")])
def test_podman_and_docker_are_called_with_the_same_arguments(kind: Kind, answer: str, tmp_path: Path) -> None:
    host = ScriptedRunner(
        {
            expect(str(kind), "image", "inspect", ...): Completed(0, answer.encode()),
            expect("setsid", ...): Completed(0),
        }
    )

    root = image_root(Selection(kind, "a"), host, {}, tmp_path / "images")

    assert root == tmp_path / "images" / ID
    assert host.ran[0].argv[-2:] == ("--", "a")
    assert host.ran[1].argv[-3:] == (str(kind), ID, str(root))


def test_the_program_finds_its_images_where_the_user_has_them(tmp_path: Path) -> None:
    places = {"CONTAINERS_CONF": "/c", "XDG_RUNTIME_DIR": "/run/user/1", "DOCKER_HOST": "ssh://b"}
    host = ScriptedRunner({
        expect(*INSPECT, ..., env=places): Completed(0, ID.encode()),
        expect("setsid", ..., env=places): Completed(0),
    })  # fmt: skip

    image_root(IMAGE, host, places | {"SECRET": "s"}, tmp_path)


def test_a_missing_image_is_reported_with_the_command_that_pulls_it(tmp_path: Path) -> None:
    host = ScriptedRunner({expect(*INSPECT, ...): Completed(125, stderr=b"Error: image not known\n")})

    with pytest.raises(ConfigurationError, match=r"image not known\n.*podman pull localhost/debian:trixie"):
        image_root(IMAGE, host, {}, tmp_path)


def test_an_id_that_would_be_a_path_is_refused(tmp_path: Path) -> None:
    host = ScriptedRunner({expect(*INSPECT, ...): Completed(0, b"../../etc\n")})

    with pytest.raises(ConfigurationError, match="podman does not print the id"):
        image_root(IMAGE, host, {}, tmp_path)


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    host = ScriptedRunner({expect(*INSPECT, ...): Completed(127)})

    with pytest.raises(MissingToolError, match="the program podman, for --target podman:localhost/debian:trixie"):
        image_root(IMAGE, host, {}, tmp_path)


def test_an_image_that_could_not_be_exported_is_reported_with_the_programs_output(tmp_path: Path) -> None:
    failed = Completed(1, stderr=b"tar: No space left on device\n")
    host = ScriptedRunner({expect(*INSPECT, ...): Completed(0, ID.encode()), expect("setsid", ...): failed})

    with pytest.raises(MachineError, match=r"exit 1.\ntar: No space left"):
        image_root(IMAGE, host, {}, tmp_path)


def test_filesystems_unused_for_a_long_time_are_removed(tmp_path: Path) -> None:
    day = 86400.0
    for name, age_s in {"old": 91 * day, "recent": 89 * day, ID: 91 * day}.items():
        (tmp_path / name / "etc").mkdir(parents=True)
        lock = tmp_path / f"{name}.lock"
        lock.touch()
        os.utime(lock, (time.time() - age_s,) * 2)
    host = ScriptedRunner({expect(*INSPECT, ...): Completed(0, ID.encode()), expect("setsid", ...): Completed(0)})

    image_root(IMAGE, host, {}, tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == [ID, f"{ID}.lock", "recent", "recent.lock"]
