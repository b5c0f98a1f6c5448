"""Applications for other interpreters than the release's own: PyPy, another minor, one that no package owns."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from acceptance.cleanroot import CleanRoot, codename
from acceptance.packages import depends_of, shown
from acceptance.smallproject import NAME, write_project

if TYPE_CHECKING:
    from acceptance.packages import Venvpkg

COMPILERS = ("g++", "gcc", "make", "dpkg-dev")
# A release with several minors of Python, and one of them that is not its default.
SEVERAL, OTHER = "forky", "3.13"
UNUSED = ("test", "idlelib", "tkinter", "__pycache__", "dist-packages", "config-*")


@pytest.fixture(scope="module")
def project(venvpkg: Venvpkg) -> Path:
    return write_project(venvpkg.directory / "interpreters")


@pytest.fixture(scope="module")
def unowned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release's interpreter once more, as if somebody had compiled it; no package knows it."""
    prefix = tmp_path_factory.mktemp("unowned")
    answer = "import os, sys; print(os.path.realpath(sys.executable), *sys.version_info[:2], sep='\\n')"
    text = subprocess.run(["/usr/bin/python3", "-I", "-c", answer], capture_output=True, text=True, check=True).stdout
    program, major, minor = text.split()
    name = f"python{major}.{minor}"
    headers = Path("/usr/include", name)
    if not (headers / "Python.h").exists():
        pytest.skip(f"needs {name}-dev")
    (prefix / "bin").mkdir()
    shutil.copy(program, prefix / "bin" / name)
    shutil.copytree(f"/usr/lib/{name}", prefix / "lib" / name, ignore=shutil.ignore_patterns(*UNUSED), symlinks=True)
    (prefix / "include").mkdir()
    (prefix / "include" / name).symlink_to(headers)
    return prefix / "bin" / name


