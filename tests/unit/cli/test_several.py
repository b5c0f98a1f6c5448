"""Several targets in one call: one that fails does not stop the others, and one exit code tells."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from unit.events import checked
from venvpkg import pipeline
from venvpkg.cli.main import main
from venvpkg.errors import CompileError

if TYPE_CHECKING:
    from venvpkg.model.project import Project
    from venvpkg.pipeline import Session


@pytest.fixture(name="built")
def _built(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Remember which targets were built for; for trixie it fails, for sid the disk is full."""
    seen: list[tuple[str, bool]] = []

    def build(project: Project, destination: Path, session: Session, *, locked: bool) -> SimpleNamespace:
        del project, locked
        seen.append((str(session.target), session.several))
        if session.target.place == "trixie":
            raise CompileError("lxml could not be built.", details="  xmlversion.h", resolution="Install it.")
        if session.target.place == "sid":
            raise OSError(28, "No space left on device", "/x")
        path = destination.absolute() / f"app_{session.target.place}.deb"
        spec = SimpleNamespace(
            name="app",
            upstream_version="1",
            source_date_epoch=1,
            dependencies=SimpleNamespace(relations=lambda: ("libc6",)),
            staged=SimpleNamespace(system=()),
        )
        return SimpleNamespace(path=path, companions=(), size_bytes=10**6, sha256="0" * 64, wheels=(), spec=spec)

    monkeypatch.setattr(pipeline, "build", build)
    return seen


def test_the_others_are_built_and_the_table_tells_of_all(
    built: list[tuple[str, bool]], capsys: pytest.CaptureFixture[str]
) -> None:
    targets = [f"--target=debian:{suite}" for suite in ("bullseye", "trixie", "bookworm", "sid", "bookworm")]

    assert main(["build", "app==1", *targets]) == 25

    captured = capsys.readouterr()
    assert [name for name, _ in built] == ["debian:bullseye", "debian:trixie", "debian:bookworm", "debian:sid"]
    assert [Path(line).name for line in captured.out.splitlines()] == ["app_bullseye.deb", "app_bookworm.deb"]
    assert "debian:trixie: lxml could not be built.\n  xmlversion.h\nInstall it.\n" in captured.err
    assert "debian:bookworm  app_bookworm.deb, 1.0 MB, " in captured.err
    assert "debian:sid       failed with 16: /x cannot be used" in captured.err
    assert "error: 2 of 4 targets failed." in captured.err


def test_when_all_succeed_programs_get_a_result_for_each(
    built: list[tuple[str, bool]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "app==1", "-t", "debian:bullseye", "-t", "debian:bookworm", "--json"]) == 0

    last = checked(capsys.readouterr().out)[-1]
    assert [each["target"] for each in last["result"]["targets"]] == ["debian:bullseye", "debian:bookworm"]
    assert all(several for _, several in built)


def test_a_failure_is_the_one_last_event_and_names_what_was_built(
    built: list[tuple[str, bool]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "app==1", "-t", "debian:bullseye", "-t", "debian:trixie", "--json"]) == 25

    *before, last = checked(capsys.readouterr().out)
    assert "result" not in {each["event"] for each in before}
    assert (last["event"], last["exit_code"]) == ("error", 25)
    assert "app_bullseye.deb" in last["details"]
    assert len(built) == 2


def test_one_target_alone_fails_with_the_code_of_its_own(built: list[tuple[str, bool]]) -> None:
    assert main(["build", "app==1", "-t", "debian:trixie"]) == 7

    assert built == [("debian:trixie", False)]
