"""An ordinary user builds what root builds, in a root that is root's and in a system of the user's own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.cleanroot import Outcome
from acceptance.packages import BUILD_TIMEOUT_S
from acceptance.releases import PACKAGES, RELEASE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acceptance.cleanroot import CleanRoot
    from acceptance.packages import Venvpkg

TALLY = Path(__file__).parents[1] / "data/projects/tally"
NOBODY = 65534
# root's own interpreter may be in root's home; the release's is everybody's.
PYTHON = "/usr/bin/python3"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who is not root, with an empty home that root's files can be shown in."""

    number: int
    home: Path

    def run(self, *arguments: str) -> Outcome:
        prefix = ("setpriv", f"--reuid={self.number}", f"--regid={self.number}", "--clear-groups")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("VENVPKG_", "XDG_"))},
            "HOME": str(self.home),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        done = subprocess.run(
            [*prefix, PYTHON, "-m", "venvpkg", *arguments],
            cwd=self.home,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BUILD_TIMEOUT_S,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def own(self, directory: Path) -> Path:
        for path in (directory, *directory.rglob("*")):
            os.chown(path, self.number, self.number)
        return directory


@pytest.fixture(scope="module")
def place(clean_root: CleanRoot) -> Iterator[Path]:
    """An empty directory that every user can enter; pytest's own are closed to others."""
    del clean_root  # only where this machine can have roots at all, and tests are root's
    with tempfile.TemporaryDirectory(prefix="venvpkg-tests-", dir="/var/tmp") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


def user_at(home: Path, number: int) -> User:
    home.mkdir()
    user = User(number, home)
    user.own(home)
    if user.run("--version").code != 0:
        pytest.skip(f"this venvpkg is closed to other users: {user.run('--version').stderr[-500:]}")
    return user


@pytest.fixture(scope="module")
def root(place: Path, clean_root: CleanRoot) -> Path:
    """A root that belongs to root, where others can enter it."""
    base = clean_root.of_release(RELEASE, PACKAGES).base
    for how in ("-al", "-a"):  # links to the same files, unless it is another file system
        if subprocess.run(["cp", how, base, place / "root"], check=False, capture_output=True).returncode == 0:
            return place / "root"
        shutil.rmtree(place / "root", ignore_errors=True)
    raise AssertionError(f"{base} cannot be copied to {place}")


def test_in_a_root_that_belongs_to_root_anybody_builds_the_same_bytes(
    place: Path, root: Path, venvpkg: Venvpkg, tmp_path: Path
) -> None:
    nobody = user_at(place / "nobody", NOBODY)
    project = nobody.own(shutil.copytree(TALLY, nobody.home / "tally"))

    theirs = nobody.run("build", str(project), f"--target=root:{root}", f"--out={nobody.home / 'out'}")
    ours, _ = venvpkg.built(str(shutil.copytree(TALLY, tmp_path / "tally")), f"--target=root:{root}", out="as-root")

    assert theirs.code == 0, theirs.transcript
    assert Path(theirs.stdout.strip()).read_bytes() == ours.read_bytes()


def test_who_has_no_numbers_for_other_users_is_told_how_to_get_them(place: Path) -> None:
    nobody = user_at(place / "numberless", NOBODY)

    outcome = nobody.run("target", "create", f"debian:{RELEASE}")

    assert outcome.code == 6, outcome.transcript
    assert "subordinate user ids" in outcome.stderr
    assert "/etc/subuid" in outcome.stderr


@pytest.mark.full
def test_who_has_some_makes_a_system_and_removes_all_of_it(place: Path, venvpkg: Venvpkg, tmp_path: Path) -> None:
    user = user_at(place / "user", _number_of_somebody())
    project = user.own(shutil.copytree(TALLY, user.home / "tally"))
    with (project / "pyproject.toml").open("a") as configuration:
        configuration.write('\n[tool.venvpkg]\nbuild-depends = ["libyaml-dev"]\n')
    cache = user.home / "cache"

    theirs = user.run("build", str(project), f"--target=debian:{RELEASE}", f"--cache={cache}", f"--out={user.home}")
    copy = shutil.copytree(project, tmp_path / "tally")
    ours, _ = venvpkg.built(str(copy), f"--target=debian:{RELEASE}", out="as-root-made")
    removed = user.run("target", "remove", f"debian:{RELEASE}", f"--cache={cache}")

    assert theirs.code == 0, theirs.transcript
    assert Path(theirs.stdout.strip()).read_bytes() == ours.read_bytes()
    assert removed.code == 0, removed.transcript
    assert [path for path in (cache / "systems").rglob("*") if path.suffix != ".lock" and path.is_file()] == []
    assert list((cache / "work").iterdir()) == []


def _number_of_somebody() -> int:
    """Return a user who has subordinate numbers; see subuid(5)."""
    if shutil.which("newuidmap") is None:
        pytest.skip("uidmap is not installed")
    listed = Path("/etc/subuid").read_text().splitlines() if Path("/etc/subuid").exists() else []
    names = {line.partition(":")[0] for line in listed}
    found = [each.pw_uid for each in pwd.getpwall() if each.pw_name in names and each.pw_uid]
    if not found:
        pytest.skip("no user has subordinate numbers (/etc/subuid)")
    return found[0]
