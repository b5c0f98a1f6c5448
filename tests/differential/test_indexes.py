"""Which of several indexes a distribution comes from, asked of the real uv: the table of docs/reference/indexes.md."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from differential.makers import wheel
from indexserver import Index, publish, running_index
from unit.fakes import RecordingReporter
from unit.lock.samples import project_of
from venvpkg.host.runner import SubprocessRunner
from venvpkg.host.tools import find_uv
from venvpkg.index.pip_settings import translate_pip_settings
from venvpkg.lock.obtain import obtain_lock
from venvpkg.lock.pylock import read_lock
from venvpkg.lock.resolve import preview_lock, update_lock
from venvpkg.lock.uv import Resolver
from venvpkg.model.project import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from venvpkg.model.lock import LockedDistribution
    from venvpkg.model.target import Target

SDIST = ("lib-1.0.tar.gz", b"never opened: a wheel tells its metadata")


@pytest.fixture
def index() -> Iterator[Index]:
    with running_index() as running:
        yield running


def native(target: Target, version: str = "1.0", *requires: str) -> tuple[str, bytes]:
    python = f"cp{target.interpreter.minor.replace('.', '')}"
    return wheel("lib", version, *requires, tag=f"{python}-{python}-manylinux_2_17_{target.machine}")


def resolver(tmp_path: Path, environ: Mapping[str, str], reporter: RecordingReporter) -> Resolver:
    work = tmp_path / "work"
    work.mkdir()
    base = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"} | dict(environ)
    settings = translate_pip_settings(base, reporter, cwd=tmp_path)
    return Resolver(find_uv(), settings, SubprocessRunner(base), reporter, work, Path("/"))


def lock(
    tmp_path: Path, environ: Mapping[str, str], target: Target, *, preview: bool = False
) -> tuple[LockedDistribution, str]:
    """Return what was locked for ``lib``, and the warnings."""
    reporter = RecordingReporter()
    run = preview_lock if preview else update_lock
    path = run(project_of("lib", tmp_path), target, resolver(tmp_path, environ, reporter))
    (found,) = read_lock(path, target, Settings()).distributions
    return found, "\n".join(reporter.warnings)


@pytest.mark.parametrize(
    "case",
    [
        ("5.0", "1.0", "5.0", "lib 5.0 (another index has 1.0)"),
        ("1.0", "5.0", "1.0", "lib 1.0 (pip would take 5.0)"),
        ("", "1.0", "1.0", ""),
        ("1.0", "1.0", "1.0", ""),
    ],
)
def test_the_first_index_that_has_a_name_is_used_and_differences_are_told(
    case: tuple[str, str, str, str], tmp_path: Path, index: Index, target: Target
) -> None:
    first, second, version, told = case
    private = publish(index, native(target, first) if first else wheel("other", "1.0"), at="/private")
    public = publish(index, native(target, second), at="/public")

    found, warnings = lock(tmp_path, {"PIP_INDEX_URL": private, "PIP_EXTRA_INDEX_URL": public}, target)

    assert found.version == version
    assert found.wheels[0].url.startswith(f"{index.url}/{'private' if first else 'public'}/")
    assert told in warnings if told else not warnings


def test_a_strategy_that_the_user_chose_holds_without_a_word(tmp_path: Path, index: Index, target: Target) -> None:
    private, public = (publish(index, native(target, version), at=f"/{version}") for version in ("1.0", "5.0"))
    environ = {"PIP_INDEX_URL": private, "PIP_EXTRA_INDEX_URL": public, "UV_INDEX_STRATEGY": "unsafe-best-match"}

    found, warnings = lock(tmp_path, environ, target)

    assert (found.version, warnings) == ("5.0", "")


@pytest.mark.parametrize("preview", [False, True])
def test_an_sdist_beside_the_same_wheel_is_found_on_another_index(
    tmp_path: Path, index: Index, target: Target, preview: bool
) -> None:
    first = publish(index, native(target), at="/wheels")
    second = publish(index, native(target), SDIST, at="/main")

    found, warnings = lock(tmp_path, {"UV_INDEX": first, "UV_DEFAULT_INDEX": second}, target, preview=preview)

    assert (found.sdist and found.sdist.filename, warnings) == (SDIST[0], "")
    assert found.wheels[0].url.startswith(f"{index.url}/wheels/")


@pytest.mark.parametrize("has_wheel", [True, False])
def test_an_sdist_of_what_may_be_another_project_is_not_used(
    tmp_path: Path, index: Index, target: Target, has_wheel: bool
) -> None:
    first = publish(index, native(target), at="/private")
    theirs = (native(target, "1.0", "evil; python_version < '3'"), SDIST)
    second = publish(index, *theirs[not has_wheel :], at="/public")

    found, warnings = lock(tmp_path, {"PIP_INDEX_URL": first, "PIP_EXTRA_INDEX_URL": second}, target)

    assert found.sdist is None
    assert found.wheels[0].url.startswith(f"{index.url}/private/")
    assert not has_wheel or "lib 1.0" in warnings


@pytest.mark.parametrize("lists_sdist", [True, False])
def test_an_sdist_that_a_hashed_file_does_not_list_is_not_added(
    tmp_path: Path, index: Index, target: Target, lists_sdist: bool
) -> None:
    built = native(target)
    first, second = publish(index, built, at="/wheels"), publish(index, built, SDIST, at="/main")
    listed = (built, SDIST) if lists_sdist else (built,)
    hashes = " ".join(f"--hash=sha256:{hashlib.sha256(body).hexdigest()}" for _, body in listed)
    (tmp_path / "requirements.txt").write_text(f"lib==1.0 {hashes}\n")
    project = replace(project_of("lib", tmp_path), settings=Settings(lock="requirements.txt"))
    how = resolver(tmp_path, {"UV_INDEX": first, "UV_DEFAULT_INDEX": second}, RecordingReporter())

    (found,) = obtain_lock(project, target, how).lock.distributions

    assert bool(found.sdist) == lists_sdist
