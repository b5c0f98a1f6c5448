"""Systems with rpm that venvpkg makes itself, by this machine's dnf, from the rpm world's repository."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.packages import shown
from acceptance.rpms import requires_of, write_postgresql_project
from acceptance.smallproject import NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from acceptance.cleanroot import Outcome
    from acceptance.packages import Venvpkg
    from rpmworld.world import World

# A system takes a minute to make, and several are.
pytestmark = pytest.mark.full

TARGET = "fedora:12"


@dataclass(frozen=True, slots=True)
class Bootstrapper:
    """venvpkg with a cache and a targets.toml of its own."""

    venvpkg: Venvpkg
    cache: Path
    repository: Path

    def settings(self, *more: str, keys: bool = False) -> None:
        """Say what the system is made from."""
        signed = 'keys = ["file:///no-such-key"]\n' if keys else ""
        lines = [f'["{TARGET}"]', *more, f'[["{TARGET}".repositories]]']
        text = "\n".join([*lines, 'name = "world"', f'url = "file://{self.repository}"', signed])
        self._file.write_text(text)

    @property
    def _file(self) -> Path:
        return self.cache.with_suffix(".toml")

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "VENVPKG_TARGETS": str(self._file)}

    def run(self, *arguments: str) -> Outcome:
        """Run it."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("VENVPKG_TARGETS", str(self._file))
            return self.venvpkg.run(*arguments, f"--cache={self.cache}")

    def systems(self) -> list[str]:
        """Return what is in the cache of systems but for locks."""
        places = (self.cache / "systems", self.cache / "systems/roots", self.cache / "systems/tarballs")
        found = (path for place in places if place.is_dir() for path in place.iterdir())
        return sorted(path.name for path in found if path.suffix != ".lock" and path.name not in {"roots", "tarballs"})


@pytest.fixture(scope="module")
def world(rpm_worlds: Callable[[str | None], World]) -> World:
    return rpm_worlds("bookworm")


@pytest.fixture
def fresh(venvpkg: Venvpkg, world: World, tmp_path: Path) -> Bootstrapper:
    return Bootstrapper(venvpkg, tmp_path / "cache", world.repository)


@pytest.fixture(scope="module")
def maker(venvpkg: Venvpkg, world: World) -> Bootstrapper:
    maker = Bootstrapper(venvpkg, venvpkg.directory / "rpm-made", world.repository)
    maker.settings()
    return maker


@pytest.fixture(scope="module")
def call(maker: Bootstrapper) -> Outcome:
    project = write_postgresql_project(maker.venvpkg.directory / "rpm-made-project" / NAME, "1.0.0")
    places = {each: maker.venvpkg.directory / f"rpm-made-{each}" for each in ("wheelhouse", "out")}
    return maker.run("build", str(project), f"--target={TARGET}", *(f"--{name}={at}" for name, at in places.items()))


def test_a_package_is_built_in_one_and_runs_in_a_clean_root(call: Outcome, world: World) -> None:
    assert call.code == 0, call.transcript
    package = Path(call.stdout.strip())

    outcome = world.root().run(
        f"dnf -q -y install {shown(package)} && {NAME} && rpm -V {NAME}", binds={package: shown(package)}
    )

    assert outcome.code == 0, outcome.transcript
    assert "3 rings of 1.0.0\n" in outcome.stdout
    assert any(each.startswith("libpq.so.5") for each in requires_of(package))


def test_what_is_not_checked_is_told_and_what_the_project_needs_is_installed(call: Outcome) -> None:
    assert f"{TARGET}: world has no keys" in call.stderr
    assert re.search(rf"installed pkgconfig\(libpq\) in {TARGET} in ", call.stderr)


def test_an_update_has_what_the_repository_has_now(maker: Bootstrapper, call: Outcome) -> None:
    """The same recipe; and one that the user changed serves with a warning until then."""
    assert call.code == 0, call.transcript
    before = maker.systems()
    maker.settings('packages = ["libpq-devel"]')

    unchanged = maker.run("target", "create", TARGET)
    updated = maker.run("target", "update", TARGET)

    listed = maker.run("target", "show", TARGET)
    assert f"run venvpkg target update {TARGET}" in re.sub(r"\s+", " ", unchanged.stderr)
    assert updated.code == 0, updated.transcript
    assert "\n  libpq-devel." in listed.stdout
    assert len(maker.systems()) == 3  # description, tarball, root
    assert {*maker.systems()} & {*before} == {"fedora-12.json"}


def test_a_repository_that_is_not_signed_with_the_users_keys_makes_nothing(fresh: Bootstrapper) -> None:
    fresh.settings(keys=True)

    outcome = fresh.run("target", "create", TARGET)

    assert outcome.code != 0
    assert f"dnf failed to bootstrap {TARGET}" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert fresh.systems() == []


@pytest.mark.parametrize("target", [TARGET, "debian:trixie"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_system_that_was_begun_when_its_maker_was_ended_leaves_nothing(
    fresh: Bootstrapper, target: str, number: signal.Signals
) -> None:
    fresh.settings()
    command = [str(fresh.venvpkg.program), "target", "create", f"--cache={fresh.cache}", target]
    with subprocess.Popen(command, env=fresh.environment, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: [each for each in using(fresh.cache) if not each.startswith(str(process.pid))], 60)
        time.sleep(3)
        os.kill(process.pid, number)
        process.wait()
    wait_for(lambda: not using(fresh.cache), 30)

    listed = fresh.run("target", "list")

    assert listed.stdout == ""
    assert fresh.systems() == []
    assert str(fresh.cache) not in Path("/proc/self/mounts").read_text()
    # What it wrote is gone with the next run that needs a workspace.
    assert fresh.run("target", "create", "debian:nosuch").code != 0
    assert [path for path in (fresh.cache / "work").iterdir() if path.is_dir()] == []


def wait_for(holds: Callable[[], object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def using(place: Path) -> list[str]:
    """Return the processes that name a directory, or have something of it mounted, as ``PID arguments``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            mounted = (process / "mountinfo").read_text(errors="replace")
        except OSError:  # ended meanwhile
            continue
        if str(place) in arguments + mounted and int(process.name) != os.getpid():
            found.append(f"{process.name} {arguments}")
    return found
