"""What programs read."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from unit.events import checked
from unit.fakes import RecordingReporter
from venvpkg.console import Work
from venvpkg.console.events import Both, Events

if TYPE_CHECKING:
    from venvpkg.console import Reporter


class Full(io.StringIO):
    """A stream on a full disk."""

    def write(self, text: str) -> int:
        del text
        raise OSError(28, "No space left on device")


def speak(reporter: Reporter) -> None:
    reporter.step("locked ünïcode")
    reporter.detail("more")
    reporter.warn("careful")
    with reporter.task(Work.WHEEL, "building lxml") as task:
        task.now("compiling")
    reporter.summary((("package", "app.deb"),))


def heard(stream: io.StringIO) -> list[dict[str, Any]]:
    return checked(stream.getvalue())


def test_each_event_is_one_ascii_line_with_version_and_time() -> None:
    stream = io.StringIO()
    times = iter((10.0, 10.5, 11.0, 11.5, 12.0, 12.5, 13.0))

    speak(Events(stream, clock=lambda: next(times)))

    assert stream.getvalue().isascii()
    assert [(each["event"], each["elapsed_s"]) for each in heard(stream)] == [
        ("step", 0.5), ("detail", 1.0), ("warning", 1.5), ("started", 2.0), ("changed", 2.5), ("ended", 3.0)
    ]  # fmt: skip


def test_tasks_that_overlap_are_told_apart_by_number() -> None:
    stream = io.StringIO()
    events = Events(stream)

    with events.task(Work.WHEEL, "one") as one, events.task(Work.WAIT, "two"):
        one.now("compiling")

    assert [(each["event"], each["task"]) for each in heard(stream)] == [
        ("started", 1), ("started", 2), ("changed", 1), ("ended", 2), ("ended", 1)
    ]  # fmt: skip


def test_a_task_changes_no_more_after_its_end_and_ends_when_it_fails() -> None:
    stream = io.StringIO()
    events = Events(stream)

    with pytest.raises(ValueError, match="no"), events.task(Work.DOWNLOAD, "getting") as task:
        raise ValueError("no")
    task.now("late")

    assert [each["event"] for each in heard(stream)] == ["started", "ended"]


def test_a_refusal_of_standard_output_disturbs_no_stage_and_is_raised_at_the_end_once() -> None:
    events = Events(Full())

    speak(events)

    with pytest.raises(OSError, match="No space left"):
        events.close()
    events.close()


def test_both_hear_everything() -> None:
    people, stream = RecordingReporter(), io.StringIO()

    speak(Both(people, Events(stream)))

    assert people.steps == ["locked ünïcode"]
    assert people.tasks == ["+ wheel building lxml", "  compiling", "- wheel building lxml"]
    assert people.rows == [("package", "app.deb")]
    assert [each["event"] for each in heard(stream)] == ["step", "detail", "warning", "started", "changed", "ended"]
    assert json.loads(stream.getvalue().splitlines()[0])["text"] == "locked ünïcode"
