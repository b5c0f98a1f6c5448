"""Packages from every kind of lock that a user may have: the real uv, git and dpkg-deb, and a loopback index."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from differential.gitserver import http_backend, running_git_server
from differential.makers import git, python_project, repository, wheel
from indexserver import Index, content, publish, running_index
from unit.fakes import RecordingReporter
from venvpkg import pipeline
from venvpkg.api import read_project
from venvpkg.context import Session
from venvpkg.errors import DownloadError, LockError, MissingToolError, PrepareError, StagingError
from venvpkg.host.command import Command, Completed
from venvpkg.host.runner import SubprocessRunner
from venvpkg.host.tools import find_uv
from venvpkg.model.wheels import Action
from venvpkg.rebuild import rebuild
from venvpkg.record.file import record_path
from venvpkg.store.dirs import Dirs
from venvpkg.wheelbuild.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from venvpkg.model.package import Artifact
    from venvpkg.model.target import Target


@pytest.fixture
def index() -> Iterator[Index]:
    with running_index() as running:
        yield running


@dataclass
class Desk:
    """One user's machine: their variables and venvpkg's places, all below one directory."""

    home: Path
    environ: dict[str, str]
    reporter: RecordingReporter

    def build(self, project: Path, *, locked: bool = False, offline: bool = False) -> Artifact:
        read = read_project(f"{project}/")
        return pipeline.build(read, self.home / "dist", self.session(offline=offline), locked=locked).artifact

    def plan(self, project: Path) -> dict[str, str]:
        return {each.name: each.reason for each in pipeline.plan(read_project(f"{project}/"), self.session()).wheels}

    def uv(self, project: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> None:
        argv = (str(find_uv()), *arguments, "--python", "/usr/bin/python3", "--quiet")
        subprocess.run(argv, check=True, cwd=project, env=self.environ | dict(environ or {}))

    def session(self, *, offline: bool = False) -> Session:
        dirs = Dirs(self.home / "wheelhouse", self.home / "cache")
        runner = SubprocessRunner(self.environ)
        return Session(runner, self.reporter, dirs, self.environ, Pool(2), offline)


@pytest.fixture
def desk(tmp_path: Path, target: Target, monkeypatch: pytest.MonkeyPatch) -> Desk:
    del target  # skips where none is
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PIP_CONFIG_FILE": "/dev/null",
        "SOURCE_DATE_EPOCH": "1700000000",
        "UV_PYTHON_DOWNLOADS": "never",
        "PIP_NO_INDEX": "1",
    }
    return Desk(home, environ, RecordingReporter())


def with_index(desk: Desk, url: str) -> None:
    del desk.environ["PIP_NO_INDEX"]
    desk.environ["PIP_INDEX_URL"] = url


def installed(artifact: Artifact) -> set[str]:
    """Return the distributions in a package, as ``name-version``."""
    listing = subprocess.run(("dpkg-deb", "--contents", artifact.path), check=True, capture_output=True, text=True)
    return {
        part.removesuffix(".dist-info")
        for line in listing.stdout.splitlines()
        for part in line.split("/")
        if part.endswith(".dist-info")
    }


def repeated(desk: Desk, artifact: Artifact, project: Path) -> str:
    """Build once more from the record of a package, and return the sha256 that comes out."""
    record = record_path(artifact.path)
    return rebuild(record, f"{project}/", desk.session(), keep=None).sha256


def digest(file: tuple[str, bytes]) -> str:
    return hashlib.sha256(file[1]).hexdigest()


def test_a_member_of_a_uv_workspace_is_packaged_with_the_members_that_it_needs(tmp_path: Path, desk: Desk) -> None:
    more = '[tool.uv.sources]\nlib = { workspace = true }\n[tool.uv.workspace]\nmembers = ["packages/*"]\n'
    top = python_project(tmp_path / "ws", "app", "lib", more=more)
    lib = python_project(top / "packages" / "lib", "lib")
    python_project(top / "packages" / "other", "other")
    desk.uv(top, "lock", "--no-index")
    before = (top / "uv.lock").read_bytes()

    first = desk.build(top, locked=True)
    member = desk.build(lib, locked=True)
    reasons = desk.plan(top)
    (lib / "lib" / "__init__.py").write_text("changed = True\n")
    second = desk.build(top, locked=True, offline=True)

    assert installed(first) == {"app-1.0", "lib-1.0"}
    assert installed(member) == {"lib-1.0"}
    assert "built before" in reasons["lib"]
    assert installed(second) == installed(first)
    assert first.sha256 != second.sha256
    assert (top / "uv.lock").read_bytes() == before
    assert not (top / "pylock.toml").exists()


@pytest.mark.full
def test_nothing_is_editable_and_no_path_of_the_workspace_is_in_the_package(tmp_path: Path, desk: Desk) -> None:
    python_project(tmp_path / "lib", "lib")
    more = '[tool.uv.sources]\nlib = { path = "../lib", editable = true }\n'
    app = python_project(tmp_path / "app", "app", "lib", more=more)

    artifact = desk.build(app)

    subprocess.run(("dpkg-deb", "--extract", artifact.path, tmp_path / "x"), check=True)
    texts = [path.read_bytes() for path in (tmp_path / "x").rglob("*") if path.is_file() and not path.is_symlink()]
    assert installed(artifact) == {"app-1.0", "lib-1.0"}
    assert not [text for text in texts if str(tmp_path).encode() in text]
    assert 'path = "../lib"' in (app / "pylock.toml").read_text()


def test_a_uv_lock_that_is_out_of_date_is_refused_and_stays_as_it_is(tmp_path: Path, desk: Desk, index: Index) -> None:
    url = publish(index, wheel("alpha", "1.0"), wheel("beta", "1.0"))
    app = python_project(tmp_path / "app", "app", "alpha")
    desk.uv(app, "lock", "--default-index", url)
    with_index(desk, url)
    before = (app / "uv.lock").read_bytes()

    fresh = desk.build(app)
    text = (app / "pyproject.toml").read_text()
    (app / "pyproject.toml").write_text(text.replace("['alpha']", "['alpha', 'beta']"))
    with pytest.raises(LockError, match="out of date") as caught:
        desk.build(app)

    assert installed(fresh) == {"app-1.0", "alpha-1.0"}
    assert "uv lock" in caught.value.resolution
    assert (app / "uv.lock").read_bytes() == before


def test_a_uv_lock_fits_whatever_indexes_this_machine_has(tmp_path: Path, desk: Desk, index: Index) -> None:
    url = publish(index, wheel("alpha", "1.0"))
    app = python_project(tmp_path / "app", "app", "alpha", more=f'[[tool.uv.index]]\nname = "corp"\nurl = "{url}"\n')
    desk.uv(app, "lock")
    asked = len(index.asked)

    desk.environ["PIP_INDEX_URL"] = "http://127.0.0.1:1/simple"
    artifact = desk.build(app, locked=True)

    assert installed(artifact) == {"app-1.0", "alpha-1.0"}
    assert index.asked[asked:] == ["/files/alpha-1.0-py3-none-any.whl"]


def test_a_hashed_requirements_file_is_a_lock(tmp_path: Path, desk: Desk, index: Index) -> None:
    alpha, beta = wheel("alpha", "1.0", "beta"), wheel("beta", "1.0")
    with_index(desk, publish(index, alpha, beta, wheel("beta", "2.0")))
    app = python_project(tmp_path / "app", "app", "alpha", more='lock = "requirements.txt"')
    lines = (
        f"alpha==1.0 --hash=sha256:{digest(alpha)}\nbeta==1.0 \\\n    --hash=sha256:{digest(beta)}\n    # via alpha\n"
    )
    (app / "requirements.txt").write_text(lines)

    first = desk.build(app, locked=True)
    asked = len(index.asked)
    second = desk.build(app, locked=True, offline=True)

    assert installed(first) == {"app-1.0", "alpha-1.0", "beta-1.0"}
    assert (second.sha256, len(index.asked)) == (first.sha256, asked)
    assert repeated(desk, second, app) == first.sha256
    assert not (app / "pylock.toml").exists()


def test_a_file_that_is_not_the_one_the_user_hashed_is_refused_by_name(
    tmp_path: Path, desk: Desk, index: Index
) -> None:
    alpha, evil = wheel("alpha", "1.0"), wheel("alpha", "1.0", tag="py2.py3-none-any")
    with_index(desk, publish(index, (alpha[0], evil[1])))
    app = python_project(tmp_path / "app", "app", "alpha", more='lock = "requirements.txt"')
    (app / "requirements.txt").write_text(f"alpha==1.0 --hash=sha256:{digest(alpha)}\n")

    with pytest.raises(LockError) as caught:
        desk.build(app)

    assert f"alpha 1.0: alpha-1.0-py3-none-any.whl has sha256 {digest(evil)}" in caught.value.details


def test_a_requirements_file_that_does_not_hold_everything_is_an_error(
    tmp_path: Path, desk: Desk, index: Index
) -> None:
    alpha = wheel("alpha", "1.0", "beta>=1")
    with_index(desk, publish(index, alpha, wheel("beta", "1.0")))
    app = python_project(tmp_path / "app", "app", "alpha", more='lock = "requirements.txt"')
    (app / "requirements.txt").write_text(f"alpha==1.0 --hash=sha256:{digest(alpha)}\n")

    with pytest.raises(StagingError, match=r"alpha requires beta>=1: not installed"):
        desk.build(app)

    assert not (desk.home / "dist").exists()


@pytest.mark.full
def test_pins_without_hashes_constrain_the_lock_with_a_notice(tmp_path: Path, desk: Desk, index: Index) -> None:
    with_index(desk, publish(index, wheel("alpha", "1.0"), wheel("alpha", "2.0")))
    app = python_project(tmp_path / "app", "app", "alpha", more='lock = "requirements.txt"')
    (app / "requirements.txt").write_text("alpha==1.0\nunused==3\n")

    first = desk.build(app)
    told = list(desk.reporter.warnings)
    desk.build(app, locked=True)
    (app / "requirements.txt").write_text("alpha==2.0\n")
    with pytest.raises(LockError, match=r"alpha==2\.0 was added"):
        desk.build(app, locked=True)

    assert installed(first) == {"app-1.0", "alpha-1.0"}
    assert "requirements.txt has no hashes" in told[0]
    assert "does not depend on; they are not in the package: unused" in told[1]


_PREPARE = """
[[tool.venvpkg.prepare]]
run = ["python3", "generate.py"]
outputs = ["app/made.py"]
"""
_GENERATE = """
import os, pathlib, socket
try:
    socket.create_connection(("127.0.0.1", 9), 5)
