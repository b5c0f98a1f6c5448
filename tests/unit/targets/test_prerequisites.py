"""Missing prerequisites are reported together, with one command that installs them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from unit.fakes import Answer, Expected, ScriptedRunner, expect
from venvpkg.errors import MissingToolError, PackageDatabaseError
from venvpkg.families.base import Purpose
from venvpkg.host.command import Bind, Command, Completed
from venvpkg.model.target import Interpreter, Release, Target
from venvpkg.targets.prerequisites import Missing, always_missing, missing_prerequisites, require

ALLOWED = Completed(0)


def target(
    root: Path, status: str = "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n"
) -> Target:
    assert root != Path("/"), "a status file is written there"
    (root / "var/lib/dpkg").mkdir(parents=True, exist_ok=True)
    (root / "var/lib/dpkg/status").write_text(status)
    interpreter = Interpreter(
        path=PurePosixPath("/usr/bin/python3.11"),
        version=(3, 11, 2),
        ext_suffix=".so",
        include=PurePosixPath("/usr/include/python3.11"),
        marker_environment={},
        glibc=(2, 36),
    )
    release = Release("debian", "12", "bookworm")
    return Target("deb", release, "amd64", "x86_64", "x86_64-linux-gnu", root, interpreter)


def shown(command: Command) -> tuple[Bind, ...]:
    """Return the temporary directory that would be bind-mounted for a compile job."""
    (bind,) = command.binds
    return (Bind(bind.source, PurePosixPath("/usr/src/venvpkg")),)


def machine(namespaces: Completed = ALLOWED, installed: Completed | None = None) -> ScriptedRunner:
    """Return a machine that is asked for namespaces and, where packages are wanted, for those that are installed."""
    answers: dict[Expected, Answer] = {expect("true", binds=shown, network=False): namespaces}
    if installed is not None:
        answers[expect("dpkg-query", "--show", ...)] = installed
    return ScriptedRunner(answers)


def runner(installed: bytes) -> ScriptedRunner:
    return machine(installed=Completed(0, installed))


def test_a_missing_build_package_and_header_are_both_named(tmp_path: Path) -> None:
    found = missing_prerequisites(target(tmp_path), runner(b"installed\tlibpq-dev\t\n"), ["libpq-dev", "libxml2-dev"])

    assert {lack.package for lack in found if lack.purpose is not Purpose.ALWAYS} >= {"python3.11-dev", "libxml2-dev"}
    assert "libpq-dev" not in {lack.package for lack in found}


def test_a_damaged_package_database_lacks_like_anything_else(tmp_path: Path) -> None:
    found = missing_prerequisites(target(tmp_path, status=""), machine(), ["libpq-dev"])

    (database,) = (lack for lack in found if "package database" in lack.what)
    assert (database.purpose, bool(database.resolution)) == (Purpose.ALWAYS, True)
    assert {lack.package for lack in found} >= {"gcc", "python3.11-dev"}


def test_a_removed_package_counts_as_missing_and_a_provided_one_does_not(tmp_path: Path) -> None:
    listing = b"config-files\tlibpq-dev\t\ninstalled\tlibjpeg62-turbo-dev\tlibjpeg-dev (= 1:2), libfoo\n"

    found = {
        lack.package for lack in missing_prerequisites(target(tmp_path), runner(listing), ["libpq-dev", "libjpeg-dev"])
    }

    assert "libpq-dev" in found
    assert "libjpeg-dev" not in found


def test_a_build_that_compiles_nothing_needs_no_compiler(tmp_path: Path) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/dpkg-query").touch()
    (tmp_path / "bin").symlink_to("/usr/bin")

    assert [lack.what for lack in always_missing(target(tmp_path))] == ["the program dpkg-deb"]


def test_programs_are_looked_for_in_the_root_and_not_where_its_links_lead_on_this_machine(tmp_path: Path) -> None:
    (tmp_path / "root/usr").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/gcc").touch()
    (tmp_path / "root/usr/bin").symlink_to(tmp_path / "elsewhere")

    found = {lack.package for lack in missing_prerequisites(target(tmp_path / "root"), machine(), [])}

    assert "gcc" in found


def test_prerequisites_of_a_root_are_installed_there_by_its_own_tools(tmp_path: Path) -> None:
    suse = replace(target(tmp_path), family="rpm", release=Release("opensuse-leap", "15.6", "", ("suse", "opensuse")))
    fedora = replace(suse, release=Release("fedora", "43", ""))
    lacking = [Missing("gcc", Purpose.COMPILE, "gcc")]

    with pytest.raises(MissingToolError, match=f"Run: chroot {tmp_path} zypper install --no-recommends gcc"):
        require(lacking, suse)
    with pytest.raises(MissingToolError, match=f"Run: chroot {tmp_path} dnf install .* gcc"):
        require(lacking, fedora)


def test_refused_namespaces_are_reported_with_what_to_do(tmp_path: Path) -> None:
    refused = Completed(1, stderr=b"unshare: unshare failed: Operation not permitted\n")

    (lack,) = [
        each for each in missing_prerequisites(target(tmp_path), machine(refused), []) if "namespaces" in each.what
    ]

    assert "Operation not permitted" in lack.what
    assert lack.resolution.startswith("Run as root")


def test_a_database_that_cannot_be_read_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    broken = machine(installed=Completed(2, stderr=b"parsing file 'status' near line 3"))

    with pytest.raises(PackageDatabaseError, match="near line 3"):
        missing_prerequisites(target(tmp_path), broken, ["libpq-dev"])


def test_one_command_installs_everything_that_is_missing(tmp_path: Path) -> None:
    lacking = [Missing("Python.h", Purpose.COMPILE, "python3.11-dev"), Missing("gcc", Purpose.COMPILE, "gcc")]

    with pytest.raises(MissingToolError, match="--no-install-recommends gcc python3.11-dev"):
        require(lacking, target(tmp_path))


def test_what_a_package_provides_is_quoted_for_the_shell(tmp_path: Path) -> None:
    lacking = [Missing("pkgconfig(libpq)", Purpose.PROJECT, "pkgconfig(libpq)")]

    with pytest.raises(MissingToolError) as caught:
        require(lacking, target(tmp_path))

    assert "--no-install-recommends 'pkgconfig(libpq)'" in str(caught.value)


def test_nothing_missing_is_not_an_error(tmp_path: Path) -> None:
    require([], target(tmp_path))
