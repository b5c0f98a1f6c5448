"""Several targets in one call: one that fails does not stop the others, and one exit code tells."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from unit.events import checked
from venvpkg import pipeline
from venvpkg.cli.main import main
from venvpkg.errors import CompileError
from venvpkg.record.file import record_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from venvpkg.context import Session
    from venvpkg.model.project import Project


@pytest.fixture(name="built")
def _built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Remember which targets were built for; for trixie it fails, for sid the disk is full."""
    seen: list[str] = []

    def build(project: Project, destination: Path, session: Session, *, locked: bool) -> SimpleNamespace:
        del project, locked
        seen.append(str(session.selection))
        if session.selection.place == "trixie":
            raise CompileError("lxml could not be built.", details="  xmlversion.h", resolution="Install it.")
        if session.selection.place == "sid":
            raise OSError(28, "No space left on device", "/x")
        path = destination.absolute() / f"app_{session.selection.place}.deb"
        spec = SimpleNamespace(
            name="app",
            upstream_version="1",
            source_date_epoch=1,
            dependencies=SimpleNamespace(relations=lambda: ("libc6",)),
            staged=SimpleNamespace(system=()),
        )
        artifact = SimpleNamespace(
            path=path, debug_packages=(), size_bytes=10**6, sha256="0" * 64, wheels=(), spec=spec
        )
        return SimpleNamespace(artifact=artifact)

    monkeypatch.setattr(pipeline, "build", build)
    return seen


def test_the_others_are_built_and_the_table_tells_of_all(built: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    targets = [f"--target=debian:{suite}" for suite in ("bullseye", "trixie", "bookworm", "sid", "bookworm")]

    assert main(["build", "app==1", *targets]) == 25

    captured = capsys.readouterr()
    assert sorted(built) == ["debian:bookworm", "debian:bullseye", "debian:sid", "debian:trixie"]
    assert [Path(line).name for line in captured.out.splitlines()] == ["app_bullseye.deb", "app_bookworm.deb"]
    assert "debian:trixie: lxml could not be built.\n  xmlversion.h\nInstall it.\n" in captured.err
    assert "debian:bookworm  app_bookworm.deb, 1.0 MB, " in captured.err
    assert "debian:sid       failed with 16: /x cannot be used" in captured.err
    assert "error: 2 of 4 targets failed." in captured.err


def test_the_variable_names_one_target_whatever_is_in_its_path(
    built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENVPKG_TARGET", "root:/a root, and: more")

    assert main(["build", "app==1"]) == 0

    assert built == ["root:/a root, and: more"]


def test_a_command_for_one_target_refuses_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "app==1", "-t", "debian:bullseye", "-t", "debian:trixie"]) == 2

    assert "plan takes one target, but 2 are given: debian:bullseye, debian:trixie." in capsys.readouterr().err


def test_when_all_succeed_programs_get_a_result_for_each(built: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "app==1", "-t", "debian:bullseye", "-t", "debian:bookworm", "--json"]) == 0

    last = checked(capsys.readouterr().out)[-1]
    assert [each["target"] for each in last["result"]["targets"]] == ["debian:bullseye", "debian:bookworm"]
    assert len(built) == 2


def test_a_failure_is_the_last_event_after_the_result_of_all(
    built: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "app==1", "-t", "debian:bullseye", "-t", "debian:trixie", "--json"]) == 25

    *before, result, last = checked(capsys.readouterr().out)
    good, bad = result["result"]["targets"]
    assert (good["target"], Path(good["artifact"]).name) == ("debian:bullseye", "app_bullseye.deb")
    assert (bad["target"], bad["error"]["exit_code"]) == ("debian:trixie", 7)
    assert (last["event"], last["exit_code"]) == ("error", 25)
    assert {(each["event"], each["target"]) for each in before} == {
        ("step", "debian:bullseye"), ("step", "debian:trixie"), ("warning", "debian:trixie")
    }  # fmt: skip
    assert len(built) == 2


@pytest.mark.parametrize("digests", [("0" * 64, "1" * 64), ("0" * 64, "0" * 64)])
def test_two_packages_of_one_name_are_a_failure_unless_they_are_the_same(
    built: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    digests: tuple[str, str],
) -> None:
    code = 25 if len(set(digests)) > 1 else 0
    build, left = pipeline.build, dict(zip(("debian:bullseye", "debian:bookworm"), digests, strict=True))

    def build_under_one_name(project: Project, destination: Path, session: Session, *, locked: bool) -> SimpleNamespace:
        artifact = build(project, destination, session, locked=locked).artifact
        path, sha256 = destination.absolute() / "app.rpm", left[str(session.selection)]
        destination.mkdir(exist_ok=True)
        path.touch()
        record_path(path).touch()
        return SimpleNamespace(artifact=SimpleNamespace(**(vars(artifact) | {"path": path, "sha256": sha256})))

    monkeypatch.setattr(pipeline, "build", build_under_one_name)

    dist = tmp_path / "dist"

    assert main(["build", "app==1", "-t", "debian:bullseye", "-t", "debian:bookworm", "--out", str(dist)]) == code

    told = (
        "debian:bullseye: another target of this run has built a different package of the same name, app.rpm; neither"
    )
    assert (told in capsys.readouterr().err) == (code != 0)
    assert sorted(each.name for each in dist.iterdir()) == ([] if code else ["app.build.json", "app.rpm"])
    assert len(built) == 2


def test_all_are_built_at_once_with_one_pool_and_one_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(3, timeout=30)
    shared: list[tuple[object, object]] = []
    runners = []

    def build(project: Project, destination: Path, session: Session, *, locked: bool) -> SimpleNamespace:
        del project, destination, locked
        shared.append((session.pool, session.lockfiles))
        runners.append(session.host)
        together.wait()
        raise CompileError("enough is known")

    monkeypatch.setattr(pipeline, "build", build)

    assert main(["build", "app==1", *(f"--target=debian:{suite}" for suite in ("bullseye", "trixie", "sid"))]) == 25

    assert len(set(shared)) == 1
    assert len(set(map(id, runners))) == 3


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        (lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT), 130),
        (lambda: 1 // 0, ZeroDivisionError),
    ],
)
def test_an_interrupt_or_a_bug_ends_all_and_nothing_more_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ends: Callable[[], object], code: object
) -> None:
    running = threading.Barrier(2, timeout=30)
    pause = threading.Event()
    ended = []

    def build(project: Project, destination: Path, session: Session, *, locked: bool) -> SimpleNamespace:
        del project, destination, locked
        running.wait()
        if session.selection.place == "sid":
            ends()
        assert any(session.host.is_stopped or pause.wait(0.01) for _ in range(3000))
        ended.append(str(session.selection))
        session.reporter.warn("cannot go on")
        raise CompileError("killed")

    monkeypatch.setattr(pipeline, "build", build)
    command = ["build", "app==1", "-t", "debian:trixie", "-t", "debian:sid"]

    if isinstance(code, int):
        assert main(command) == code
    else:
        with pytest.raises(ZeroDivisionError):
            main(command)

    assert "debian:trixie" in ended
    told = capsys.readouterr().err
    assert "cannot go on" not in told
    assert "killed" not in told


def test_one_target_alone_fails_with_the_code_of_its_own(built: list[str]) -> None:
    assert main(["build", "app==1", "-t", "debian:trixie"]) == 7

    assert built == ["debian:trixie"]
