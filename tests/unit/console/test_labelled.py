"""Of several targets, each line says of which it speaks; nothing is told of what fails while the run is ended."""

from __future__ import annotations

import io
import json

from unit.events import checked
from unit.fakes import RecordingReporter
from venvpkg.console import Work
from venvpkg.console.events import Events, Labelled


def test_every_text_begins_with_the_label() -> None:
    heard = RecordingReporter()
    reporter = Labelled(heard, "debian:trixie", lambda: False)

    reporter.step("locked")
    reporter.detail("more")
    reporter.warn("careful")
    with reporter.task(Work.WHEEL, "building lxml") as task:
        task.now("compiling")
    reporter.summary((("package", "app.deb"),))

    assert (heard.steps, heard.details) == (["debian:trixie: locked"], ["debian:trixie: more"])
    assert heard.warnings == ["debian:trixie: careful"]
    assert heard.tasks == [
        "+ wheel debian:trixie: building lxml", "  compiling", "- wheel debian:trixie: building lxml"
    ]  # fmt: skip
    assert heard.rows == [("package", "app.deb")]


def test_one_that_is_mute_lets_tasks_end_and_says_nothing() -> None:
    heard = RecordingReporter()
    is_mute: list[bool] = []
    reporter = Labelled(heard, "host", lambda: bool(is_mute))

    with reporter.task(Work.WHEEL, "building"):
        is_mute.append(True)
        reporter.warn("lxml cannot be built")
        reporter.step("built")
        reporter.detail("so")

    assert (heard.steps, heard.details, heard.warnings) == ([], [], [])
    assert heard.tasks[-1] == "- wheel host: building"


def test_events_of_a_target_have_its_name_as_a_field_and_share_numbers_and_stream() -> None:
    stream = io.StringIO()
    events = Events(stream)

    with events.with_target("host").task(Work.SCAN, "one"), events.with_target("debian:sid").task(Work.SCAN, "two"):
        events.step("of all")

    heard = checked(stream.getvalue())
    assert [(each.get("target"), each.get("task")) for each in heard] == [
        ("host", 1), ("debian:sid", 2), (None, None), ("debian:sid", 2), ("host", 1)
    ]  # fmt: skip
    assert "target" not in json.loads(stream.getvalue().splitlines()[2])
