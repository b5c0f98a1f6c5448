"""Of a target with rpm is read what can change a compile: flags, installed packages, what the release calls itself."""

from __future__ import annotations

import pytest

from unit.fakes import ScriptedRunner, expect
from unit.targets.makers import target_of
from venvpkg.errors import MissingToolError, PackageDatabaseError
from venvpkg.families.rpm.host import all_packages, build_packages, not_installed, read_flags, read_identity
from venvpkg.host.command import Command, Completed
from venvpkg.model.target import Release

FEDORA = Release("fedora", "42", "")
# What rpm 4.20 of Fedora prints: some macros span lines.
CFLAGS = "-O2 -flto=auto -ffat-lto-objects -fexceptions \\\n -g -Wall  -specs=/usr/lib/rpm/redhat/redhat-hardened-cc1"


def rpm_expands(*values: str) -> ScriptedRunner:
    return ScriptedRunner(
        {expect("rpm", ...): Completed(0, "".join(f"{value}\n@venvpkg@\n" for value in values).encode())}
    )


def rpm_lists(*packages: str) -> ScriptedRunner:
    "".join(f"{each}\n" for each in packages)
    return ScriptedRunner(
        {expect("rpm", "--query", "--all", ...): Completed(0, "".join(f"{each}\n" for each in packages).encode())}
    )


def test_architecture_and_marks_come_from_rpm_and_there_is_no_multiarch() -> None:
    identity = read_identity(FEDORA, "x86_64-linux-gnu", rpm_expands("x86_64", "(x86-64)", ".fc42"))

    assert (identity.architecture, dict(identity.marks)) == ("x86_64", {"isa": "(x86-64)", "dist": ".fc42"})
    assert identity.multiarch == ""


@pytest.mark.parametrize(
    ("release", "dist"),
    [
        (Release("opensuse-leap", "15.6", ""), ".opensuseleap15.6"),
        (Release("opensuse-leap", "16.0", ""), ".opensuseleap16.0"),
        (Release("opensuse", "tumbleweed", ""), ".opensusetumbleweed"),
    ],
)
def test_a_release_without_dist_is_told_from_others_by_its_own_words(release: Release, dist: str) -> None:
    identity = read_identity(release, "", rpm_expands("aarch64", "(aarch-64)", ""))

    assert (identity.architecture, dict(identity.marks)["dist"]) == ("aarch64", dist)


@pytest.mark.parametrize("values", [("%{_target_cpu}", "", ""), ("x86_64", "", ".el9-2"), ("x86_64", "x86-64", "")])
def test_macros_that_expand_to_nonsense_are_refused(values: tuple[str, ...]) -> None:
    with pytest.raises(MissingToolError, match="Repair the macros of rpm on fedora 42"):
        read_identity(FEDORA, "", rpm_expands(*values))


@pytest.mark.parametrize("answer", [Completed(127), Completed(1, b"", b"error: macro"), Completed(0, b"x86_64\n")])
def test_an_rpm_that_does_not_answer_is_missing(answer: Completed) -> None:
    with pytest.raises(MissingToolError, match="rpm that expands macros"):
        read_identity(FEDORA, "", ScriptedRunner({expect("rpm", ...): answer}))


def test_flags_are_those_that_the_release_exports_on_one_line_each() -> None:
    runner = rpm_expands("-O2 \n -g", "-O2 -g", "-O2", "-O2", "-Wl,-z,relro  -Wl,-z")

    assert read_flags(runner) == {
        "CFLAGS": "-O2 -g", "CXXFLAGS": "-O2 -g", "FFLAGS": "-O2", "FCFLAGS": "-O2", "LDFLAGS": "-Wl,-z,relro -Wl,-z",
    }  # fmt: skip


def test_flags_do_not_want_variables_that_only_rpmbuild_sets() -> None:
    runner = rpm_expands("-O2", "-O2", "-O2", "-O2", "")

    read_flags(runner)

    assert ("--define", "_package_note_file %{nil}") in zip(runner.ran[0].argv, runner.ran[0].argv[1:], strict=False)


