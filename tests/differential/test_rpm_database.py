"""A package database that is missing, damaged or locked is told as such by name, and in bounded time."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from venvpkg.errors import PackageDatabaseError
from venvpkg.families.rpm.owners import owners_of, read_owners
from venvpkg.host.command import Command, Completed

if TYPE_CHECKING:
    from venvpkg.host.runner import SubprocessRunner

pytestmark = pytest.mark.skipif(shutil.which("rpmdb") is None, reason="needs rpmdb (package rpm)")


@dataclass
class WithDatabase:
    """Runs rpm on a database of the test's, for at most two seconds."""

    database: Path
    runner: SubprocessRunner

    def run(self, command: Command) -> Completed:
        program, *arguments = command.argv
        argv = (program, "--dbpath", str(self.database), *arguments)
        return self.runner.run(replace(command, argv=argv, timeout_s=2))


@pytest.fixture
def database(tmp_path: Path, runner: SubprocessRunner) -> Path:
    made = tmp_path / "rpm"
    made.mkdir()
    done = runner.run(Command(("rpmdb", "--dbpath", str(made), "--initdb")))
    assert done.ok, done.errors
    if not (made / "rpmdb.sqlite").is_file():
        pytest.skip("this rpm keeps its database in another format")
    return made


@pytest.mark.parametrize("size", [100, 5000])
@pytest.mark.parametrize("kept", [True, False])
def test_a_damaged_one(database: Path, runner: SubprocessRunner, size: int, *, kept: bool) -> None:
    for file in database.iterdir():
        file.write_bytes(file.read_bytes()[:size] if kept else b"\xa5" * size)
    damaged = WithDatabase(database, runner)

    for ask in (read_owners, lambda asked: owners_of(PurePosixPath("/usr/bin/python3"), asked)):
        with pytest.raises(PackageDatabaseError, match="could not read the target's package database"):
            ask(damaged)


def test_an_empty_one(database: Path, runner: SubprocessRunner) -> None:
    with pytest.raises(PackageDatabaseError, match="no package is installed"):
        read_owners(WithDatabase(database, runner))


def test_one_that_another_program_has_locked(database: Path, runner: SubprocessRunner) -> None:
    with closing(sqlite3.connect(database / "rpmdb.sqlite", isolation_level=None)) as other:
        other.execute("pragma locking_mode = exclusive")
        other.execute("begin exclusive")
        other.execute("create table another (program)")

        with pytest.raises(PackageDatabaseError, match="another program has locked it"):
            read_owners(WithDatabase(database, runner))
