"""An administrator reads why a package depends on another."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from venvpkg.errors import NotAPackageError
from venvpkg.explain.text import explain_as_text
from venvpkg.model.depends import Dependency, DependencySet, Evidence, Exclusion, Source


def libc(file: str, floor: str, symbol: str | None, distribution: str | None) -> Evidence:
    return Evidence(
        Source.SYMBOLS,
        "libc.so.6",
        PurePosixPath(file),
        distribution,
        floor,
        symbol,
        PurePosixPath("/lib/x86_64-linux-gnu/libc.so.6"),
        "libc6:amd64",
    )


BLAS = Evidence(
    Source.SHLIBS,
    "libblas.so.3",
    PurePosixPath("/opt/venvs/app/_blas.so"),
    "numpy",
    library=PurePosixPath("/lib/libblas.so.3"),
    owner="libopenblas0-pthread:amd64",
)
PYTHON = Evidence(
    Source.INTERPRETER,
    needed_by=PurePosixPath("/opt/venvs/app/bin/python"),
    floor="3.11.0",
    library=PurePosixPath("/usr/bin/python3.11"),
    owner="python3.11-minimal",
)
SET = DependencySet(
    (
        Dependency("libblas3 | libblas.so.3", (BLAS,)),
        Dependency(
            "libc6 (>= 2.34)",
            (
                libc("/opt/venvs/app/_psycopg.so", "2.34", "pthread_create@GLIBC_2.34", "psycopg2"),
                libc("/opt/venvs/app/lxml/etree.so", "2.14", "memcpy@GLIBC_2.14", "lxml"),
                libc("/opt/venvs/app/own.so", "0", None, None),
            ),
        ),
        Dependency("postgresql-client", (Evidence(Source.USER),)),
        Dependency("python3.11 (>= 3.11.0)", (PYTHON,)),
    ),
    ("a search path leads nowhere",),
)


def test_everything_is_explained_in_columns() -> None:
    assert explain_as_text(SET) == (
        "libblas3 | libblas.so.3\n"
        "  libblas.so.3, /lib/libblas.so.3 of libopenblas0-pthread:amd64 (by the package's shlibs file)\n"
        "    -  the library itself  numpy  /opt/venvs/app/_blas.so\n"
        "\n"
        "libc6 (>= 2.34)\n"
        "  libc.so.6, /lib/x86_64-linux-gnu/libc.so.6 of libc6:amd64 (lowest version by the package's symbols file)\n"
        "    >= 2.34      pthread_create@GLIBC_2.34  psycopg2  /opt/venvs/app/_psycopg.so\n"
        "    >= 2.14      memcpy@GLIBC_2.14          lxml      /opt/venvs/app/lxml/etree.so\n"
        "    any version  the library itself         -         /opt/venvs/app/own.so\n"
        "\n"
        "postgresql-client\n"
        "  declared by hand: depends in [tool.venvpkg]\n"
        "\n"
        "python3.11 (>= 3.11.0)\n"
        "  /opt/venvs/app/bin/python is /usr/bin/python3.11 of python3.11-minimal, 3.11.0 or later\n"
        "\n"
        "Warnings\n"
        "  a search path leads nowhere\n"
    )


@pytest.mark.parametrize("package", ["libblas3", "libblas.so.3"])
def test_one_package_is_explained_by_any_alternative(package: str) -> None:
    text = explain_as_text(SET, package)

    assert text.startswith("libblas3 | libblas.so.3\n")
    assert "libc6" not in text


def test_a_relation_is_explained_as_the_field_has_it() -> None:
    capability = "libfoo.so.1(FOO_2)(64bit)"
    because = (Evidence(Source.CAPABILITY, "libfoo.so.1"),)
    dependencies = DependencySet((Dependency(capability, because), Dependency("rtld(GNU_HASH)", because)))

    assert explain_as_text(dependencies, capability).splitlines()[0] == capability
    assert "rtld" not in explain_as_text(dependencies, capability)


@pytest.mark.parametrize(
    ("asked", "relation"),
    [
        ("python(abi)", "python(abi) = 3.11"),
        ("httpd", "(nginx >= 1 or httpd)"),
        ("nginx", "(nginx >= 1 or httpd)"),
    ],
)
def test_a_relation_of_an_rpm_is_found_by_its_capability_and_its_alternatives(asked: str, relation: str) -> None:
    because = (Evidence(Source.USER),)
    relations = ("python(abi) = 3.11", "(nginx >= 1 or httpd)", "libxml2-orlando")
    dependencies = DependencySet(tuple(Dependency(each, because) for each in relations))

    assert [line for line in explain_as_text(dependencies, asked).splitlines() if line[:1] != " "] == [relation]


def test_a_package_that_is_not_needed_is_told_with_those_that_are() -> None:
    with pytest.raises(NotAPackageError) as caught:
        explain_as_text(SET, "libssl3")

    assert "does not depend on libssl3" in caught.value.brief
    assert "postgresql-client" in caught.value.details


def test_a_package_without_dependencies_says_so() -> None:
    assert explain_as_text(DependencySet()) == "It depends on nothing.\n"


def test_a_file_name_that_is_no_text_can_be_printed() -> None:
    odd = libc("/opt/\udcff.so", "2.34", None, None)

    explain_as_text(DependencySet((Dependency("libc6 (>= 2.34)", (odd,)),))).encode("utf-8")


LEFT_OUT = DependencySet(
    exclusions=(
        Exclusion("libblas3 (>= 3)", "'!libblas3' in depends", (BLAS,)),
        Exclusion("python3.11 (>= 3.11.0)", "'!python3.11' in depends", (PYTHON,)),
    )
)


def test_what_the_user_left_out_is_explained_too() -> None:
    text = explain_as_text(LEFT_OUT)

    assert (
        "left out: libblas3 (>= 3)\n  the user's reason: '!libblas3' in depends\n"
        "  needed as libblas.so.3 for /opt/venvs/app/_blas.so\n"
    ) in text
    assert "  /opt/venvs/app/bin/python is /usr/bin/python3.11 of python3.11-minimal" in text


def test_one_package_that_was_left_out_can_be_asked_for() -> None:
    assert explain_as_text(LEFT_OUT, "libblas3").startswith("left out: libblas3")


def test_a_relation_that_stands_for_a_library_says_so() -> None:
    evidence = Evidence(Source.USER, "libcuda.so.1", PurePosixPath("/opt/x.so"), "torch")

    text = explain_as_text(DependencySet((Dependency("libcuda1", (evidence,)),)))

    assert "libcuda.so.1, not on this target (by hand: sonames in the configuration)" in text


def test_a_distribution_of_the_release_is_explained_by_who_requires_it() -> None:
    place = PurePosixPath("/usr/lib/python3/dist-packages/six-1.16.egg-info")
    required = Evidence(Source.SYSTEM, None, None, "app", "1.5", "six>=1.5", place, "python3-six")
    locked = Evidence(Source.SYSTEM, symbol="six", library=place, owner="python3-six")

    assert explain_as_text(DependencySet((Dependency("python3-six (>= 1.5)", (required, locked)),))) == (
        "python3-six (>= 1.5)\n"
        f"  app requires six>=1.5: {place} of python3-six, by wheels.system, >= 1.5\n"
        f"  six: {place} of python3-six, by wheels.system, any version\n"
    )


@pytest.mark.parametrize("source", Source)
def test_a_record_that_others_wrote_can_give_any_reason_for_any_library(source: Source) -> None:
    of_library = Dependency("libx1", (Evidence(source, soname="libx.so.1"),))
    of_none = Dependency("liby1", (Evidence(source),))

    text = explain_as_text(DependencySet((of_library, of_none)))

    assert "libx.so.1" in text
    assert "liby1" in text
