"""What a run that was killed leaves behind is in nobody's way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from venvpkg.store.directories import workspace
from venvpkg.store.dirs import Dirs
from venvpkg.store.locks import locked_if_free


def test_the_workspace_of_a_killed_run_is_removed_by_the_next(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from venvpkg.store.directories import workspace\n"
        "from venvpkg.store.dirs import Dirs\n"
        "cache = pathlib.Path(sys.argv[1])\n"
        "with workspace(Dirs.of_user(wheelhouse=cache, cache=cache)) as directory:\n"
        "    print(directory, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout is not None
        abandoned = Path(killed.stdout.readline().strip())
        os.kill(killed.pid, signal.SIGKILL)
    assert abandoned.is_dir()

    with workspace(Dirs.of_user(wheelhouse=tmp_path, cache=tmp_path)):
        pass

    assert not abandoned.exists()


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    program = "import sys, pathlib, time; from venvpkg.store.locks import locked\n"
    program += "with locked(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(100)"
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "lock")], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with locked_if_free(tmp_path / "lock") as lock:
            assert lock is None
        holder.kill()
    with locked_if_free(tmp_path / "lock") as lock:
        assert lock is not None
