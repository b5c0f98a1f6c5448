"""An index that is slow, wrong or cut off, and files in it that were made to do harm; with the real command line."""

from __future__ import annotations

import hashlib
import os
import subprocess  # the tests run venvpkg as its users do
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.cleanroot import Outcome
from differential.makers import python_project
from indexserver import Index, Stalling, content, running_index, status, truncated
from unit.wheelhouse.makers import link, record_of, wheel_members, write_sdist, write_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from indexserver import Handle

WHEEL = "rare-1.0-py3-none-any.whl"
SDIST = "rare-1.0.tar.gz"
BACKEND = b'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
SOURCE = {
    "rare-1.0/PKG-INFO": b"Metadata-Version: 2.2\nName: rare\nVersion: 1.0\n",
    "rare-1.0/pyproject.toml": BACKEND,
    "rare-1.0/backend.py": b"",
}


@dataclass(frozen=True, slots=True)
class Place:
    """An application that needs rare 1.0, venvpkg's places, and the index that it is to come from."""

    path: Path
    index: Index

    def publish(self, file: Path, digest: str = "") -> None:
        """Serve a simple index with one file, as it should be but for its content."""
        body = file.read_bytes()
        url = self.index.serve(f"/files/{file.name}", content(body))
        anchor = f'<a href="{url}#sha256={digest or hashlib.sha256(body).hexdigest()}">{file.name}</a>'
        self.index.serve("/simple/rare/", content(anchor.encode(), Content_Type="text/html"))

    def build(self, *options: str) -> Outcome:
        """Build with nothing but this index; it never takes long and never ends in a traceback."""
        program = Path(sys.executable).parent / "venvpkg"
        places = (f"--{name}={self.path / name}" for name in ("wheelhouse", "cache", "out"))
        foreign = ("PIP_", "UV_", "VENVPKG_", "NO_PROXY", "no_proxy")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | {
            "NO_PROXY": "127.0.0.1",
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_INDEX_URL": f"{self.index.url}/simple",
            "TMPDIR": str(self.path),
            "UV_CACHE_DIR": str(self.path / "uv"),
            "UV_HTTP_RETRIES": "1",
            "UV_HTTP_TIMEOUT": "1",
        }
        done = subprocess.run(
            [str(program), "build", f"{self.path / 'app'}/", *places, *options],
            cwd=self.path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        outcome = Outcome(done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, outcome.transcript
        return outcome


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    if not Path("/usr/bin/dpkg-deb").exists():
        pytest.skip("this machine is no Debian")
    python_project(tmp_path / "app", "app", "rare")
    with running_index() as index:
        yield Place(tmp_path, index)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write_wheel(tmp_path / WHEEL, wheel_members("rare"))


PAGES: dict[str, Callable[[Handle], None]] = {
    "fails": status(500),
    "is not there": status(404),
    "is cut off": truncated(b"<html><body><a href="),
    "is no page": content(bytes(range(256)) * 20, Content_Type="text/html"),
    "is malformed": content(
        b'{"meta": {"api-version": "1.0"}, "files": [{"filename": 7}]}',
        Content_Type="application/vnd.pypi.simple.v1+json",
    ),
    "leads to itself": status(302, Location="/simple/rare/"),
    "never comes": Stalling(),
}
# Each of the others takes the same way through venvpkg as one of these.
USUAL = ("is cut off", "never comes")
OTHERS = tuple(name for name in PAGES if name not in USUAL)


@pytest.mark.parametrize("name", [*USUAL, *(pytest.param(name, marks=pytest.mark.full) for name in OTHERS)])
def test_a_page_of_an_index_that_cannot_be_used_is_told_and_harms_nothing(place: Place, good: Path, name: str) -> None:
    place.index.serve("/simple/rare/", PAGES[name])
    started = time.monotonic()

    outcome = place.build()

    assert outcome.code == 4, outcome.transcript
    assert "rare" in outcome.stderr
    assert time.monotonic() - started < 30
    assert not (place.path / "app/pylock.toml").exists()
    place.publish(good)
    assert place.build().code == 0


@pytest.mark.parametrize("name", [*USUAL, *(pytest.param(name, marks=pytest.mark.full) for name in OTHERS)])
def test_a_locked_file_that_cannot_be_had_is_told_and_harms_nothing(place: Place, good: Path, name: str) -> None:
    place.publish(good)
    locked = place.build()
    assert locked.code == 0, locked.transcript
    for path in ("cache", "uv", "out"):
        (place.path / path).rename(place.path / f"{path}-before")
    place.index.serve(f"/files/{WHEEL}", PAGES[name])

    outcome = place.build("--locked")

    assert outcome.code == 5, outcome.transcript
    assert f"{WHEEL}: " in outcome.stderr
    assert not list((place.path / "cache").rglob("*.whl"))
    assert not (place.path / "out").exists()
    place.publish(good)
    assert place.build("--locked").code == 0


def test_a_file_that_is_not_the_one_that_its_index_lists_is_refused(place: Place, good: Path) -> None:
    place.publish(good, digest="0" * 64)

    outcome = place.build()

    assert outcome.code == 5, outcome.transcript
    assert f"expected sha256 {'0' * 64}" in outcome.stderr
    assert not (place.path / "out").exists()


def _without_record_of(name: str) -> bytes:
    members = wheel_members("rare")
    members.pop(name)
    return record_of(members, "rare-1.0.dist-info")


HOSTILE_WHEELS: dict[str, tuple[dict[str, bytes], bytes | None, int]] = {
    "climbs out": ({"../../evil.py": b""}, None, 0o100644),
    "is absolute": ({"/var/tmp/evil.py": b""}, None, 0o100644),
    "climbs out of its data": ({"rare-1.0.data/data/../../../evil.py": b""}, None, 0o100644),
    "has links": ({"evil.py": b"/etc/passwd"}, None, 0o120777),
    "is not in its record": ({}, _without_record_of("rare.py"), 0o100644),
    "is not as recorded": ({}, record_of({**wheel_members("rare"), "rare.py": b"Y = 1\n"}, "rare-1.0.dist-info"), 0),
    "has no record": ({}, b"", 0o100644),
}


@pytest.mark.parametrize(("more", "record", "mode"), HOSTILE_WHEELS.values(), ids=HOSTILE_WHEELS)
def test_a_hostile_wheel_is_refused_by_name(
    place: Place, more: dict[str, bytes], record: bytes | None, mode: int
) -> None:
    members = {**wheel_members("rare"), **more}
    place.publish(write_wheel(place.path / "index" / WHEEL, members, record=record, mode=mode))

    outcome = place.build()

    assert outcome.code == 8, outcome.transcript
    assert WHEEL in outcome.stderr
    assert not list(place.path.rglob("evil.py"))
    assert not Path("/var/tmp/evil.py").exists()
    assert not (place.path / "out").exists()


@pytest.mark.full
def test_a_bomb_is_refused_before_it_fills_the_disk(place: Place) -> None:
    # An sdist that is one is for unpack's own tests: uv, which reads its metadata, unpacks it first.
    place.publish(write_wheel(place.path / "index" / WHEEL, wheel_members("rare") | {"zeros": bytes(300 << 20)}))

    outcome = place.build()

    assert outcome.code == 8, outcome.transcript
    assert "times its size" in outcome.stderr
    assert sum(path.stat().st_size for path in (place.path / "cache").rglob("*") if path.is_file()) < 64 << 20


HOSTILE_SDISTS: dict[str, tuple[dict[str, bytes], tuple[tarfile.TarInfo, ...]]] = {
    "climbs out": ({"rare-1.0/../../evil": b""}, ()),
    "is absolute": ({"/var/tmp/evil": b""}, ()),
    "links out of its tree": ({}, (link("rare-1.0/evil", "/etc/passwd"),)),
    "links to a file of the machine": ({}, (link("rare-1.0/evil", "/etc/passwd", tarfile.LNKTYPE),)),
    "has a device": ({}, (link("rare-1.0/evil", "", tarfile.CHRTYPE),)),
}


@pytest.mark.parametrize(("more", "members"), HOSTILE_SDISTS.values(), ids=HOSTILE_SDISTS)
def test_a_hostile_sdist_is_refused_by_name(
    place: Place, more: dict[str, bytes], members: tuple[tarfile.TarInfo, ...]
) -> None:
    place.publish(write_sdist(place.path / "index" / SDIST, SOURCE | more, *members))

    outcome = place.build()

    # 4 where uv, which reads the metadata, has refused it already.
    assert outcome.code in {4, 8}, outcome.transcript
    assert "rare" in outcome.stderr
    assert [path for path in place.path.rglob("evil") if not path.is_relative_to(place.path / "uv")] == []
    assert not Path("/var/tmp/evil").exists()
    assert not (place.path / "out").exists()


def test_no_file_of_a_package_has_more_rights_than_its_kind(place: Place) -> None:
    place.publish(write_wheel(place.path / "index" / WHEEL, wheel_members("rare"), mode=0o106777))

    outcome = place.build()

    assert outcome.code == 0, outcome.transcript
    listing = subprocess.run(
        ["dpkg-deb", "--contents", outcome.stdout.strip()], capture_output=True, text=True, check=True
    ).stdout
    assert "/rare.py" in listing
    assert {line.split()[0] for line in listing.splitlines()} == {
        "drwxr-xr-x",
        "-rw-r--r--",
        "-rwxr-xr-x",
        "lrwxrwxrwx",
    }
