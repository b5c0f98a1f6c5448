"""A build on a real terminal: what runs is shown, and nothing of it stays."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import shutil
import subprocess
import termios
import threading
import time
from typing import TYPE_CHECKING

import pytest

from acceptance.workplace import Workplace
from unit.events import checked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from acceptance.packages import Venvpkg

HIDDEN, SHOWN = b"\x1b[?25l", b"\x1b[?25h"
ERASED_LINE = b"\x1b[2K"
TIMEOUT_S = 120


class Session:
    """A build with a terminal of its own as standard input and error; standard output is a pipe."""

    def __init__(self, place: Workplace, *options: str, columns: int = 80) -> None:
        self._main, terminal = pty.openpty()
        termios.tcsetwinsize(terminal, (24, columns))
        names = (f"--{name}={place.path / name}" for name in ("wheelhouse", "cache"))
        command = [str(place.program), "build", str(place.project), f"--out={place.path / 'dist'}", *names, *options]
        self.process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *command],
            cwd=place.path,
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=terminal,
            env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
        )
        os.close(terminal)
        self.text = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # EIO: nobody has the terminal any more
            while chunk := os.read(self._main, 1 << 16):
                self.text += chunk

    def wait_for(self, pattern: bytes) -> None:
        """Return when the terminal was sent something."""
        deadline = time.monotonic() + TIMEOUT_S
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, self.text
            assert self.process.poll() is None, self.text
            time.sleep(0.02)

    def press(self, key: bytes) -> None:
        """Send a key."""
        os.write(self._main, key)

    def end(self) -> tuple[int, str]:
        """Return the exit code and standard output."""
        try:
            output, _ = self.process.communicate(timeout=TIMEOUT_S)
        finally:
            self.process.kill()
        self._reader.join(TIMEOUT_S)
        return self.process.returncode, output.decode()

    def close(self) -> None:
        """Hang up."""
        self.process.kill()
        self.process.communicate()
        os.close(self._main)


@pytest.fixture
def place(venvpkg: Venvpkg, tmp_path: Path) -> Workplace:
    if os.geteuid() != 0:
        pytest.skip("compile jobs need namespaces")
    if shutil.which("setsid") is None:
        pytest.skip("no setsid")
    return Workplace.with_tally(venvpkg.program, tmp_path)


@contextlib.contextmanager
def session(place: Workplace, *options: str, columns: int = 80) -> Iterator[Session]:
    running = Session(place, *options, columns=columns)
    try:
        yield running
    finally:
        running.close()


def test_a_running_wheel_is_a_line_that_is_gone_at_the_end(place: Workplace) -> None:
    place.knobs('pause = "2"')

    with session(place) as terminal:
        terminal.wait_for(rb"building tally.*compiling")
        code, output = terminal.end()

        assert (code, output) == (0, f"{place.packages()[0]}\n")
        assert terminal.text.count(HIDDEN) == terminal.text.count(SHOWN) > 0
        after = terminal.text[terminal.text.rindex(b"building tally") :]
        assert ERASED_LINE in after
        assert re.search(rb"depends.*python3\.", after)
        assert re.search(rb"1 compiled", after)


def test_ctrl_c_gives_the_terminal_back_with_one_line(place: Workplace) -> None:
    marker = f"31536000.{place.path.stat().st_ino}"
    place.knobs(f'pause = "{marker}"')

    with session(place, columns=34) as terminal:
        terminal.wait_for(rb"building tally")
        terminal.press(b"\x03")
        code, output = terminal.end()

        assert (code, output) == (130, "")
        assert terminal.text.rstrip().endswith(b"Interrupted.")
        assert terminal.text.rindex(SHOWN) > terminal.text.rindex(HIDDEN)
        assert b"Traceback" not in terminal.text
    assert place.leftovers() == []


def test_events_are_on_standard_output_and_people_s_display_is_as_ever(place: Workplace) -> None:
    place.knobs('pause = "2"')

    with session(place, "--json") as terminal:
        terminal.wait_for(rb"building tally")
        code, output = terminal.end()

    events = checked(output)
    assert code == 0
    assert events[-1]["event"] == "result"
    assert events[-1]["result"]["artifact"] == str(place.packages()[0])
    assert [each["action"] for each in events[-1]["result"]["wheels"]] == ["compile"]
    assert {each["work"] for each in events if each["event"] == "started"} >= {
        "wheel",
        "stage",
        "scan",
        "derive",
        "pack",
    }
    started = [each["task"] for each in events if each["event"] == "started"]
    assert sorted(each["task"] for each in events if each["event"] == "ended") == sorted(started)
