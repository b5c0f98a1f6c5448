"""What we expect of uv, asked of the real one; against an index on the loopback interface, without network."""

from __future__ import annotations

import io
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from indexserver import Index, publish, running_index
from unit.fakes import RecordingReporter
from unit.lock.samples import project_in, project_of
from venvpkg.errors import LockError
from venvpkg.host.runner import SubprocessRunner
from venvpkg.host.tools import find_uv
from venvpkg.index.downloads import Downloads
from venvpkg.index.pip_settings import translate_pip_settings
from venvpkg.lock.build_requirements import pin_build_requirements
from venvpkg.lock.lockfile import LockfileStore
from venvpkg.lock.pylock import read_lock
from venvpkg.lock.resolve import ensure_lock, preview_lock, update_lock
from venvpkg.lock.uv import Resolver
from venvpkg.model.project import Settings
from venvpkg.targets.host import resolve_host

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from venvpkg.model.lock import LockedDistribution
    from venvpkg.model.target import Target

BASE = {"PATH": "/usr/bin:/bin"}


@pytest.fixture(scope="module")
def host() -> Target:
    if not Path("/usr/bin/dpkg").exists() or not Path("/usr/bin/python3").exists():
        pytest.skip("this machine is no target")
    return resolve_host(SubprocessRunner(BASE))


@pytest.fixture
def index() -> Iterator[Index]:
    with running_index() as running:
        yield running


def wheel(
    name: str, version: str, *requires: str, tag: str = "py3-none-any", python: str = ">=3.9"
) -> tuple[str, bytes]:
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: {python}\n"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": metadata + "".join(f"Requires-Dist: {each}\n" for each in requires),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return f"{name}-{version}-{tag}.whl", buffer.getvalue()


