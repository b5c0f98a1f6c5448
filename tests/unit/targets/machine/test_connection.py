"""A machine that cannot be logged in to, or cannot be used, is an error that says which."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from venvpkg.errors import TargetError
from venvpkg.host.command import Command, Completed, Stream
from venvpkg.host.runner import StoppedError
from venvpkg.targets.machine.connection import Connection
from venvpkg.targets.selection import Kind, Selection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MACHINE = Selection(Kind.VAGRANT, "trixie")


@dataclass
class Ssh:
    """A Streamer whose connection prints a text and ends with a result."""

    says: bytes = b"venvpkg-machine 42 /var/tmp/venvpkg-AbCdEfGh\n"
    ends: Completed = field(default_factory=lambda: Completed(0))
    answers: Completed = field(default_factory=lambda: Completed(0))
    ran: list[Command] = field(default_factory=list)
    is_open: bool = False
    is_stopped: bool = False

    def run(self, command: Command) -> Completed:
        self.ran.append(command)
        return self.answers

    @contextlib.contextmanager
    def stream(self, command: Command) -> Iterator[Stream]:
        self.ran.append(command)
        self.is_open = True
        try:
            yield Stream(io.BytesIO(self.says), lambda: self.ends)
        finally:
            self.is_open = False
            if self.is_stopped:
                raise StoppedError


def test_everything_runs_in_the_namespaces_of_the_keeper(tmp_path: Path) -> None:
    connection = Connection(
        MACHINE, "Host venvpkg\n", Ssh(b"Welcome!\nvenvpkg-machine 42 /var/tmp/venvpkg-AbCdEfGh\n"), tmp_path
    )

    assert str(connection.root) == "/var/tmp/venvpkg-AbCdEfGh/root"
    assert "nsenter --target=42 --mount --pid --root --wd -- tar" in connection.inside("tar")[-1]


def test_the_name_of_the_socket_is_short_wherever_the_cache_is(tmp_path: Path) -> None:
    host = Ssh()

    connection = Connection(MACHINE, "", host, tmp_path / ("long" * 30))

    (socket,) = (word for word in connection.by_user("true") if word.startswith("ControlPath="))
    # unix(7) allows 108 bytes, of which ssh takes 17 for a name that it has first.
    assert len(socket.removeprefix("ControlPath=")) < 108 - 17


def test_the_connection_is_closed_when_it_is_no_longer_referenced(tmp_path: Path) -> None:
    host = Ssh()
    connection = Connection(MACHINE, "Host venvpkg\n", host, tmp_path)
    assert host.is_open
    assert [path.read_text() for path in (tmp_path / "work").rglob("config")] == ["Host venvpkg\n"]

    del connection

    assert not host.is_open
    assert list((tmp_path / "work").iterdir()) == []


def test_the_connection_of_a_stopped_run_is_closed_silently(tmp_path: Path) -> None:
    host = Ssh()
    connection = Connection(MACHINE, "", host, tmp_path)
    host.is_stopped = True

    del connection  # pytest makes an error of an exception that nobody could catch

    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize(
    ("says", "ends", "message"),
    [
        (b"", Completed(255, stderr=b"Connection refused\n"), r"not log in(.|\n)*refused(.|\n)*vagrant ssh trixie"),
        (b"hello\n", Completed(1, stderr=b"a password is required\n"), r"exit 1(.|\n)*password(.|\n)*needs .*sudo"),
        (b"venvpkg-machine 42\n", Completed(1, stderr=b"unshare failed\n"), r"unshare failed(.|\n)*SYS_ADMIN"),
    ],
)
def test_a_machine_that_cannot_be_used_is_reported_with_what_to_do(
    says: bytes, ends: Completed, message: str, tmp_path: Path
) -> None:
    host = Ssh(says, ends)

    with pytest.raises(TargetError, match=message):
        Connection(MACHINE, "", host, tmp_path)

    assert not host.is_open
    assert list((tmp_path / "work").iterdir()) == []


def test_a_lost_connection_is_reported(tmp_path: Path) -> None:
    connection = Connection(MACHINE, "", Ssh(answers=Completed(255)), tmp_path)

    with pytest.raises(TargetError, match="connection to vagrant:trixie was lost"):
        connection.require()