except OSError as error:
    assert error.errno == 101, error  # unreachable: there is no network, not even a loopback
assert os.getcwd() == "/usr/src/venvpkg/src" and not os.listdir("/usr/local")
pathlib.Path("litter").write_text("not an output")
pathlib.Path("app/made.py").write_text("words = %r" % pathlib.Path("words.txt").read_text())
"""


def test_files_that_prepare_commands_make_are_in_the_package_and_nowhere_else(tmp_path: Path, desk: Desk) -> None:
    app = python_project(tmp_path / "app", "app", more=_PREPARE)
    (app / "generate.py").write_text(_GENERATE)
    (app / "words.txt").write_text("one two")
    before = {path.name for path in app.rglob("*")}

    first = desk.build(app)
    planned = desk.plan(app)["app"]
    second = desk.build(app, locked=True, offline=True)
    told = desk.reporter.steps.count("preparing: python3 generate.py")
    (app / "words.txt").write_text("three")
    changed = desk.plan(app)["app"]
    third = desk.build(app, locked=True, offline=True)

    listing = subprocess.run(("dpkg-deb", "--contents", first.path), check=True, capture_output=True, text=True).stdout
    assert ("app/made.py" in listing, "litter" in listing) == (True, False)
    assert {path.name for path in app.rglob("*")} - before == {"pylock.toml", "venvpkg.lock"}
    assert "built before from the same inputs" in planned
    assert (second.sha256, told) == (first.sha256, 1)
    assert "prepare commands have not run" in changed
    assert third.sha256 != first.sha256
    assert repeated(desk, third, app) == third.sha256


def test_a_prepare_command_that_fails_ends_the_build_with_its_own_words(tmp_path: Path, desk: Desk) -> None:
    app = python_project(tmp_path / "app", "app", more=_PREPARE)
    (app / "generate.py").write_text('raise SystemExit("no words today")')

    with pytest.raises(PrepareError, match="'python3 generate.py' failed: exit 1") as caught:
        desk.build(app)

    assert "no words today" in caught.value.details
    assert not (desk.home / "dist").exists()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("by_uv_lock", [pytest.param(False, marks=pytest.mark.full), True])
def test_a_git_dependency_is_built_from_its_locked_commit(tmp_path: Path, desk: Desk, *, by_uv_lock: bool) -> None:
    python_project(tmp_path / "mono" / "python", "lib")
    commit = repository(tmp_path / "mono")
    source = f'lib = {{ git = "{(tmp_path / "mono").as_uri()}", subdirectory = "python" }}'
    app = python_project(tmp_path / "app", "app", "lib", more=f"[tool.uv.sources]\n{source}\n")
    if by_uv_lock:
        desk.uv(app, "lock", "--no-index")

    first = desk.build(app)
    (tmp_path / "mono" / "python" / "about.txt").write_text("lib\n2.0")
    git(tmp_path / "mono", "commit", "--quiet", "--all", "--message", "second")
    second = desk.build(app, locked=True)
    (tmp_path / "mono").rename(tmp_path / "gone")
    third = desk.build(app, locked=True, offline=True)

    assert installed(first) == {"app-1.0", "lib-1.0"}
    assert first.sha256 == second.sha256 == third.sha256 == repeated(desk, third, app)
    assert desk.plan(app)["lib"].startswith(f"source at git commit {commit[:12]}; built before")


@pytest.mark.skipif(
    not http_backend().is_file() or shutil.which("openssl") is None, reason="no git over http, or no openssl"
)
@pytest.mark.parametrize("by_uv_lock", [pytest.param(False, marks=pytest.mark.full), True])
def test_a_git_dependency_over_https_needs_the_users_login_and_authority_once(
    tmp_path: Path, desk: Desk, *, by_uv_lock: bool
) -> None:
    python_project(tmp_path / "repositories" / "mono" / "python", "lib")
    repository(tmp_path / "repositories" / "mono")
    login = ("me", "s3cret-Pa55")
    with running_git_server(tmp_path / "repositories", certificates=tmp_path / "certificates", login=login) as server:
        source = f'lib = {{ git = "{server.url}/mono/.git", subdirectory = "python" }}'
        app = python_project(tmp_path / "app", "app", "lib", more=f"[tool.uv.sources]\n{source}\n")
        (desk.home / ".netrc").write_text("machine 127.0.0.1 login me password s3cret-Pa55\n")
        desk.environ["GIT_SSL_CAINFO"] = str(server.certificate)
        if by_uv_lock:
            desk.uv(app, "lock", "--no-index")
        first = desk.build(app)
        asked = len(server.asked)
        second = desk.build(app, locked=True)

        assert installed(first) == {"app-1.0", "lib-1.0"}
        assert len(server.asked) == asked
    third = desk.build(app, locked=True, offline=True)

    assert first.sha256 == second.sha256 == third.sha256
    locks = [path.read_text() for path in app.glob("*.lock")] + [path.read_text() for path in app.glob("pylock*")]
    assert not [text for text in locks if "s3cret" in text]


@pytest.mark.parametrize("by_uv_lock", [pytest.param(False, marks=pytest.mark.full), True])
def test_a_subdirectory_of_an_archive_at_an_address_is_built_and_checked_by_its_hash(
    tmp_path: Path, desk: Desk, index: Index, *, by_uv_lock: bool
) -> None:
    python_project(tmp_path / "mono-main" / "python", "lib", version="2.5")
    archive = Path(shutil.make_archive(str(tmp_path / "main"), "zip", tmp_path, "mono-main"))
    url = index.serve("/archive/main.zip", content(archive.read_bytes()))
    app = python_project(tmp_path / "app", "app", f"lib @ {url}#subdirectory=python")
    if by_uv_lock:
        desk.uv(app, "lock", "--no-index")

    first = desk.build(app)
    second = desk.build(app, locked=True, offline=True)
    index.serve("/archive/main.zip", content(b"something else"))
    shutil.rmtree(desk.home / "cache")
    shutil.rmtree(desk.home / "wheelhouse")
    with pytest.raises(DownloadError, match="main.zip"):
        desk.build(app, locked=True)

    assert installed(first) == {"app-1.0", "lib-2.5"}
    assert first.sha256 == second.sha256


def test_the_lock_of_a_program_that_is_not_here_is_refused_with_the_command_to_run(tmp_path: Path, desk: Desk) -> None:
    app = python_project(tmp_path / "app", "app")
    (app / "poetry.lock").write_text("")
    desk.environ["PATH"] = "/usr/bin:/bin"

    with pytest.raises(LockError) as caught:
        desk.build(app)

    assert "poetry export --no-interaction --format requirements.txt" in caught.value.resolution
    assert not (app / "pylock.toml").exists()


_HOW = ("netrc", "UV_INDEX", "pip.conf", "UV_DEFAULT_INDEX")
_QUICK = ("netrc", "uv.lock")


@pytest.mark.parametrize(
    ("how", "lock"),
    [
        pytest.param(how, lock, marks=() if (how, lock) == _QUICK else pytest.mark.full)
        for how in _HOW
        for lock in ("pylock.toml", "uv.lock", "requirements.txt")
    ],
)
def test_a_private_index_is_used_and_its_secret_reaches_no_file(
    tmp_path: Path, desk: Desk, index: Index, how: str, lock: str
) -> None:
    alpha = wheel("alpha", "1.0")
    login = ("me", "s3cret-Pa55")
    with_login = publish(index, alpha, login=login)
    url = with_login.replace("me:s3cret-Pa55@", "")
    more = 'lock = "requirements.txt"\n' if lock == "requirements.txt" else ""
    if how == "UV_INDEX":
        more += f'[[tool.uv.index]]\nname = "corp"\nurl = "{url}"\ndefault = true\n'
    app = python_project(tmp_path / "app", "app", "alpha", more=more)
    _set_login(desk, how, url, with_login)
    if lock == "uv.lock":
        indexes = {"UV_DEFAULT_INDEX": with_login} if how == "pip.conf" else {}
        desk.uv(app, "lock", environ=indexes)
    if lock == "requirements.txt":
        (app / lock).write_text(f"alpha==1.0 --hash=sha256:{digest(alpha)}\n")

    artifact = desk.build(app)
    again = desk.build(app, locked=True, offline=True)

    assert installed(artifact) == {"app-1.0", "alpha-1.0"}
    assert again.sha256 == artifact.sha256
    subprocess.run(("dpkg-deb", "--raw-extract", artifact.path, tmp_path / "x"), check=True)
    secrets = (b"s3cret-Pa55", base64.b64encode(b"me:s3cret-Pa55"))
    mine = {desk.home / ".netrc", desk.home / "pip.conf"}
    leaked = [
        path
        for top in (app, tmp_path / "x", desk.home / "wheelhouse", desk.home / "cache", desk.home / "dist")
        for path in top.rglob("*")
        if path.is_file() and path not in mine and any(secret in path.read_bytes() for secret in secrets)
    ]
    assert leaked == []
    assert "s3cret" not in repr(desk.reporter)


def _set_login(desk: Desk, how: str, url: str, with_login: str) -> None:
    del desk.environ["PIP_NO_INDEX"]
    match how:
        case "netrc":
            desk.environ["UV_DEFAULT_INDEX"] = url
            (desk.home / ".netrc").write_text("machine 127.0.0.1 login me password s3cret-Pa55\n")
        case "UV_INDEX":
            desk.environ |= {"UV_INDEX_CORP_USERNAME": "me", "UV_INDEX_CORP_PASSWORD": "s3cret-Pa55"}
        case "pip.conf":
            (desk.home / "pip.conf").write_text(f"[global]\nindex-url = {with_login}\n")
            desk.environ["PIP_CONFIG_FILE"] = str(desk.home / "pip.conf")
        case _:
            desk.environ["UV_DEFAULT_INDEX"] = with_login


class WithoutDpkgDev(SubprocessRunner):
    """This machine, as if dpkg-dev were not installed."""

    def run(self, command: Command) -> Completed:
        if command.argv[0] == "dpkg-buildflags":
            return Completed(127)
        return super().run(command)


def test_a_package_of_pure_wheels_needs_no_compiler_flags(desk: Desk) -> None:
    dependency = wheel("lib", "1.0")
    application = wheel("app", "1.0", "lib")
    with running_index() as index:
        with_index(desk, publish(index, dependency, application))
        session = replace(desk.session(), host=WithoutDpkgDev(desk.environ))
        project = read_project("app==1.0", {"maintainer": "Test <test@example.org>"})

        planned = pipeline.plan(project, session)
        artifact = pipeline.build(project, desk.home / "dist", session, locked=False).artifact

    assert {each.name: each.action for each in planned.wheels} == {"app": Action.PURE, "lib": Action.PURE}
    assert installed(artifact) == {"app-1.0", "lib-1.0"}


def test_what_compiling_lacks_is_told_together_and_the_plan_is_made_all_the_same(tmp_path: Path, desk: Desk) -> None:
    app = python_project(tmp_path / "app", "app", more='build-depends = ["libnone-dev"]\n')
    session = replace(desk.session(), host=WithoutDpkgDev(desk.environ))

    planned = pipeline.plan(read_project(f"{app}/"), session)
    with pytest.raises(MissingToolError) as caught:
        pipeline.build(read_project(f"{app}/"), desk.home / "dist", session, locked=False)

    assert [each.action for each in planned.wheels] == [Action.COMPILE]
    assert any("libnone-dev" in each for each in caught.value.missing)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_plan_fetches_no_commit(tmp_path: Path, desk: Desk) -> None:
    python_project(tmp_path / "mono" / "python", "lib")
    commit = repository(tmp_path / "mono")
    source = f'lib = {{ git = "{(tmp_path / "mono").as_uri()}", subdirectory = "python" }}'
    app = python_project(tmp_path / "app", "app", "lib", more=f"[tool.uv.sources]\n{source}\n")
    desk.uv(app, "lock", "--no-index")

    reason = desk.plan(app)["lib"]

    assert reason.startswith(f"source at git commit {commit[:12]}; not fetched yet")
    assert not (desk.home / "cache/checkouts").exists()
