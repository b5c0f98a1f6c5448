"""With ``--json``, standard output is events by the documented schema, for every command and every outcome."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from unit.events import SCHEMA, checked
from unit.fakes import RecordingReporter
from unit.wheelhouse.makers import wheel_members, write_wheel
from venvpkg import api, pipeline
from venvpkg.cli.main import cli, main
from venvpkg.cli.manual import commands_of
from venvpkg.console import Work
from venvpkg.explain.evidence import dump_evidence
from venvpkg.model.depends import Dependency, DependencySet, Evidence, Source
from venvpkg.wheelhouse.store import Wheelhouse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import click

    from venvpkg.context import Session
    from venvpkg.model.project import Project

TAG = "linux_x86_64_debian_12"
# They print a document in its own format.
WITHOUT_RESULT = {"ci github", "ci gitlab", "schema", "completion"}


def commands() -> dict[str, click.Command]:
    return {at.command_path.partition(" ")[2]: command for command, at in commands_of(cli)}


def test_every_command_with_a_result_has_the_same_common_options() -> None:
    options = {
        name: {option for each in command.params for option in each.opts}
        for name, command in commands().items()
        if name not in WITHOUT_RESULT
    }

    common = {"--json", "-v", "--verbose", "-q", "--quiet"}
    assert {name: common - has for name, has in options.items() if common - has} == {}


def test_the_schema_describes_the_result_of_every_command() -> None:
    assert set(SCHEMA["$defs"]["results"]) == set(commands()) - WITHOUT_RESULT


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> str:
    members = wheel_members(version="1.0", tag=f"cp311-cp311-{TAG}")
    wheel = write_wheel(tmp_path / f"demo-1.0-cp311-cp311-{TAG}.whl", members)
    Wheelhouse(tmp_path / "house", TAG, RecordingReporter()).publish(wheel, {"name": "demo"}, {"backend": "setuptools"})
    return str(tmp_path / "house")


@pytest.mark.parametrize(
    "arguments",
    [
        lambda _: ["list"],
        lambda _: ["show", "demo"],
        lambda _: ["gc", "--keep", "0"],
        lambda path: ["export", str(path / "index")],
    ],
)
def test_the_result_of_a_wheelhouse_command_is_the_last_event(
    arguments: Callable[[Path], list[str]], house: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = arguments(tmp_path)

    assert main(["wheelhouse", *given, "--json", "--wheelhouse", house]) == 0

    last = checked(capsys.readouterr().out)[-1]
    assert (last["event"], last["command"]) == ("result", f"wheelhouse {given[0]}")
    assert TAG in str(last["result"])


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["build", "--no-such-option", "--json"], 2, "No such option"),
        (["wheelhouse", "gc", "--json"], 2, "Choose what to remove"),
        (["inspect", "no-such.deb", "--json"], 14, "no-such.deb"),
    ],
)
def test_a_failure_is_the_last_event_and_people_read_it_too(
    arguments: list[str], code: int, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code

    captured = capsys.readouterr()
    last = checked(captured.out)[-1]
    assert (last["event"], last["exit_code"]) == ("error", code)
    assert expected in last["brief"]
    assert expected in captured.err


def test_options_after_two_dashes_are_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "--", "--json"]) == 14

    assert capsys.readouterr().out == ""


def test_events_of_the_stages_come_before_the_result(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lock(project: Project, session: Session, *, upgrade: bool) -> Path:
        del project, upgrade
        with session.reporter.task(Work.LOCK, "resolving app"):
            session.reporter.step("locked 1 distribution")
        return tmp_path / "pylock.toml"

    monkeypatch.setattr(pipeline, "lock", lock)

    assert main(["lock", "app==1", "--json", "-q"]) == 0

    captured = capsys.readouterr()
    events = checked(captured.out)
    assert [each["event"] for each in events] == ["started", "step", "ended", "result"]
    assert events[-1]["result"] == {"lock": str(tmp_path / "pylock.toml")}
    assert captured.err == ""


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (OSError(28, "No space left on device"), 16)])
def test_an_interrupt_and_a_refusal_are_events_too(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lock(*_: object, **__: object) -> Path:
        raise error

    monkeypatch.setattr(pipeline, "lock", lock)

    assert main(["lock", "app==1", "--json"]) == code

    assert [(each["event"], each["exit_code"]) for each in checked(capsys.readouterr().out)] == [("error", code)]


def test_a_bug_is_an_event_and_a_traceback(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def lock(*_: object, **__: object) -> Path:
        raise ZeroDivisionError

    monkeypatch.setattr(pipeline, "lock", lock)

    with pytest.raises(ZeroDivisionError):
        main(["lock", "app==1", "--json"])

    assert [each["exit_code"] for each in checked(capsys.readouterr().out)] == [1]


@pytest.mark.parametrize("options", [[], ["--dot"], ["--html"]])
def test_explain_gives_the_evidence_or_the_requested_format(
    options: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = DependencySet((Dependency("libpq5", (Evidence(Source.SYMBOLS, soname="libpq.so.5"),)),))

    class Format:
        def read_evidence(self, *_: object) -> bytes:
            return dump_evidence(found)

    monkeypatch.setattr(api, "family_of_file", lambda _: SimpleNamespace(format=Format()))

    assert main(["explain", "app.deb", "--json", *options]) == 0

    (event,) = checked(capsys.readouterr().out)
    assert "libpq5" in str(event["result"])
    assert ("form" in event["result"]) is bool(options)