@pytest.mark.parametrize("flags", ["", "%{build_cflags}", "-O2\x1b[31m"])
def test_a_release_whose_flags_are_unknown_says_what_brings_them(flags: str) -> None:
    with pytest.raises(MissingToolError, match="rpm-build"):
        read_flags(rpm_expands(flags, "", "", "", ""))


@pytest.mark.parametrize(
    "name",
    ["libpq-devel", "glibc", "glibc-headers", "kernel-headers", "gcc", "gcc-c++", "gcc13-c++", "cpp", "libgcc_s1",
     "libstdc++6", "libstdc++-devel", "binutils", "make", "cargo", "rust-std-static", "redhat-rpm-config", "pkgconf",
     "openblas-srpm-macros", "python3", "python3-libs", "python3-devel", "python3.11-devel", "python311-base",
     "annobin-plugin-gcc", "libxslt-devel", "pyproject-rpm-macros", "kernel-srpm-macros"],
)  # fmt: skip
def test_what_takes_part_in_a_compile_counts(name: str) -> None:
    runner = rpm_lists(f"{name}.x86_64\t0:1.2-3.el9")

    assert build_packages(target_of(FEDORA), runner) == ((f"{name}.x86_64", "0:1.2-3.el9"),)


@pytest.mark.parametrize(
    "name", ["bash", "libpq", "python3-dnf", "python3.12-devel", "python312-base", "makedumpfile", "cppunit"]
)
def test_what_takes_no_part_does_not_count(name: str) -> None:
    assert build_packages(target_of(FEDORA), rpm_lists(f"{name}.x86_64\t0:1-1")) == ()


def test_two_versions_of_one_package_both_count_and_imported_keys_do_not() -> None:
    runner = rpm_lists("kernel.x86_64\t0:6.2-1", "kernel.x86_64\t0:6.1-1", "gpg-pubkey.(none)\t0:8483c65d-5ccc5b19")

    assert all_packages(target_of(FEDORA), runner) == (("kernel.x86_64", "0:6.1-1 0:6.2-1"),)


@pytest.mark.parametrize(
    "answer",
    [Completed(1, b"", b"error: rpmdb: damaged header\n"), Completed(0, b"gcc.x86_64 1\n"), Completed(0, b"")],
)
def test_a_database_that_cannot_be_read_is_not_taken_for_an_empty_one(answer: Completed) -> None:
    with pytest.raises(PackageDatabaseError, match="rpm --rebuilddb"):
        all_packages(target_of(FEDORA), ScriptedRunner({expect("rpm", ...): answer}))


def test_a_warning_of_rpms_is_no_damage() -> None:
    said = Completed(
        1, b"no package provides it\n", b"warning: Found sqlite rpmdb.sqlite database while attempting ndb\n"
    )

    assert not_installed(["gone"], ScriptedRunner({expect("rpm", ...): said})) == ("gone",)


@pytest.mark.parametrize(
    ("architecture", "kernel"), [("x86_64_v2", "x86_64"), ("i586", "i686"), ("armv7hl", "arm"), ("sparc", "")]
)
def test_an_rpm_is_for_its_own_processor(architecture: str, kernel: str) -> None:
    identity = read_identity(FEDORA, "", rpm_expands(architecture, "", ".fc42"), kernel)

    assert identity.architecture == architecture


def test_an_rpm_that_is_told_to_make_packages_for_another_processor_is_refused() -> None:
    with pytest.raises(MissingToolError, match="an rpm for x86_64, .* for aarch64") as caught:
        read_identity(FEDORA, "", rpm_expands("aarch64", "(aarch-64)", ".fc42"), "x86_64")

    assert "/etc/rpm/platform" in caught.value.resolution


def test_what_a_package_provides_counts_as_installed() -> None:
    def answer(command: Command) -> Completed:
        known = {"libpq-devel", "pkgconfig(libpq)"}
        return Completed(0) if command.argv[-1] in known else Completed(1, b"no package provides it\n")

    runner = ScriptedRunner({expect("rpm", "--query", "--whatprovides", "--", ...): answer})

    assert not_installed(["libpq-devel", "pkgconfig(libpq)", "pkgconfig(libxml-2.0)"], runner) == (
        "pkgconfig(libxml-2.0)",
    )