def test_without_an_owner_it_is_used_with_a_warning_and_is_no_dependency(
    venvpkg: Venvpkg, project: Path, unowned: Path, clean_root: CleanRoot
) -> None:
    package, said = venvpkg.built(str(project), f"--python={unowned}", out="unowned")

    prefix = unowned.parents[1]
    outcome = clean_root.run(
        f"""
        set -e
        apt-get -q update
        apt-get -q -y install --no-install-recommends libexpat1 {shown(package)}
        readlink /opt/venvs/{NAME}/bin/python
        {NAME}
        dpkg --verify {NAME}
        """,
        binds={package: shown(package), prefix: PurePosixPath(prefix)},
    )

    assert f"no package owns {unowned}, so the package does not depend on an interpreter" in said.stderr
    assert depends_of(package).keys() == {"libc6"}
    assert outcome.code == 0, outcome.transcript
    assert outcome.stdout.endswith(f"{unowned}\n3 rings of 1.0.0\n")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--python={unowned}", "--unowned-python=false"), 12, "no package owns {unowned}"),
        (("--python=3.99",), 6, "apt-get install --no-install-recommends python3.99"),
        (("--python=/usr/bin/env",), 6, "/usr/bin/env"),
        (("--python={environment}",), 6, "in a virtual environment"),
        (("--python=2.7",), 3, "'2.7' is not a version"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_built(  # noqa: PLR0913, PLR0917 - fixtures
    venvpkg: Venvpkg, project: Path, unowned: Path, options: tuple[str, ...], code: int, words: str
) -> None:
    names = {"unowned": str(unowned), "environment": sys.executable}

    outcome = venvpkg.run("build", str(project), *(each.format(**names) for each in options))

    assert (outcome.code, outcome.stdout) == (code, ""), outcome.transcript
    assert words.format(**names) in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_the_doctor_looks_at_the_interpreter_that_is_wanted_outside_of_a_project_too(
    venvpkg: Venvpkg, unowned: Path
) -> None:
    outcome = venvpkg.run("doctor", f"--python={unowned}")

    assert f"packages for {unowned} (" in outcome.stdout, outcome.transcript
    assert f"no package owns {unowned}" in outcome.stderr


@pytest.fixture(scope="module")
def with_pypy(clean_root: CleanRoot) -> CleanRoot:
    """What packages for PyPy are made in; it has no Python beside PyPy but what its package manager brings."""
    del clean_root
    return CleanRoot.of_release(codename(), (*COMPILERS, "pypy3-dev"))


@pytest.mark.full
def test_native_code_for_pypy_runs_in_a_clean_root(
    venvpkg: Venvpkg, project: Path, with_pypy: CleanRoot, clean_root: CleanRoot
) -> None:
    options = ("--python=pypy3", f"--target=root:{with_pypy.base}")
    package, _ = venvpkg.built(str(project), *options, out="pypy")
    again, _ = venvpkg.built(str(project), *options, out="pypy-again", cache="pypy-cache")

    outcome = clean_root.run(
        f"""
        set -e
        apt-get -q update
        apt-get -q -y install --no-install-recommends {shown(package)}
        {NAME}
        /opt/venvs/{NAME}/bin/python -c 'import sys, {NAME}._bell as b; print(sys.implementation.name, b.__file__)'
        dpkg --verify {NAME}
        ! find /opt -newer /opt/venvs/{NAME}/pyvenv.cfg -name '*.pyc' | grep .
        apt-get -q -y purge {NAME}
        test ! -e /opt/venvs
        """,
        binds={package: shown(package)},
    )

    assert outcome.code == 0, outcome.transcript
    assert "3 rings of 1.0.0\n" in outcome.stdout
    assert f"pypy /opt/venvs/{NAME}/lib/pypy3." in outcome.stdout
    assert depends_of(package).keys() == {"libc6", "pypy3"}
    assert package.read_bytes() == again.read_bytes()


@pytest.mark.full
def test_what_pypy_brings_itself_is_not_vendored(venvpkg: Venvpkg, with_pypy: CleanRoot, clean_root: CleanRoot) -> None:
    """On PyPy httpx asks for brotlicffi where CPython has brotli; that needs cffi, which PyPy has of its own."""
    package, _ = venvpkg.built(
        "httpx[brotli,cli]==0.27.2", "--python=pypy3", f"--target=root:{with_pypy.base}",
        "--maintainer=Jane Doe <jane@example.org>", out="httpx",
    )  # fmt: skip

    outcome = clean_root.run(
        f"""
        set -e
        apt-get -q update
        apt-get -q -y install --no-install-recommends {shown(package)}
        httpx --help
        /opt/venvs/httpx/bin/python -c '
import brotlicffi, cffi
print(brotlicffi.decompress(brotlicffi.compress(b"small")), cffi.__file__)'
        ls /opt/venvs/httpx/lib/pypy3.*/site-packages
        """,
        binds={package: shown(package)},
    )

    assert outcome.code == 0, outcome.transcript
    assert "b'small' /usr/lib/pypy3." in outcome.stdout
    assert "\ncffi" not in outcome.stdout


@pytest.mark.full
def test_another_minor_of_the_release_is_the_one_that_the_package_depends_on(
    venvpkg: Venvpkg, project: Path, clean_root: CleanRoot
) -> None:
    del clean_root
    build_root = CleanRoot.of_release(SEVERAL, (*COMPILERS, "python3", f"python{OTHER}-dev"))
    package, _ = venvpkg.built(str(project), f"--python={OTHER}", f"--target=root:{build_root.base}", out="minor")

    outcome = CleanRoot.of_release(SEVERAL, ()).run(
        f"""
        set -e
        apt-get -q update
        apt-get -q -y install --no-install-recommends python3 {shown(package)}
        python3 -c 'import sys; print("default", *sys.version_info[:2])'
        /opt/venvs/{NAME}/bin/python -c 'import sys; print("own", *sys.version_info[:2])'
        {NAME}
        """,
        binds={package: shown(package)},
        environment={key: os.environ[key] for key in ("http_proxy", "https_proxy") if key in os.environ},
    )

    assert outcome.code == 0, outcome.transcript
    assert outcome.stdout.endswith(f"own {OTHER.replace('.', ' ')}\n3 rings of 1.0.0\n")
    assert f"default {OTHER.replace('.', ' ')}\n" not in outcome.stdout
    assert depends_of(package).keys() == {"libc6", f"python{OTHER}"}
