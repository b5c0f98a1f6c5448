"""The interpreter that the user chose is found, and those that cannot be used are refused."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from unit.fakes import ScriptedRunner, expect
from unit.lock.samples import target
from venvpkg.errors import MissingToolError
from venvpkg.families.deb import host as deb
from venvpkg.families.rpm import host as rpm
from venvpkg.host.command import Completed
from venvpkg.model.target import Release
from venvpkg.targets.interpreter import read_interpreter

if TYPE_CHECKING:
    from venvpkg.model.target import Interpreter

X86_64 = (b"\x7fELF\x02\x01" + bytes(12) + b"\x3e\x00").ljust(64, b"\0")
I386 = (b"\x7fELF\x01\x01" + bytes(12) + b"\x03\x00").ljust(64, b"\0")


def system(directory: Path, *programs: str, header: bytes = X86_64) -> Path:
    """Create a root with Python 3.11 as its own and further programs."""
    for path in ("/usr/bin/env", "/usr/bin/python3.11", *programs):
        file = directory / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(header if path in programs else X86_64)
    (directory / "usr/bin/python3").symlink_to("python3.11")
    return directory


def says(path: str, version: tuple[int, int, int] = (3, 12, 1), **changes: Any) -> Completed:
    facts = {
        "path": path, "version": version, "ext_suffix": ".cpython-312-x86_64-linux-gnu.so", "libc": "glibc 2.36",
        "include": "/usr/include/python", "multiarch": "x86_64-linux-gnu", "prefix": "/usr", "identity": "ab" * 32,
        "environment": {"implementation_name": "cpython"}, **changes,
    }  # fmt: skip
    return Completed(0, json.dumps(facts).encode())


def read(root: Path, wanted: str, answers: dict[str, Completed], packages: tuple[str, ...] = ()) -> Interpreter:
    runner = ScriptedRunner({expect(program, "-I", "-c", ...): answer for program, answer in answers.items()})
    return read_interpreter(runner, root, wanted, packages, "apt-get install")[0]


@pytest.mark.parametrize("wanted", ["3.12", "python3.12", "/usr/bin/python3.12"])
def test_a_version_a_program_and_a_path_mean_the_same(tmp_path: Path, wanted: str) -> None:
    program = "/usr/bin/python3.12"

    found = read(system(tmp_path, program), wanted, {program: says(program)})

    assert found.path == PurePosixPath(program)
    assert found.identity == "ab" * 32


def test_a_locally_installed_interpreter_is_found_if_the_release_has_none(tmp_path: Path) -> None:
    program = "/usr/local/bin/python3.12"

    found = read(system(tmp_path, program), "3.12", {program: says(program, prefix="/usr/local")})

    assert found.prefix == PurePosixPath("/usr/local")


@pytest.mark.parametrize(
    ("wanted", "program"),
    [
        ("3", "/usr/bin/python3"),
        ("3.11", "/usr/bin/python3.11"),
        ("python3", "/usr/bin/python3"),
        ("/usr/bin/python3", "/usr/bin/python3"),
    ],
)
def test_the_releases_own_is_the_same_under_any_name(tmp_path: Path, wanted: str, program: str) -> None:
    answer = says("/usr/bin/python3.11", (3, 11, 2))

    found = read(system(tmp_path), wanted, {program: answer})

    assert found.is_default


def test_what_comes_with_pypy_is_known_by_its_normalised_name(tmp_path: Path) -> None:
    answer = says(
        "/usr/bin/pypy3", (3, 9, 16), environment={"implementation_name": "pypy"},
        distributions=[["greenlet", "0.4.13"], ["CFFI", "1.15.1"]],
    )  # fmt: skip

    found = read(system(tmp_path, "/usr/bin/pypy3"), "pypy3", {"/usr/bin/pypy3": answer})

    assert found.distributions == (("cffi", "1.15.1"), ("greenlet", "0.4.13"))


def test_a_missing_interpreter_is_reported_with_its_package(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError) as caught:
        read(system(tmp_path), "3.12", {}, ("python3.12",))

    assert "/usr/bin/python3.12 or /usr/local/bin/python3.12" in str(caught.value)
    assert "Run: apt-get install python3.12" in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (says("/opt/it", (3, 8, 18)), "3.8.18"),
        (Completed(2, b"", b"Unknown option: -I"), "must be Python 3.9 or later: exit 2 Unknown option"),
        (Completed(0, b""), "is not a Python interpreter"),
        (Completed(0, b"[1]"), "is not a Python interpreter"),
        (Completed(0, b'{"path": "/opt/it"}'), "is not a Python interpreter"),
        (says("/opt/it", in_environment=True), "in a virtual environment"),
        (says("/opt/it", libc=""), "another C library"),
        (says("/opt/it", environment={"implementation_name": "graalpy"}), "is graalpy"),
        (says("/opt/elsewhere"), "architecture"),
    ],
)
def test_an_unusable_interpreter_is_refused_with_the_reason(tmp_path: Path, answer: Completed, why: str) -> None:
    with pytest.raises(MissingToolError, match=why):
        read(system(tmp_path, "/opt/it"), "/opt/it", {"/opt/it": answer})


def test_an_interpreter_for_another_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="not a program for the release's architecture"):
        read(system(tmp_path, "/opt/it", header=I386), "/opt/it", {"/opt/it": says("/opt/it")})


def test_a_program_that_is_another_python_than_its_name_says_is_refused(tmp_path: Path) -> None:
    program = "/usr/bin/python3.12"

    with pytest.raises(MissingToolError, match=r"is Python 3\.11\.2, not 3\.12"):
        read(system(tmp_path, program), "3.12", {program: says(program, (3, 11, 2))})


@pytest.mark.parametrize(
    ("wanted", "in_debian", "in_el", "in_suse"),
    [
        ("3.12", ("python3.12", "python3.12-dev"), ("python3.12", "python3.12-devel"),
         ("python312-base", "python312-devel")),
        ("python3", ("python3", "python3-dev"), ("python3", "python3-devel"), ("python3", "python3-devel")),
        ("pypy3", ("pypy3", "pypy3-dev"), ("pypy3", "pypy3-devel"), ("pypy3", "pypy3-devel")),
        ("pypy3.10", ("pypy3", "pypy3-dev"), ("pypy3.10", "pypy3.10-devel"), ("pypy310", "pypy310-devel")),
        ("3.13t", ("python3.13t", "python3.13t-dev"),
         ("python3.13-freethreading", "python3.13-freethreading-devel"), ("python313t-base", "python313t-devel")),
        ("/opt/python", (), (), ()),
    ],
)  # fmt: skip
def test_the_packages_of_an_interpreter_are_named_as_the_family_does(
    wanted: str, in_debian: tuple[str, ...], in_el: tuple[str, ...], in_suse: tuple[str, ...]
) -> None:
    assert deb.interpreter_packages(wanted, Release("debian", "12", "bookworm")) == in_debian
    assert rpm.interpreter_packages(wanted, Release("almalinux", "9", "", ("rhel", "fedora"))) == in_el
    assert rpm.interpreter_packages(wanted, Release("opensuse-leap", "15.6", "", ("suse",))) == in_suse


def test_headers_of_a_locally_installed_interpreter_are_in_no_package() -> None:
    here = target()
    own = PurePosixPath("/usr/local/bin/python3.12")
    interpreter = type(here.interpreter)(own, (3, 12, 1), "", own, {}, None, identity="a")

    assert deb.headers_package(interpreter, here.release) is None
    assert rpm.headers_package(interpreter, here.release) is None
    assert rpm.headers_package(here.interpreter, here.release) == "python3-devel"
