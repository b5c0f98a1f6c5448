"""A password in each place where a run can be given one; afterwards it is only there."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from differential.makers import python_project, wheel
from indexserver import Index, publish, running_index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from venvpkg.model.target import Target

LOGIN = ("ci", "Planted-4711")
PASSWORD = LOGIN[1].encode()
# A backend that says all that it can read, as some do when they fail.
TALKATIVE = """
import os
print(open("pyproject.toml").read(), dict(os.environ))
"""


@pytest.fixture
def index() -> Iterator[Index]:
    with running_index() as running:
        yield running


def project(directory: Path, requirement: str = "lib", more: str = "") -> Path:
    app = python_project(directory / "app", "app", requirement, more=more)
    backend = app / "backend.py"
    backend.write_text(backend.read_text() + TALKATIVE)
    return app


def build(app: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    home = app.parent / "home"
    home.mkdir(exist_ok=True)
    words = (sys.executable, "-m", "venvpkg", "build", "-v", f"--cache={home}/cache", f"--wheelhouse={home}/wheelhouse")
    base = {"PATH": os.environ["PATH"], "HOME": str(home), "PIP_CONFIG_FILE": "/dev/null"}
    return subprocess.run(words, cwd=app, env=base | environ, capture_output=True, check=False)


def with_password(*directories: Path) -> list[str]:
    """Return the files that contain the password, also those within packages."""
    spellings = (PASSWORD, base64.b64encode(":".join(LOGIN).encode()))
    found = []
    for file in (each for directory in directories for each in directory.rglob("*") if each.is_file()):
        content = file.read_bytes()
        if file.suffix == ".deb":
            content = subprocess.run(("dpkg-deb", "--fsys-tarfile", file), check=True, capture_output=True).stdout
            content += subprocess.run(("dpkg-deb", "--ctrl-tarfile", file), check=True, capture_output=True).stdout
        if any(each in content for each in spellings):
            found.append(file.name)
    return sorted(found)


@pytest.mark.parametrize("place", ["variable", "password", "pip.conf", ".netrc", "reference", "[tool.uv]", "prepare"])
def test_a_password_stays_where_it_was_given(place: str, tmp_path: Path, index: Index, target: Target) -> None:
    del target  # without one, there is nothing to build for
    url = publish(index, wheel("lib", "1.0"), login=LOGIN)
    plain = url.replace(":".join(LOGIN) + "@", "")
    home = tmp_path / "home"
    home.mkdir()
    environ, requirement, more = {"UV_DEFAULT_INDEX": url}, "lib", ""
    match place:
        case "prepare":
            more = """prepare = [
                { run = ["cp", "about.txt", "app/made"], outputs = ["app/made"] },
                { run = ["echo", "URL"], outputs = ["app/made"] },
            ]""".replace("URL", url)
        case "password":
            environ = {"UV_DEFAULT_INDEX": f"corp={plain}", "UV_INDEX_CORP_USERNAME": LOGIN[0]}
            environ["UV_INDEX_CORP_PASSWORD"] = LOGIN[1]
        case "pip.conf":
            (home / "pip.conf").write_text(f"[global]\nindex-url = {url}\n")
            environ = {"PIP_CONFIG_FILE": str(home / "pip.conf")}
        case ".netrc" | "reference":
            (home / ".netrc").write_text(f"machine {urlsplit(plain).hostname} login {LOGIN[0]} password {LOGIN[1]}\n")
            (home / ".netrc").chmod(0o600)
            environ = {"UV_DEFAULT_INDEX": plain}
            file = url.replace("/simple", "/files/lib-1.0-py3-none-any.whl")
            requirement = f"lib @ {file}" if place == "reference" else "lib"
        case "[tool.uv]":
            environ, more = {}, f'[[tool.uv.index]]\nurl = "{url}"\ndefault = true'
        case _:
            pass
    app = project(tmp_path, requirement, more)

    done = build(app, environ)

    assert done.returncode == 0, done.stderr.decode()
    assert PASSWORD not in done.stdout + done.stderr
    assert set(with_password(home)) <= {"pip.conf", ".netrc"}
    assert set(with_password(app)) <= {"pyproject.toml", "about.txt"}


def test_a_wheel_with_an_indexs_password_in_a_file_is_neither_kept_nor_packed(
    tmp_path: Path, index: Index, target: Target
) -> None:
    del target
    url = publish(index, wheel("lib", "1.0"), login=LOGIN)
    app = project(tmp_path)
    (app / "app/settings.py").write_text(f'INDEX = "{url}"\n')

    done = build(app, {"UV_DEFAULT_INDEX": url})

    assert done.returncode != 0
    assert b"app/settings.py" in done.stderr
    assert PASSWORD not in done.stderr
    assert with_password(tmp_path / "home") == []
    assert not (app / "dist").exists()


def test_a_file_of_the_project_with_an_indexs_password_is_not_packed(
    tmp_path: Path, index: Index, target: Target
) -> None:
    del target
    url = publish(index, wheel("lib", "1.0"), login=LOGIN)
    app = project(tmp_path, more='files = [{ source = "pip.conf", target = "/etc/app/pip.conf" }]')
    (app / "pip.conf").write_text(f"[global]\nindex-url = {url}\n")

    done = build(app, {"UV_DEFAULT_INDEX": url})

    assert b"/etc/app/pip.conf" in done.stderr
    assert not (app / "dist").exists()
