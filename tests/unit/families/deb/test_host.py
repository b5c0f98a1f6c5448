"""Of a target with dpkg is read what can change a compile: flags and installed build packages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from unit.fakes import ScriptedRunner, expect
from unit.wheelhouse.makers import bookworm
from venvpkg.errors import MissingToolError, PackageDatabaseError
from venvpkg.families.deb.host import all_packages, build_packages, headers_package, read_flags
from venvpkg.host.command import Completed
from venvpkg.wheelhouse.key import read_toolchain

if TYPE_CHECKING:
    from pathlib import Path

FLAGS = b'CFLAGS="-g -O2 -Wformat" CPPFLAGS="-D_FORTIFY_SOURCE=2" LDFLAGS="" '


def buildflags(answer: Completed) -> ScriptedRunner:
    """Return the dpkg-buildflags that nothing of the user's environment reaches."""
    env = {
        "DEB_BUILD_MAINT_OPTIONS": "hardening=+all reproducible=-fixfilepath,-fixdebugpath",
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
    }
    return ScriptedRunner({expect("/usr/bin/dpkg-buildflags", "--export=cmdline", env=env, clean=True): answer})


def stanza(package: str, version: str = "1", section: str = "libs", status: str = "install ok installed") -> str:
    return (
        f"Package: {package}\nStatus: {status}\nSection: {section}\nArchitecture: amd64\nVersion: {version}\n"
        f"Description: words\n more words: with a colon\n .\n"
    )


def root_with(directory: Path, text: str) -> Path:
    path = directory / "var/lib/dpkg/status"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return directory


def packages(directory: Path, *stanzas: str) -> dict[str, str]:
    return dict(build_packages(bookworm(root_with(directory, "\n".join(stanzas))), ScriptedRunner({})))


def test_flags_and_packages_are_read(tmp_path: Path) -> None:
    runner = buildflags(Completed(0, FLAGS))

    found = read_toolchain(bookworm(root_with(tmp_path, stanza("libpq-dev", "15.8-0"))), runner)

    assert found.flags == (("CFLAGS", "-g -O2 -Wformat"), ("CPPFLAGS", "-D_FORTIFY_SOURCE=2"), ("LDFLAGS", ""))
    assert found.packages == (("libpq-dev:amd64", "15.8-0"),)


def test_the_flags_do_not_depend_on_who_asks() -> None:
    runner = buildflags(Completed(0, b"no flags"))

    with pytest.raises(MissingToolError):
        read_flags(runner)

    (asked,) = runner.ran
    assert asked.clean
    assert "fixfilepath" in asked.env["DEB_BUILD_MAINT_OPTIONS"]


@pytest.mark.parametrize("answer", [Completed(127), Completed(0, b""), Completed(0, b'CFLAGS="-g'), Completed(0, b"x")])
def test_no_flags_name_the_package_that_brings_them(answer: Completed) -> None:
    runner = buildflags(answer)

    with pytest.raises(MissingToolError, match="apt-get install --no-install-recommends dpkg-dev"):
        read_flags(runner)


@pytest.mark.parametrize(
    ("package", "section"),
    [("libfoo-dev", "libs"), ("make", "devel"), ("libbar", "contrib/libdevel"), ("cargo", "rust"), ("gcc-12", "x"),
     ("g++", "x"), ("python3.11-minimal", "python"), ("python3", "python"), ("libc6", "libs")],
)  # fmt: skip
def test_what_takes_part_in_a_compile_counts(tmp_path: Path, package: str, section: str) -> None:
    assert packages(tmp_path, stanza(package, section=section)) == {f"{package}:amd64": "1"}


@pytest.mark.parametrize(
    "text",
    [
        stanza("vim", section="editors"),
        stanza("libpq5"),
        stanza("python3.12-dev", section="python"),
        stanza("libold-dev", status="deinstall ok config-files"),
    ],
)
def test_what_takes_no_part_does_not_count(tmp_path: Path, text: str) -> None:
    assert packages(tmp_path, text) == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (stanza("gcc")[:-5], "middle of a line"),
        ("garbage\n", "line 1 is not a field"),
        (stanza("a") + "\nPackage gcc\n", "line 10 is not a field"),
        ("Package: gcc\nStatus: install ok installed\n", "gcc has no Version"),
        (stanza("gcc") + "\0\n", "null bytes"),
    ],
)
def test_a_damaged_status_file_is_named_with_the_place(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(PackageDatabaseError, match=problem):
        packages(tmp_path, text)


def test_a_missing_status_file_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(PackageDatabaseError, match="cannot be read"):
        build_packages(bookworm(tmp_path), ScriptedRunner({}))


def test_every_installed_package_counts_where_all_are_wanted(tmp_path: Path) -> None:
    root = root_with(tmp_path, stanza("vim") + "\n" + stanza("gone", status="deinstall ok config-files"))

    assert all_packages(bookworm(root), ScriptedRunner({})) == (("vim:amd64", "1"),)


def test_headers_come_from_the_package_of_the_interpreters_minor() -> None:
    target = bookworm()

    assert headers_package(target.interpreter, target.release) == "python3.11-dev"


def test_for_pypy_it_is_pypys_packages_that_take_part(tmp_path: Path) -> None:
    names = ("pypy3", "pypy3-lib", "pypy3-dev", "pypy3-tk", "python3.9", "python3.11-dev", "gcc")
    root = root_with(tmp_path, "\n".join(stanza(name) for name in names))
    cpython = bookworm(root)
    pypy = replace(cpython.interpreter, version=(3, 9, 16), marker_environment={"implementation_name": "pypy"})

    found = dict(build_packages(replace(cpython, interpreter=pypy), ScriptedRunner({})))

    assert found.keys() == {f"{name}:amd64" for name in ("pypy3", "pypy3-lib", "pypy3-dev", "gcc")}
    assert not {"pypy3:amd64", "pypy3-lib:amd64"} & dict(build_packages(cpython, ScriptedRunner({}))).keys()
