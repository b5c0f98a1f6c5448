"""A wheel that is refused before a build is refused by staging, and the other way round."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.samples import PREFIX, SITE
from unit.wheelhouse.makers import record_of, wheel_members, write_wheel
from venvpkg.errors import WheelError
from venvpkg.host import archive as limits
from venvpkg.model.wheels import Action, ReadyWheel
from venvpkg.staging.install import install_wheels
from venvpkg.staging.installed_paths import VenvTree
from venvpkg.wheelhouse.check import check_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAME = "demo-1.0-py3-none-any.whl"
INFO = "demo-1.0.dist-info"
MODULE = b"X = 1\n"  # what makers write as demo.py


def with_members(**members: bytes) -> Callable[[Path], None]:
    return lambda path: void(write_wheel(path, {**wheel_members(), **members}))


def with_record(line: bytes) -> Callable[[Path], None]:
    others = {name: content for name, content in wheel_members().items() if name != "demo.py"}
    return lambda path: void(write_wheel(path, record=line + record_of(others, INFO)))


def void(_: object) -> None:
    """Say that a result is of no interest."""


def twice(path: Path) -> None:
    write_wheel(path)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("demo.py", MODULE)


def linked(path: Path) -> None:
    write_wheel(path, mode=0o120777)


def cut_off(path: Path) -> None:
    write_wheel(path)
    path.write_bytes(path.read_bytes()[:-30])


def sha512(content: bytes) -> str:
    return "sha512=" + base64.urlsafe_b64encode(hashlib.sha512(content).digest()).rstrip(b"=").decode()


def sha256(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


REFUSED: dict[str, Callable[[Path], None]] = {
    "a path outside": with_members(**{"../evil.py": b""}),
    "a backslash": with_members(**{"demo\\evil.py": b""}),
    "a control character": with_members(**{"demo/\x07.py": b""}),
    "a file below a file": with_members(**{"demo.py/x": b""}),
    "a second .dist-info": with_members(**{"other-1.0.dist-info/METADATA": b""}),
    "another version of wheels": with_members(**{f"{INFO}/WHEEL": b"Wheel-Version: 2.0\n"}),
    "metadata without end": with_members(**{f"{INFO}/entry_points.txt": b"#" * 3000}),
    "too many members": with_members(**{f"demo/{each}": b"" for each in range(20)}),
    "too much": with_members(**{"demo/data": bytes(9000)}),
    "a bomb": with_members(**{"demo/zeros": bytes(1 << 12)}),
    "one name twice": twice,
    "a link": linked,
    "an archive that is cut off": cut_off,
    "a file that RECORD has not": with_record(b""),
    "no hash": with_record(b"demo.py,,\n"),
    "a hash that nobody trusts": with_record(b"demo.py,md5=bogus,6\n"),
    "another hash": with_record(f"demo.py,{sha256(b'other')},6\n".encode()),
    "does not have the size": with_record(f"demo.py,{sha256(MODULE)},7\n".encode()),
    "a line of RECORD twice": with_record(2 * f"demo.py,{sha256(MODULE)},6\n".encode()),
}
ACCEPTED: dict[str, Callable[[Path], None]] = {
    "what is right": with_members(),
    "a hash that is better": with_record(f"demo.py,{sha512(MODULE)},6\n".encode()),
    "no size, which RECORD need not have": with_record(f"demo.py,{sha256(MODULE)},\n".encode()),
    "a line of RECORD for nothing": with_record(f"gone.py,{sha256(b'')},0\ndemo.py,{sha256(MODULE)},6\n".encode()),
}


@pytest.fixture(autouse=True)
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    low = limits.Limits(members=20, total_bytes=8000, ratio=3, ratio_counts_above_bytes=3900)
    monkeypatch.setattr(limits, "DISTRIBUTION", low)
    monkeypatch.setattr("venvpkg.wheelhouse.check.MOST_METADATA_BYTES", 2000)


def stage(path: Path, destdir: Path) -> None:
    (destdir / SITE.relative_to("/")).mkdir(parents=True)
    wheel = ReadyWheel("demo", "1.0", path, hashlib.sha256(path.read_bytes()).hexdigest(), Action.PURE)
    install_wheels([wheel], VenvTree(destdir, PREFIX, "python3.11", {}), RecordingReporter())


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED.keys())
def test_what_one_refuses_the_other_refuses(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / NAME)

    with pytest.raises(WheelError):
        check_wheel(tmp_path / NAME)
    with pytest.raises(WheelError):
        stage(tmp_path / NAME, tmp_path / "destdir")


@pytest.mark.parametrize("make", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_what_one_accepts_the_other_accepts(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / NAME)

    check_wheel(tmp_path / NAME)
    stage(tmp_path / NAME, tmp_path / "destdir")

    assert (tmp_path / "destdir" / SITE.relative_to("/") / "demo.py").read_bytes() == MODULE
