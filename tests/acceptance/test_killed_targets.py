"""Builds for several targets, and the making of a system, are killed at any moment: nothing stays or is broken."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess  # the tests run venvpkg as its users do
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.cleanroot import CleanRoot
from acceptance.releases import CACHE, COMPILERS, RELEASE
from acceptance.workplace import Workplace, ended, kill_after_events, told
from chance import Chance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acceptance.packages import Venvpkg

# What test_made_targets keeps between runs.
BOOTSTRAPPED = CACHE / "systems"
# A program ends a moment after what it was to die with.
GRACE_S = 10
CREATE_TIMEOUT_S = 900


@pytest.fixture(scope="module")
def base(clean_root: CleanRoot) -> Path:
    """A root of the other release; only where this machine can have roots at all."""
    del clean_root
    return CleanRoot.of_release(RELEASE, COMPILERS).base


@pytest.fixture
def place(venvpkg: Venvpkg, base: Path, tmp_path: Path) -> Workplace:
    """A workplace with a root and a cache of systems of its own: what is found to use those was left by this test."""
    place = Workplace.with_tally(venvpkg.program, tmp_path)
    _copy(base, tmp_path / "root")
    return place


@pytest.mark.parametrize("times", [3, pytest.param(50, marks=pytest.mark.full)])
def test_builds_for_several_targets_are_killed_at_any_moment(place: Workplace, times: int) -> None:
    targets = ["--target=host", f"--target=root:{place.path / 'root'}"]
    if times > 3 and BOOTSTRAPPED.is_dir():
        _copy(BOOTSTRAPPED, place.path / "cache" / "systems")
    if times > 3:
        targets.append(f"--target=debian:{RELEASE}")
    started = time.monotonic()
    outcome = place.build(*targets, "--json")
    longest, events = time.monotonic() - started, len(outcome.stdout.splitlines())
    assert outcome.code == 0, outcome.transcript
    digests = place.digests()
    before = _tree(place.path / "root")
    place.forget("dist", "wheelhouse")

    with Chance(times) as chance:
        for number in chance.rounds(times):
            if number % 2:
                kill_after_events(place.start(*targets, "--json"), chance.number(events))
            else:
                _kill_after(place.start(*targets), chance.seconds(longest))
            assert _processes_that_stay(place) == []
            found = place.digests()  # whole, every one
            assert found.items() <= digests.items()
            place.forget("dist", *chance.some(["wheelhouse", "cache/packed"], 2))
            if not chance.number(3):
                (place.project / "pylock.toml").unlink(missing_ok=True)

        outcome = place.build(*targets)

        assert outcome.code == 0, outcome.transcript
        assert "damaged" not in outcome.stderr
        assert place.digests() == digests
        assert place.leftovers() == []
        assert _tree(place.path / "root") == before


@pytest.mark.full
def test_the_making_of_a_system_is_killed_at_any_moment(place: Workplace) -> None:
    create = ("target", "create", f"debian:{RELEASE}", f"--cache={place.path / 'cache'}")
    with Chance(50) as chance:
        longest = 0.0
        for _ in chance.rounds(12):
            process = _started(place, *create)
            # How long it takes varies with the mirror; where it has ended before it was killed, that is known.
            began = time.monotonic()
            if not _kill_after(process, chance.seconds(longest or 60)):
                longest = time.monotonic() - began
                assert process.returncode == 0
                _forget_systems(place)
            assert _processes_that_stay(place) == []
            for tarball in (place.path / "cache" / "systems").glob("tarballs/*"):
                subprocess.run(["zstd", "--test", "--quiet", str(tarball)], check=True)

        process = _started(place, *create)
        said = process.communicate(timeout=CREATE_TIMEOUT_S)
        assert process.returncode == 0, said
        built = place.build(f"--target=debian:{RELEASE}")

        assert built.code == 0, built.transcript
        assert place.leftovers() == []
        systems = place.path / "cache" / "systems"
        (tarball,) = (systems / "tarballs").iterdir()
        roots = {path.name for path in (systems / "roots").iterdir() if path.is_dir()}
        assert roots == {tarball.name.removesuffix(".tar.zst")}


def test_an_interrupt_ends_all_targets_at_once_with_all_their_children(place: Workplace) -> None:
    marker = f"31536000.{place.path.stat().st_ino}"
    place.knobs(f'pause = "{marker}"')
    process = place.start("--target=host", f"--target=root:{place.path / 'root'}", "--jobs=2")
    until = time.monotonic() + 120
    while sum(marker in each for each in _command_lines()) < 2:
        assert time.monotonic() < until, "both never came to compile"
        time.sleep(0.05)

    process.send_signal(signal.SIGINT)
    outcome = ended(process)

    assert (outcome.code, told(outcome)) == (130, "Interrupted."), outcome.transcript
    assert _processes_that_stay(place) == []
    assert place.leftovers() == []
    assert place.packages() == ()


def test_a_target_that_fails_does_not_stop_the_other(place: Workplace) -> None:
    (place.path / "empty").mkdir()

    outcome = place.build("--target=host", f"--target=root:{place.path / 'empty'}", "--json")

    assert outcome.code == 25, outcome.transcript
    *_, result, error = (json.loads(line) for line in outcome.stdout.splitlines())
    good, bad = result["result"]["targets"]
    assert [Path(good["artifact"])] == list(place.packages())
    assert bad["error"]["exit_code"] == 6
    assert (error["event"], error["exit_code"]) == ("error", 25)
    assert place.leftovers() == []


def _started(place: Workplace, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(place.program), *arguments],
        cwd=place.path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _kill_after(process: subprocess.Popen[str], seconds: float) -> bool:
    """Return whether the process still ran, and had to be killed."""
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    return False


def _forget_systems(place: Workplace) -> None:
    shutil.rmtree(place.path / "cache" / "systems", ignore_errors=True)


def _processes_that_stay(place: Workplace) -> list[str]:
    """Return what still runs, after a moment to end: by its arguments, its directory, or what its namespace mounts.

    A mount namespace lasts as long as a process in it: none of these, and no mount of theirs is left either.
    """
    until = time.monotonic() + GRACE_S
    while (found := [*place.processes(), *_namespaces_with(place.path)]) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def _command_lines() -> Iterator[list[str]]:
    """Yield the arguments of every process."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # ended meanwhile
            yield (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")


def _namespaces_with(path: Path) -> list[str]:
    """Return the processes whose mount namespace has something mounted from or below a path."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # ended meanwhile
            if any(str(path) in line for line in (process / "mountinfo").read_text().splitlines()):
                found.append(f"{process.name}: {(process / 'cmdline').read_bytes()!r}")
    return found


def _copy(source: Path, destination: Path) -> None:
    """Copy a tree, by hard links where that can be: what is in a layer over a file never changes the file."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    how = "--link" if source.stat().st_dev == destination.parent.stat().st_dev else "--reflink=auto"
    subprocess.run(["cp", "--archive", how, str(source), str(destination)], check=True)


def _tree(root: Path) -> list[tuple[str, int, int]]:
    """Return path, size and time of everything in a root."""
    found = []
    for directory, directories, files in os.walk(root):
        for name in (*directories, *files):
            path = Path(directory, name)
            status = path.lstat()
            found.append((str(path), status.st_size, status.st_mtime_ns))
    return sorted(found)
