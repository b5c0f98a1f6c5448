"""The time in the package is that of its sources."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from unit.fakes import ScriptedRunner, expect
from unit.samples import a_project
from venvpkg.errors import ConfigurationError
from venvpkg.host.command import Completed
from venvpkg.model.lock import Lock, LockedDistribution, RemoteFile
from venvpkg.staging.clock import NO_TIME, source_date_epoch

EMPTY = Lock(())


def git(answer: Completed) -> ScriptedRunner:
    return ScriptedRunner({expect("git", ..., env={"GIT_OPTIONAL_LOCKS": "0"}): answer})


def locked(*uploads: datetime | None) -> Lock:
    files = [RemoteFile(f"{number}.whl", "", "", uploaded) for number, uploaded in enumerate(uploads)]
    return Lock((LockedDistribution("lib", "1", tuple(files[1:]), files[0]),))


def test_the_variable_wins() -> None:
    runner = ScriptedRunner({})

    assert source_date_epoch(a_project(), EMPTY, {"SOURCE_DATE_EPOCH": "1700000000"}, runner) == 1700000000


@pytest.mark.parametrize("value", ["-1", "1.5", "٣", "99999999999", "4294967296", "12\n", "now", "9" * 5000])
def test_a_variable_that_is_no_time_is_an_error(value: str) -> None:
    with pytest.raises(ConfigurationError, match="SOURCE_DATE_EPOCH"):
        source_date_epoch(a_project(), EMPTY, {"SOURCE_DATE_EPOCH": value}, ScriptedRunner({}))


def test_an_empty_variable_counts_as_unset() -> None:
    assert source_date_epoch(a_project(), EMPTY, {"SOURCE_DATE_EPOCH": ""}, git(Completed(128))) == NO_TIME


def test_the_commit_of_the_project_comes_next() -> None:
    runner = git(Completed(0, b"1600000000 0123abc\n"))

    assert source_date_epoch(a_project(), locked(datetime(2024, 1, 1, tzinfo=UTC)), {}, runner) == 1600000000


@pytest.mark.parametrize("answer", [Completed(0), Completed(127), Completed(0, b"fatal: no\n"), Completed(128, b"5 x")])
def test_without_a_commit_the_newest_upload_counts(answer: Completed) -> None:
    lock = locked(datetime(2024, 1, 1, tzinfo=UTC), None, datetime(2024, 5, 1, tzinfo=UTC))

    assert source_date_epoch(a_project(), lock, {}, git(answer)) == 1714521600


def test_an_upload_time_without_a_zone_is_utc() -> None:
    lock = locked(datetime(2024, 5, 1))  # noqa: DTZ001 - the case

    assert source_date_epoch(a_project(), lock, {}, git(Completed(128))) == 1714521600


def test_a_requirement_has_no_commit() -> None:
    runner = ScriptedRunner({})

    assert source_date_epoch(a_project(requirement="app==1"), EMPTY, {}, runner) == NO_TIME
