"""Crates are fetched once, by the release's cargo and the user's settings, and failures are told apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from venvpkg.errors import DownloadError, MissingToolError
from venvpkg.host.command import Command, Completed
from venvpkg.sources.crates import CratesError, CrateStore

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """[source.crates-io]
replace-with = "vendored-sources"

[source.vendored-sources]
directory = "PLACE"
"""
UNREACHABLE = b"error: failed to sync\nCaused by:\n  [6] Couldn't resolve host name (index.crates.io)\n"
CHECKSUM = b"error: checksum for `greet v1.0.0` changed between lock files\n"
OUTDATED = b"error: cannot update the lock file because --locked was passed\n"


@dataclass
class Cargo:
    """Vendors one crate, or fails."""

    answer: Completed | None = None
    ran: list[Command] = field(default_factory=list)

    def run(self, command: Command) -> Completed:
        self.ran.append(command)
        if self.answer is not None:
            return self.answer
        place = command.argv[-1]
        _, fresh, _ = command.binds
        (fresh.source / "crates" / "greet-1.0.0").mkdir(parents=True)
        return Completed(0, CONFIG.replace("PLACE", place).encode())


def store(
    tmp_path: Path, cargo: Cargo, reporter: RecordingReporter | None = None, *, offline: bool = False
) -> CrateStore:
    (tmp_path / "me").mkdir(exist_ok=True)
    environment = {"CARGO_HOME": str(tmp_path / "me"), "CARGO_REGISTRIES_CORP_TOKEN": "x", "CARGO_BUILD_RUSTC": "evil"}
    return CrateStore(tmp_path / "store", cargo, reporter or RecordingReporter(), environment, offline)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    directory = tmp_path / "source" / "src" / "rust"
    directory.mkdir(parents=True)
    (directory / "Cargo.lock").write_text('[[package]]\nname = "greet"\n')
    (directory / "Cargo.toml").write_text("[package]\n")
    return tmp_path / "source"


def test_crates_are_fetched_once_for_a_lock_and_are_there_offline_afterwards(tmp_path: Path, source: Path) -> None:
    cargo, reporter = Cargo(), RecordingReporter()

    first = store(tmp_path, cargo, reporter).vendor(source, "demo 1.0")
    second = store(tmp_path, cargo, offline=True).vendor(source, "demo 1.0")
    (source / "src/rust/Cargo.lock").write_text('[[package]]\nname = "other"\n')
    third = store(tmp_path, cargo, reporter).vendor(source, "demo 1.1")

    assert first == second != third
    assert len(cargo.ran) == 2
    assert reporter.steps == ["fetched 1 Rust crate of demo 1.0", "fetched 1 Rust crate of demo 1.1"]
    assert 'directory = "/usr/src/venvpkg/home/.cargo/crates"' in (first / "config.toml").read_text()
    assert (first / "crates/greet-1.0.0").is_dir()


def test_cargo_runs_apart_from_the_source_with_the_settings_of_the_user(tmp_path: Path, source: Path) -> None:
    cargo = Cargo()

    store(tmp_path, cargo).vendor(source, "demo 1.0")

    (command,) = cargo.ran
    assert command.argv[:3] == ("/usr/bin/cargo", "vendor", "--locked")
    assert "/usr/src/venvpkg/src/src/rust/Cargo.toml" in command.argv
    assert str(command.cwd) == "/usr/src/venvpkg/fresh"
    assert [(each.source, each.writable) for each in command.binds][::2] == [(source, False), (tmp_path / "me", True)]
    assert command.network
    assert "CARGO_REGISTRIES_CORP_TOKEN" in command.env
    assert "CARGO_BUILD_RUSTC" not in command.env


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Completed(127), "cargo, which could fetch them, is not installed"),
        (Completed(101, stderr=UNREACHABLE), "cargo could not reach a registry that has them"),
        (
            Completed(101, stderr=OUTDATED),
            "cargo could not fetch them: error: cannot update the lock file because --lock",
        ),
        (Completed(124), "cargo could not fetch them: timed out"),
    ],
)
def test_why_crates_cannot_be_fetched_is_told_in_a_clause(
    tmp_path: Path, source: Path, answer: Completed, why: str
) -> None:
    with pytest.raises(CratesError, match=why):
        store(tmp_path, Cargo(answer)).vendor(source, "demo 1.0")

    assert [path for path in (tmp_path / "store").rglob("*") if path.name not in {".lock", ".tmp"}] == []


def test_crates_of_another_checksum_are_no_reason_for_another_wheel(tmp_path: Path, source: Path) -> None:
    with pytest.raises(DownloadError, match="do not match its Cargo.lock"):
        store(tmp_path, Cargo(Completed(101, stderr=CHECKSUM))).vendor(source, "demo 1.0")


def test_a_machine_without_namespaces_is_no_reason_for_another_wheel(tmp_path: Path, source: Path) -> None:
    refused = Completed(1, stderr=b"unshare: unshare failed: Operation not permitted\n")

    with pytest.raises(MissingToolError, match="namespaces"):
        store(tmp_path, Cargo(refused)).vendor(source, "demo 1.0")


def test_offline_is_no_reason_for_another_wheel(tmp_path: Path, source: Path) -> None:
    with pytest.raises(DownloadError, match="--offline is set"):
        store(tmp_path, Cargo(), offline=True).vendor(source, "demo 1.0")


@pytest.mark.parametrize(
    ("absent", "why"), [("Cargo.lock", "no Cargo.lock to pin them"), ("Cargo.toml", "no Cargo.toml")]
)
def test_a_source_that_pins_nothing_fetches_nothing(tmp_path: Path, source: Path, absent: str, why: str) -> None:
    (source / "src/rust" / absent).unlink()
    cargo = Cargo()

    with pytest.raises(CratesError, match=why):
        store(tmp_path, cargo).vendor(source, "demo 1.0")

    assert cargo.ran == []
