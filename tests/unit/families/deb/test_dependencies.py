"""The Depends of a payload, from ELF files and dpkg's database to relations."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.families.deb.dpkg import PYTHON, VERSIONS, Dpkg, database
from unit.linking.builder import Elf, Take
from unit.places import SYSTEM, Dirs
from unit.samples import a_project, on_target
from venvpkg.errors import ConfigurationError, PackageDatabaseError, UnownedSonameError
from venvpkg.families.common.preflight import require_owned
from venvpkg.families.deb.dependencies import derive_dependencies
from venvpkg.families.registry import FAMILIES
from venvpkg.model.depends import DependencySet, NativePackage, Source
from venvpkg.model.project import Settings, SonameRule
from venvpkg.model.staged import InstalledDistribution

if TYPE_CHECKING:
    from venvpkg.model.target import Target

LIB = "/opt/venvs/app/lib"
INFO = "/var/lib/dpkg/info"
RELATION_OF_PYTHON = "python3.11 (>= 3.11.0)"


@pytest.fixture
def places(tmp_path: Path) -> Dirs:
    made = Dirs.below(tmp_path)
    database(made)
    made.text(
        f"{INFO}/libc6:amd64.symbols", "libc.so.6 libc6 #MINVER#\n read@GLIBC_2.2.5 2.2.5\n poll@GLIBC_2.34 2.34\n"
    )
    made.library("libfoo.so.1")
    return made


def dpkg(**files: str) -> Dpkg:
    shipped = {f"{SYSTEM}/{name}": owner for name, owner in files.items()}
    return Dpkg(PYTHON | {"/lib/x86_64-linux-gnu/libc.so.6": "libc6:amd64"} | shipped, VERSIONS)


def depends(
    places: Dirs,
    runner: Dpkg,
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


def needing_foo(places: Dirs, *symbols: Take) -> None:
    places.payload(f"{LIB}/_foo.so", Elf(needed=("libfoo.so.1",), symbols=symbols))


OWNED = {"libfoo.so.1": "libfoo1:amd64"}


def test_a_payload_without_elf_files_needs_the_interpreter_by_its_minor(places: Dirs) -> None:
    (only,) = depends(places, dpkg()).dependencies

    assert only.relation == RELATION_OF_PYTHON
    (evidence,) = only.evidence
    assert (evidence.source, str(evidence.needed_by)) == (Source.INTERPRETER, "/opt/venvs/app/bin/python")


def test_evidence_names_symbol_file_distribution_library_and_owner(places: Dirs) -> None:
    places.payload(f"{LIB}/_foo.so", Elf(needed=("libc.so.6",), symbols=(Take("poll", "libc.so.6/GLIBC_2.34"),)))

    libc, _ = depends(places, dpkg()).dependencies

    assert libc.relation == "libc6 (>= 2.34)"
    (evidence,) = libc.evidence
    assert (evidence.symbol, evidence.distribution, evidence.owner) == ("poll@GLIBC_2.34", "foo", "libc6:amd64")
    assert str(evidence.library) == "/lib/x86_64-linux-gnu/libc.so.6"


def test_owners_are_told_in_the_version_that_is_installed(places: Dirs) -> None:
    needing_foo(places)

    owners = depends(places, dpkg(**OWNED)).owners

    assert owners == (("libfoo1:amd64", NativePackage("libfoo1", "1:2.3-4+deb12u1", "amd64")),)


def test_a_package_without_symbols_file_speaks_by_its_shlibs_file(places: Dirs) -> None:
    needing_foo(places)
    places.text(f"{INFO}/libfoo1:amd64.shlibs", "libfoo 1 libfoo1 (>= 1:2.2), libfoo-data\n")

    assert depends(places, dpkg(**OWNED)).relations() == ("libfoo-data", "libfoo1 (>= 1:2.2)", RELATION_OF_PYTHON)


def test_a_package_that_says_nothing_is_needed_as_it_is_installed_with_a_warning(places: Dirs) -> None:
    needing_foo(places)

    result = depends(places, dpkg(**OWNED))

    assert "libfoo1 (>= 1:2.3)" in result.relations()
    assert any("libfoo1 says nothing" in warning for warning in result.warnings)


def test_the_administrators_symbols_and_shlibs_win(places: Dirs) -> None:
    needing_foo(places, Take("f"))
    places.text(f"{INFO}/libfoo1:amd64.shlibs", "libfoo 1 libfoo1 (>= 1)\n")
    places.text("/etc/dpkg/shlibs.override", "libfoo 1 libfoo1 (>= 2)\n")
    assert "libfoo1 (>= 2)" in depends(places, dpkg(**OWNED)).relations()

    places.text(f"{INFO}/libfoo1:amd64.symbols", "libfoo.so.1 libfoo1 #MINVER#\n f@Base 3\n")
    assert "libfoo1 (>= 3)" in depends(places, dpkg(**OWNED)).relations()

    places.text("/etc/dpkg/symbols/libfoo1.symbols", "libfoo.so.1 libfoo1 #MINVER#\n f@Base 4\n")
    places.text("/etc/dpkg/symbols/libfoo1.symbols.amd64", "libfoo.so.1 libfoo1 #MINVER#\n f@Base 5\n")
    assert "libfoo1 (>= 5)" in depends(places, dpkg(**OWNED)).relations()


def test_shlibs_default_speaks_for_a_library_that_no_package_ships(places: Dirs) -> None:
    needing_foo(places)
    places.text("/etc/dpkg/shlibs.default", "libfoo 1 libfoo-local\n")

    assert "libfoo-local" in depends(places, dpkg()).relations()


def test_a_copy_that_no_package_ships_does_not_hide_the_packaged_one(places: Dirs) -> None:
    needing_foo(places)
    places.text("/etc/ld.so.conf", f"/usr/local/lib\n{SYSTEM}\n")
    places.system("/usr/local/lib/libfoo.so.1", Elf())
    places.text(f"{INFO}/libfoo1:amd64.shlibs", "libfoo 1 libfoo1\n")

    assert "libfoo1" in depends(places, dpkg(**OWNED)).relations()


def test_a_library_in_usr_local_alone_is_an_error_that_says_where_it_is(places: Dirs) -> None:
    (places.root / SYSTEM[1:] / "libfoo.so.1").unlink()
    needing_foo(places)
    places.text("/etc/ld.so.conf", "/usr/local/lib\n")
    places.system("/usr/local/lib/libfoo.so.1", Elf())

    with pytest.raises(UnownedSonameError, match=r"found at /usr/local/lib/libfoo\.so\.1, which no package ships"):
        depends(places, dpkg())


def test_the_version_of_its_own_that_a_package_left_to_be_substituted_is_the_installed_one(places: Dirs) -> None:
    needing_foo(places)
    places.text(f"{INFO}/libfoo1:amd64.symbols", "libfoo.so.1 libfoo1 (= ${binary:Version})\n f@Base 1\n")

    assert "libfoo1 (= 1:2.3-4+deb12u1)" in depends(places, dpkg(**OWNED)).relations()


@pytest.mark.parametrize("template", ["libfoo1 (>= ${source:Upstream})", "libfoo1 oops", "${shlibs:Depends}"])
def test_a_template_that_is_no_relation_is_damage_told_by_file(places: Dirs, template: str) -> None:
    needing_foo(places)
    places.text(f"{INFO}/libfoo1:amd64.symbols", f"libfoo.so.1 {template}\n f@Base 1\n")

    with pytest.raises(PackageDatabaseError, match=r"libfoo1:amd64\.symbols: not a valid relation"):
        depends(places, dpkg(**OWNED))


def test_symbols_of_an_alternative_template_add_its_relations(places: Dirs) -> None:
    needing_foo(places, Take("private", "libfoo.so.1/FOO_PRIVATE"))
    places.text(
        f"{INFO}/libfoo1:amd64.symbols",
        "libfoo.so.1 libfoo1 #MINVER#\n| libfoo1 (>> 2.3), libfoo1 (<< 2.4)\n f@FOO 1.0\n private@FOO_PRIVATE 0 1\n",
    )

    assert depends(places, dpkg(**OWNED)).relations() == ("libfoo1 (<< 2.4)", "libfoo1 (>> 2.3)", RELATION_OF_PYTHON)


def test_what_the_user_declares_raises_a_floor_and_is_evidence(places: Dirs) -> None:
    needing_foo(places)
    places.text(f"{INFO}/libfoo1:amd64.shlibs", "libfoo 1 libfoo1 (>= 1)\n")

    foo, client, _ = depends(places, dpkg(**OWNED), "libfoo1 (>= 2)", "postgresql-client | pgcli").dependencies

    assert (foo.relation, client.relation) == ("libfoo1 (>= 2)", "postgresql-client | pgcli")
    assert {each.source for each in foo.evidence} == {Source.USER, Source.SHLIBS}


def test_declared_relations_that_are_none_are_told_all_at_once(places: Dirs) -> None:
    with pytest.raises(ConfigurationError) as caught:
        depends(places, dpkg(), "libfoo1 >= 2", "fine", "a\nPre-Depends: b")

    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("files", "versions", "problem"),
    [
        ({}, VERSIONS, "does not belong to the package python3.11"),
        ({"/usr/bin/python3.11": "pyenv"}, VERSIONS, "does not belong to the package python3.11"),
        (PYTHON, {}, "python3.11 is not installed"),
        (PYTHON, {"python3.11": "3.10.9-1"}, "older than 3.11.0"),
    ],
)
def test_an_interpreter_that_no_relation_can_name_is_an_error(
    places: Dirs, files: dict[str, str], versions: dict[str, str], problem: str
) -> None:
    with pytest.raises(PackageDatabaseError, match=problem):
        depends(places, Dpkg(files, versions))


def test_warnings_are_told_and_kept(places: Dirs) -> None:
    needing_foo(places)
    reporter = RecordingReporter()

    result = derive_dependencies(
        places.scan(), places.staged(), Settings(), on_target(places.target(), dpkg(**OWNED), reporter)
    )

    assert reporter.warnings == list(result.warnings) != []


def test_what_the_user_leaves_out_is_gone_with_a_warning_and_stays_known(places: Dirs) -> None:
    needing_foo(places)
    places.text(f"{INFO}/libfoo1:amd64.shlibs", "libfoo 1 libfoo1 (>= 1)\n")
    reporter = RecordingReporter()

    found = depends(places, dpkg(**OWNED), "$auto", "!libfoo1", "mine", reporter=reporter)

    assert found.relations() == ("mine", RELATION_OF_PYTHON)
    (left_out,) = found.exclusions
    assert (left_out.what, left_out.reason) == ("libfoo1 (>= 1)", "'!libfoo1' in depends")
    assert str(left_out.evidence[0].needed_by) == f"{LIB}/_foo.so"
    assert reporter.warnings == ["depends: libfoo1 (>= 1) is needed, and left out by '!libfoo1'"]


def test_leaving_out_what_is_not_there_is_a_warning(places: Dirs) -> None:
    found = depends(places, dpkg(), "!libfoo1")

    assert found.relations() == (RELATION_OF_PYTHON,)
    assert found.warnings == ("depends: '!libfoo1' leaves nothing out: no computed relation is on libfoo1",)


@pytest.mark.parametrize("owned", [{}, OWNED])
def test_a_library_that_is_ignored_needs_no_owner_and_says_why(places: Dirs, owned: dict[str, str]) -> None:
    needing_foo(places)

    found = depends(places, dpkg(**owned), sonames=(SonameRule("libfoo.so.1", reason="comes with the driver"),))

    assert found.relations() == (RELATION_OF_PYTHON,)
    (left_out,) = found.exclusions
    assert (left_out.what, left_out.reason) == (
        "libfoo.so.1",
        "comes with the driver (sonames in the configuration)",
    )
    assert (left_out.evidence[0].distribution, left_out.evidence[0].soname) == ("foo", "libfoo.so.1")
    assert found.warnings == ()


def test_a_relation_for_a_library_counts_instead_of_what_its_owner_says(places: Dirs) -> None:
    needing_foo(places)
    places.text(f"{INFO}/libfoo1:amd64.shlibs", "libfoo 1 libfoo1 (>= 1)\n")

    found = depends(places, dpkg(**OWNED), sonames=(SonameRule("libfoo.so.1", relation="foo-ng | foo"),))

    assert found.relations() == ("foo-ng | foo", RELATION_OF_PYTHON)
    (evidence,) = found.dependencies[0].evidence
    assert (evidence.source, evidence.soname) == (Source.USER, "libfoo.so.1")


def test_a_rule_for_a_library_that_nothing_needs_is_a_warning(places: Dirs) -> None:
    found = depends(places, dpkg(), sonames=(SonameRule("libbar.so.1", reason="x"),))

    assert found.warnings == ("sonames: nothing in the payload needs libbar.so.1",)
    assert found.exclusions == ()


def of_another(places: Dirs, path: str, version: tuple[int, int, int], implementation: str = "cpython") -> Target:
    places.system(path, Elf())
    here = places.target()
    environment = {"implementation_name": implementation, "implementation_version": "7.3.11"}
    interpreter = replace(
        here.interpreter, path=PurePosixPath(path), version=version, marker_environment=environment, identity="its own"
    )
    return replace(here, interpreter=interpreter)


@pytest.mark.parametrize(
    ("path", "version", "implementation", "owner", "installed", "relations"),
    [
        ("/usr/bin/python3.12", (3, 12, 4), "cpython", "python3.12-minimal", {"python3.12": "3.12.4-1"},
         ("python3.12 (>= 3.12.0)",)),
        ("/usr/bin/pypy3.9", (3, 9, 16), "pypy", "pypy3", {"pypy3": "7.3.11+dfsg-2+deb12u3"},
         ("pypy3 (<< 7.3.12~)", "pypy3 (>= 7.3.11)")),
        ("/opt/acme/bin/python3.12", (3, 12, 4), "cpython", "acme-python", {"acme-python": "3.12.4-1"},
         ("acme-python (<< 3.13~)", "acme-python (>= 3.12.0)")),
        ("/opt/acme/bin/python3.12", (3, 12, 4), "cpython", "acme-python", {"acme-python": "3.120-1"},
         ("acme-python",)),
        ("/opt/acme/bin/python3.12", (3, 12, 4), "cpython", "acme-python", {"acme-python": "2024.1-1"},
         ("acme-python",)),
    ],
)  # fmt: skip
def test_another_interpreter_is_bound_by_the_name_of_its_package_or_by_its_version(  # noqa: PLR0913, PLR0917
    places: Dirs, path: str, version: tuple[int, int, int], implementation: str, owner: str,
    installed: dict[str, str], relations: tuple[str, ...],
) -> None:  # fmt: skip
    there = of_another(places, path, version, implementation)
    staged = replace(places.staged(), python_floor="3.12.0")

    found = derive_dependencies(
        places.scan(), staged, Settings(), on_target(there, Dpkg({path: owner}, installed), RecordingReporter())
    )

    assert found.relations() == relations


def test_an_interpreter_that_no_package_owns_is_no_dependency_and_a_warning(places: Dirs) -> None:
    there = of_another(places, "/usr/local/bin/python3.12", (3, 12, 4))
    reporter = RecordingReporter()

    found = derive_dependencies(places.scan(), places.staged(), Settings(), on_target(there, Dpkg({}, {}), reporter))

    assert found.relations() == ()
    (warning,) = reporter.warnings
    assert warning.startswith("no package owns /usr/local/bin/python3.12, so the package does not depend on")


@pytest.mark.parametrize("allowed", [True, False])
def test_an_interpreter_that_no_package_owns_is_refused_where_the_user_wants_that(
    places: Dirs, *, allowed: bool
) -> None:
    project = replace(a_project(), settings=Settings(unowned_python=allowed))
    there = of_another(places, "/usr/local/bin/python3.12", (3, 12, 4))

    with contextlib.nullcontext() if allowed else pytest.raises(PackageDatabaseError, match="unowned-python is false"):
        require_owned(project, there, Dpkg({}, {}), FAMILIES["deb"].format)
    owned = Dpkg({"/usr/local/bin/python3.12": "python3.12"}, {"python3.12": "3.12.4-1"})
    require_owned(project, there, owned, FAMILIES["deb"].format)
