"""The Requires of a payload, from ELF files and the rpmdb to relations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.families.rpm.rpm import GLIBC, PYTHON, PYTHON_FILES, VERSION, Rpm
from unit.linking.builder import Elf, Take
from unit.places import Dirs
from unit.samples import on_target
from venvpkg.errors import ConfigurationError, MissingToolError, PackageDatabaseError, UnprovidedCapabilityError
from venvpkg.families.rpm.dependencies import derive_dependencies
from venvpkg.host.command import Command, Completed
from venvpkg.model.depends import DependencySet, NativePackage, Source
from venvpkg.model.project import Settings, SonameRule
from venvpkg.model.staged import InstalledDistribution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvpkg.model.target import Target

LIB = "/opt/venvs/app/lib"
FOO: dict[str, tuple[str, ...]] = {"libfoo": ("libfoo.so.1()(64bit)", "libfoo.so.1(FOO_1)(64bit)")}
OF_PYTHON = ("/usr/bin/python3.11", "python(abi) = 3.11")
VERSIONS = {"python3": "3.11.2-1.el9"}


@pytest.fixture
def places(tmp_path: Path) -> Dirs:
    made = Dirs.below(tmp_path)
    made.library("libfoo.so.1", "libm.so.6")
    return made


def rpm(available: Mapping[str, tuple[str, ...]] | None = None, **installed: tuple[str, ...]) -> Rpm:
    return Rpm({**PYTHON, **GLIBC, **installed}, PYTHON_FILES, available or {}, VERSIONS)


def depends(
    places: Dirs,
    runner: Rpm,
    *declared: str,
    sonames: tuple[SonameRule, ...] = (),
    reporter: RecordingReporter | None = None,
) -> DependencySet:
    distribution = InstalledDistribution("foo", "1.0", "", (PurePosixPath(f"{LIB}/_foo.so"),))
    return derive_dependencies(
        places.scan(),
        places.staged([distribution]),
        Settings(depends=declared, sonames=sonames),
        on_target(places.target(), runner, reporter or RecordingReporter()),
    )


def needing_foo(places: Dirs, *versions: str) -> None:
    places.payload(f"{LIB}/_foo.so", Elf(needed=("libfoo.so.1",), versions=versions))


def test_a_payload_without_elf_files_needs_the_interpreter_by_path_and_abi(places: Dirs) -> None:
    found = depends(places, rpm())

    assert found.relations() == OF_PYTHON
    assert {each.evidence[0].source for each in found.dependencies} == {Source.INTERPRETER}
    assert dict(found.owners) == {"python3": NativePackage("python3", "3.11.2-1.el9", "x86_64")}


def test_a_library_and_each_of_its_versions_is_required_by_name(places: Dirs) -> None:
    needing_foo(places, "libfoo.so.1/FOO_1")

    found = depends(places, rpm(None, **FOO))

    assert found.relations() == (OF_PYTHON[0], "libfoo.so.1()(64bit)", "libfoo.so.1(FOO_1)(64bit)", OF_PYTHON[1])
    versioned = found.dependencies[2].evidence[0]
    assert (versioned.symbol, versioned.owner, versioned.distribution) == ("FOO_1", "libfoo", "foo")
    assert dict(found.owners)["libfoo"].version == VERSION


def test_two_libraries_with_a_version_of_one_name_are_both_required_in_it(places: Dirs) -> None:
    both = ("libc.so.6/GLIBC_2.29", "libm.so.6/GLIBC_2.29")
    places.payload(f"{LIB}/_foo.so", Elf(needed=("libc.so.6", "libm.so.6"), versions=both))
    glibc = (*GLIBC["glibc"], "libc.so.6(GLIBC_2.29)(64bit)", "libm.so.6(GLIBC_2.29)(64bit)")

    relations = depends(places, rpm(glibc=glibc)).relations()

    assert {"libc.so.6(GLIBC_2.29)(64bit)", "libm.so.6(GLIBC_2.29)(64bit)"} <= set(relations)


def test_a_library_without_versions_can_be_required_in_its_present_one(places: Dirs) -> None:
    places.payload(f"{LIB}/_foo.so", Elf(needed=("libfoo.so.1", "libc.so.6")))
    bare = {"libfoo": ("libfoo.so.1()(64bit)",)}
    target = replace(places.target(), marks=(("isa", "(x86-64)"),))

    found = derive_dependencies(
        places.scan(),
        places.staged(),
        Settings(rpm_min_versions=True),
        on_target(target, rpm(None, **bare), RecordingReporter()),
    )

    # glibc tells its versions apart, so that its own version says nothing more.
    assert found.relations() == (
        OF_PYTHON[0], "libc.so.6()(64bit)", "libfoo(x86-64) >= 1.0", "libfoo.so.1()(64bit)", OF_PYTHON[1],
    )  # fmt: skip


def test_what_the_payload_brings_itself_is_neither_asked_for_nor_required(places: Dirs) -> None:
    mangled = "libssl-0a1b2c3d.so.3"
    places.payload(f"{LIB}/app.libs/{mangled}", Elf(soname=mangled))
    places.payload(
        f"{LIB}/_foo.so", Elf(needed=(mangled,), versions=(f"{mangled}/OPENSSL_3.0.0",), rpath="$ORIGIN/app.libs")
    )

    assert depends(places, rpm()).relations() == OF_PYTHON


def test_what_is_not_installed_is_looked_for_in_the_repositories(places: Dirs) -> None:
    needing_foo(places)
    (places.root / "usr/lib/x86_64-linux-gnu/libfoo.so.1").unlink()

    found = depends(places, rpm(available=FOO))

    evidence = found.dependencies[1].evidence[0]
    assert (evidence.soname, evidence.owner, evidence.library) == ("libfoo.so.1", "libfoo", None)


def test_every_capability_that_nobody_provides_is_named_with_who_needs_it(places: Dirs) -> None:
    needing_foo(places, "libfoo.so.1/FOO_2")

    with pytest.raises(UnprovidedCapabilityError) as caught:
        depends(places, rpm(libfoo=("libfoo.so.1()(64bit)",)))

    assert caught.value.capabilities == ("libfoo.so.1(FOO_2)(64bit)",)
    assert f"for {LIB}/_foo.so (library found at /lib/x86_64-linux-gnu/libfoo.so.1)" in caught.value.details


def test_repositories_that_cannot_be_asked_are_told_with_what_is_missing(places: Dirs) -> None:
    needing_foo(places)
    runner = rpm()
    runner.dnf = Completed(1, stderr=b"Error: Failed to download metadata\n")

    with pytest.raises(UnprovidedCapabilityError, match="dnf could not be asked .* Failed to download metadata"):
        depends(places, runner)


def test_repositories_are_not_asked_when_all_is_installed(places: Dirs) -> None:
    needing_foo(places)
    runner = rpm(None, **FOO)

    depends(places, runner)

    assert {command.argv[0] for command in runner.ran} == {"rpm"}


def test_a_plug_in_whose_name_is_no_librarys_has_no_capability_and_a_warning(places: Dirs) -> None:
    places.library("plugin.so")
    places.payload(f"{LIB}/_foo.so", Elf(needed=("plugin.so",)))
    reporter = RecordingReporter()

    found = depends(places, rpm(), reporter=reporter)

    assert found.relations() == OF_PYTHON
    assert [each for each in reporter.warnings if each.startswith("plugin.so has no name that rpm knows")]


def test_the_users_rule_stands_for_a_library_and_is_not_checked(places: Dirs) -> None:
    needing_foo(places, "libfoo.so.1/FOO_9")

    found = depends(places, rpm(), sonames=(SonameRule("libfoo.so.1", relation="libfoo (>= 2) | libfoo-compat"),))

    assert found.relations() == ("(libfoo >= 2 or libfoo-compat)", *OF_PYTHON)


@pytest.mark.parametrize("name", ["libfoo", "libfoo.so.1", "libfoo.so.1()(64bit)"])
def test_a_computed_relation_is_left_out_by_package_soname_or_capability(places: Dirs, name: str) -> None:
    needing_foo(places)

    found = depends(places, rpm(None, **FOO), f"!{name}", "$auto")

    assert found.relations() == OF_PYTHON
    assert [each.what for each in found.exclusions] == ["libfoo.so.1()(64bit)"]


def test_declared_relations_are_spelled_for_rpm_and_joined(places: Dirs) -> None:
    assert depends(places, rpm(), "$auto", "postgresql (>= 13) | pgcli").relations() == (
        "(postgresql >= 13 or pgcli)", *OF_PYTHON,
    )  # fmt: skip


def test_declared_texts_that_are_no_relations_are_told_together(places: Dirs) -> None:
    with pytest.raises(ConfigurationError) as caught:
        depends(places, rpm(), "%{x}", "a b")

    assert "'%{x}'" in str(caught.value)
    assert "'a b'" in str(caught.value)


def test_an_interpreter_that_no_package_ships_or_that_has_no_abi_is_refused(places: Dirs) -> None:
    with pytest.raises(PackageDatabaseError, match="No package ships it"):
        depends(places, Rpm({**PYTHON, **GLIBC}, {}, {}, VERSIONS))
    with pytest.raises(PackageDatabaseError, match=r"provides python\(abi\) = 3.11"):
        depends(places, Rpm({"python3": (), **GLIBC}, PYTHON_FILES, {}, VERSIONS))


def test_an_interpreter_older_than_the_application_asks_for_is_refused(places: Dirs) -> None:
    with pytest.raises(PackageDatabaseError, match="is older than 3.11.0"):
        depends(places, Rpm({**PYTHON, **GLIBC}, PYTHON_FILES, {}, {"python3": "3.10.9-1"}))


class FailingRpm:
    def __init__(self, answer: Completed) -> None:
        self.answer = answer

    def run(self, command: Command) -> Completed:
        assert command.argv[0] == "rpm"
        return self.answer


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Completed(127), MissingToolError),
        (Completed(0), PackageDatabaseError),
        (Completed(124), PackageDatabaseError),
        (Completed(1, b"a\t0\t1-1\tnoarch\ta\t=\t1-1\n", b"error: rpmdb: damaged header\n"), PackageDatabaseError),
    ],
)
def test_a_database_that_is_missing_locked_or_damaged_is_told(
    places: Dirs, answer: Completed, error: type[Exception]
) -> None:
    with pytest.raises(error):
        derive_dependencies(
            places.scan(),
            places.staged(),
            Settings(),
            on_target(places.target(), FailingRpm(answer), RecordingReporter()),
        )


def test_a_symbol_version_with_a_symbol_counts_like_one_without(places: Dirs) -> None:
    places.payload(f"{LIB}/_foo.so", Elf(needed=("libfoo.so.1",), symbols=(Take("f", "libfoo.so.1/FOO_1"),)))

    assert "libfoo.so.1(FOO_1)(64bit)" in depends(places, rpm(None, **FOO)).relations()


def of_another(places: Dirs, path: str, implementation: str = "cpython", suffix: str = "") -> Target:
    places.system(path, Elf())
    here = places.target()
    interpreter = replace(
        here.interpreter, path=PurePosixPath(path), version=(3, 12, 4), ext_suffix=suffix, identity="its own",
        marker_environment={"implementation_name": implementation},
    )  # fmt: skip
    return replace(here, interpreter=interpreter)


@pytest.mark.parametrize(
    ("path", "implementation", "suffix", "package", "provided", "relations"),
    [
        ("/usr/bin/python3.12", "cpython", "", "python3.12", ("python(abi) = 3.12",),
         ("/usr/bin/python3.12", "python(abi) = 3.12")),
        ("/usr/bin/python3.12t", "cpython", ".cpython-312t-x86_64-linux-gnu.so", "python3.12-freethreading",
         ("python(abi) = 3.12t",), ("/usr/bin/python3.12t", "python(abi) = 3.12t")),
        ("/usr/bin/pypy3.12", "pypy", "", "pypy3.12", (), ("/usr/bin/pypy3.12",)),
    ],
)  # fmt: skip
def test_another_interpreter_is_bound_by_its_path_and_the_abi_that_its_package_tells(  # noqa: PLR0913, PLR0917
    places: Dirs, path: str, implementation: str, suffix: str, package: str, provided: tuple[str, ...],
    relations: tuple[str, ...],
) -> None:  # fmt: skip
    there = of_another(places, path, implementation, suffix)
    runner = Rpm({package: provided, **GLIBC}, {path: package}, {}, {package: "3.12.4-1.el9"})
    staged = replace(places.staged(), python_floor="3.12.0")

    found = derive_dependencies(places.scan(), staged, Settings(), on_target(there, runner, RecordingReporter()))

    assert found.relations() == relations


def test_an_interpreter_that_no_package_owns_is_no_requirement_and_a_warning(places: Dirs) -> None:
    there = of_another(places, "/usr/local/bin/python3.12")
    reporter = RecordingReporter()

    found = derive_dependencies(places.scan(), places.staged(), Settings(), on_target(there, rpm(), reporter))

    assert found.relations() == ()
    assert [each.startswith("no package owns /usr/local/bin/python3.12") for each in reporter.warnings] == [True]