def sdist(name: str, version: str, marker: Path, *, static: bool) -> tuple[str, bytes]:
    """Return an sdist whose in-tree backend touches ``marker``."""
    top = f"{name}-{version}"
    metadata = f"Metadata-Version: {'2.2' if static else '2.1'}\nName: {name}\nVersion: {version}\n"
    files = {
        "PKG-INFO": metadata,
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": f"""
import pathlib
pathlib.Path({str(marker)!r}).touch()
def prepare_metadata_for_build_wheel(directory, config_settings=None):
    info = pathlib.Path(directory) / "{top}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text({metadata!r})
    (info / "WHEEL").write_text("Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    return info.name
def build_wheel(*arguments, **keywords):
    raise SystemExit(1)
""",
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{top}/{path}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return f"{top}.tar.gz", buffer.getvalue()


def resolver(tmp_path: Path, environ: Mapping[str, str], directory: Path | None = None) -> Resolver:
    work, reporter = tmp_path / "work", RecordingReporter()
    work.mkdir(exist_ok=True)
    environment = BASE | {"HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"} | dict(environ)
    settings = translate_pip_settings(environment, reporter, cwd=tmp_path, project=directory)
    return Resolver(find_uv(), settings, SubprocessRunner(environment), reporter, work, directory or Path("/"))


def application(tmp_path: Path, text: str) -> Path:
    directory = tmp_path / "app"
    directory.mkdir(exist_ok=True)
    (directory / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "1"\n' + text)
    return directory


def locked(path: Path, host: Target) -> tuple[LockedDistribution, ...]:
    return read_lock(path, host, Settings()).distributions


def test_a_private_index_of_pip_is_used_and_its_secret_stays_out_of_the_lock(
    tmp_path: Path, index: Index, host: Target
) -> None:
    url = publish(index, wheel("alpha", "1.0", "beta>=2"), wheel("beta", "2.5"), login=("me", "s3cret"))
    directory = application(tmp_path, 'dependencies = ["alpha"]\n')
    how = resolver(tmp_path, {"PIP_INDEX_URL": url}, directory)

    path = ensure_lock(project_in(directory), host, how)
    found = locked(path, host)
    files = Downloads(tmp_path / "store", how.settings, how.reporter).fetch(each.wheels[0] for each in found)

    assert [(each.name, each.version) for each in found] == [("alpha", "1.0"), ("beta", "2.5")]
    assert "s3cret" not in path.read_text()
    assert len(files) == 2


def test_a_default_index_that_is_not_there_is_an_error_and_not_the_public_one(tmp_path: Path, host: Target) -> None:
    how = resolver(tmp_path, {"PIP_INDEX_URL": "file:///nowhere/simple"})

    with pytest.raises(LockError):
        ensure_lock(project_of("setuptools", tmp_path), host, how)


def test_a_refused_login_is_told_without_the_password(tmp_path: Path, index: Index, host: Target) -> None:
    url = publish(index, wheel("alpha", "1.0"), login=("me", "right")).replace("right", "wr0ng")

    with pytest.raises(LockError) as caught:
        ensure_lock(project_of("alpha", tmp_path), host, resolver(tmp_path, {"PIP_INDEX_URL": url}))

    assert "401" in caught.value.details
    assert "wr0ng" not in str(caught.value)


def test_a_direct_reference_is_locked_with_its_hash_and_without_its_password(
    tmp_path: Path, index: Index, host: Target
) -> None:
    base = publish(index, wheel("alpha", "1.0"), login=("me", "s3cret")).removesuffix("/simple")
    directory = application(tmp_path, f'dependencies = ["alpha @ {base}/files/alpha-1.0-py3-none-any.whl"]\n')

    path = ensure_lock(project_in(directory), host, resolver(tmp_path, {"PIP_NO_INDEX": "1"}, directory))

    assert locked(path, host)[0].wheels[0].url == index.url + "/files/alpha-1.0-py3-none-any.whl"
    assert "s3cret" not in path.read_text()


def test_versions_are_kept_until_upgraded(tmp_path: Path, index: Index, host: Target) -> None:
    project = project_of("alpha", tmp_path)
    how = resolver(tmp_path, {"PIP_INDEX_URL": publish(index, wheel("alpha", "1.0")), "UV_NO_CACHE": "1"})
    ensure_lock(project, host, how)
    publish(index, wheel("alpha", "1.0"), wheel("alpha", "2.0"))

    # A ledger knows what locks said before one call.
    kept = locked(update_lock(project, host, replace(how, lockfiles=LockfileStore())), host)
    upgraded = locked(update_lock(project, host, replace(how, lockfiles=LockfileStore()), upgrade=True), host)

    assert (kept[0].version, upgraded[0].version) == ("1.0", "2.0")


def test_links_of_pip_are_locked_as_files_of_this_machine(tmp_path: Path, host: Target) -> None:
    filename, body = wheel("alpha", "1.0")
    (tmp_path / "my,wheels").mkdir()
    (tmp_path / "my,wheels" / filename).write_bytes(body)
    how = resolver(tmp_path, {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "my,wheels"})

    (only,) = locked(ensure_lock(project_of("alpha", tmp_path), host, how), host)

    found = Downloads(tmp_path / "store", how.settings, how.reporter, offline=True).fetch(only.wheels)
    assert [path.read_bytes() for path in found.values()] == [body]


def test_a_path_in_the_projects_uv_settings_becomes_relative_to_the_lock(tmp_path: Path, host: Target) -> None:
    filename, body = wheel("alpha", "1.0")
    source = f'[tool.uv.sources]\nalpha = {{ path = "wheels/{filename}" }}\n'
    directory = application(tmp_path, 'dependencies = ["alpha"]\n' + source)
    (directory / "wheels").mkdir()
    (directory / "wheels" / filename).write_bytes(body)

    path = ensure_lock(project_in(directory), host, resolver(tmp_path, {"PIP_NO_INDEX": "1"}, directory))

    assert str(tmp_path) not in path.read_text()
    assert locked(path, host)[0].wheels[0].url == (directory / "wheels" / filename).as_uri()


def test_a_preview_locks_static_sdists_and_runs_no_backend_for_the_others(
    tmp_path: Path, index: Index, host: Target
) -> None:
    marker = tmp_path / "ran"
    url = publish(index, sdist("alpha", "1.0", marker, static=True), sdist("beta", "1.0", marker, static=False))
    how = resolver(tmp_path, {"PIP_INDEX_URL": url})

    (alpha,) = locked(preview_lock(project_of("alpha", tmp_path), host, how), host)
    with pytest.raises(LockError, match=r"beta==1\.0 has no static metadata"):
        preview_lock(project_of("beta", tmp_path), host, how)
    ran_in_preview = marker.exists()
    update_lock(project_of("beta", tmp_path), host, how)

    assert alpha.sdist is not None
    assert (ran_in_preview, marker.exists()) == (False, True)


def test_build_requirements_are_pinned_to_wheels_of_the_target_or_else_sdists(
    tmp_path: Path, index: Index, host: Target
) -> None:
    marker = tmp_path / "ran"
    native = f"cp{host.interpreter.minor.replace('.', '')}-abi3-manylinux_2_17_{host.machine}"
    url = publish(
        index,
        wheel("alpha", "1.0", 'beta; os_name == "posix"', 'gamma; os_name == "nt"'),
        wheel("beta", "1.0", tag=native),
        wheel("beta", "1.0", tag="py2-none-any"),
        sdist("delta", "1.0", marker, static=False),
    )
    how = resolver(tmp_path, {"PIP_INDEX_URL": url})

    files = pin_build_requirements(("alpha>=1",), host, how)
    ran_for_wheels = marker.exists()
    with_sdist = pin_build_requirements(("alpha", "delta"), host, how)

    names = ["alpha-1.0-py3-none-any.whl", f"beta-1.0-{native}.whl"]
    assert [file.filename for file in files] == names
    assert [file.filename for file in with_sdist] == [*names, "delta-1.0.tar.gz"]
    assert not ran_for_wheels


def test_a_conflict_is_explained_by_name_and_leaves_no_file(tmp_path: Path, index: Index, host: Target) -> None:
    url = publish(index, wheel("alpha", "1.0", "beta<2"), wheel("beta", "1.0"), wheel("beta", "2.0"))
    directory = application(tmp_path, 'dependencies = ["alpha", "beta>=2"]\n')

    with pytest.raises(LockError) as caught:
        ensure_lock(project_in(directory), host, resolver(tmp_path, {"PIP_INDEX_URL": url}, directory))

    assert "alpha depend on beta<2" in " ".join(caught.value.details.split())
    assert [path.name for path in directory.iterdir()] == ["pyproject.toml"]


def test_a_distribution_for_a_newer_python_is_explained(tmp_path: Path, index: Index, host: Target) -> None:
    url = publish(index, wheel("alpha", "1.0", python=">=3.99"))

    with pytest.raises(LockError, match=r"Python >=3\.99"):
        ensure_lock(project_of("alpha==1.0", tmp_path), host, resolver(tmp_path, {"PIP_INDEX_URL": url}))


def test_offline_uses_uvs_cache_and_says_when_it_cannot(tmp_path: Path, index: Index, host: Target) -> None:
    url = publish(index, wheel("alpha", "1.0"), wheel("beta", "1.0"))
    how = resolver(tmp_path, {"PIP_INDEX_URL": url, "UV_CACHE_DIR": str(tmp_path / "cache")})
    ensure_lock(project_of("alpha", tmp_path), host, how)
    asked = len(index.asked)

    update_lock(project_of("alpha", tmp_path), host, replace(how, offline=True))
    with pytest.raises(LockError, match="could not be locked offline"):
        update_lock(project_of("beta", tmp_path), host, replace(how, offline=True))

    assert len(index.asked) == asked
