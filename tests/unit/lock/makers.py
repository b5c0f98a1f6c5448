"""A uv that answers beforehand, and applications to lock with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unit.fakes import Expected, RecordingReporter, ScriptedRunner, expect
from venvpkg.host.command import Command, Completed
from venvpkg.index.pip_settings import UvSettings
from venvpkg.lock.uv import Resolver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

UV = "/usr/lib/uv"
SHA = "ab" * 32
USERS = {"HOME": "/home/me", "UV_DEFAULT_INDEX": "https://me:hush-42@corp/simple"}
ANSWER = f"""lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.11.2"

[[packages]]
name = "flask"
version = "3.1.3"
wheels = [{{ url = "https://i.example/flask-3.1.3-py3-none-any.whl", hashes = {{ sha256 = "{SHA}" }} }}]
"""


def resolver(tmp_path: Path, runner: ScriptedRunner, reporter: RecordingReporter | None = None) -> Resolver:
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    return Resolver(
        uv=Path(UV),
        settings=UvSettings(USERS, ("--no-index",)),
        runner=runner,
        reporter=reporter or RecordingReporter(),
        work=work,
    )


def expect_uv(*argv: str, own: Mapping[str, str] = USERS, barred: bool = False) -> Expected:
    """Return a call of uv that begins so.

    Args:
        argv: its arguments.
        own: variables of the user that it is given.
        barred: whether build backends must not run, which a module on ``PYTHONPATH`` sees to.
    """

    def environment(command: Command) -> Mapping[str, str]:
        directory = command.env.get("TMPDIR", "")
        ours = {
            "DIST_EXTRA_CONFIG": f"{directory}/setup.cfg",
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
            "TMPDIR": directory,
            "UV_NO_PROGRESS": "1",
            "UV_PYTHON_DOWNLOADS": "never",
        }
        return {**own, **ours, **({"PYTHONPATH": directory} if barred else {})}

    return expect(UV, *argv, ..., env=environment, clean=True)


def writing(text: str = ANSWER) -> Callable[[Command], Completed]:
    def write(command: Command) -> Completed:
        output(command).write_text(text)
        return Completed(0)

    return write


def answering(text: str = ANSWER, *, own: Mapping[str, str] = USERS, barred: bool = False) -> ScriptedRunner:
    """Return a uv that resolves to ``text``."""
    return ScriptedRunner({expect_uv("pip", "compile", own=own, barred=barred): writing(text)})


def failing(errors: str, returncode: int = 1, *, barred: bool = False) -> ScriptedRunner:
    """Return a uv that cannot do what it is asked first."""
    return ScriptedRunner({expect_uv(barred=barred): Completed(returncode, stderr=errors.encode())})


def output(command: Command) -> Path:
    return Path(command.argv[command.argv.index("--output-file") + 1])


def application(tmp_path: Path, *dependencies: str, more: str = "") -> Path:
    directory = tmp_path / "app"
    directory.mkdir(exist_ok=True)
    (directory / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nversion = "1"\ndependencies = {list(dependencies)}\n{more}\n'
    )
    return directory
