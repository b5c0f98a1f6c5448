"""The guestbook's .rpm: its Requires against real releases, and its visit by each family's own package manager."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from acceptance.packages import Visit, shown
from acceptance.rpms import BUILDERS, errors_of_rpmlint, requires_of
from rpmdata import RealRelease, soname_capability
from rpmworld.flavours import Flavour

if TYPE_CHECKING:
    from collections.abc import Callable

    from acceptance.packages import Venvpkg
    from rpmworld.world import World

# lxml takes minutes to compile; `make demo-rpm` shows the same.
pytestmark = pytest.mark.full

HERE = Path(__file__).parent
GUESTBOOK = HERE.parents[1] / "examples" / "guestbook"
POSTGRESQL = HERE.parent / "rpmworld" / "postgresql.sh"
VISITOR = HERE / "guestbook_visitor.py"


@pytest.fixture(scope="module")
def bookworm(rpm_worlds: Callable[[str | None], World]) -> World:
    """The world whose C library is older than that of the releases that there are data of."""
    return rpm_worlds("bookworm")


@pytest.fixture(scope="module")
def package(venvpkg: Venvpkg, bookworm: World) -> Path:
    project = venvpkg.directory / "guestbook-rpm"
    shutil.copytree(GUESTBOOK, project, ignore=shutil.ignore_patterns("__pycache__", "dist"))
    return venvpkg.built(str(project), f"--target=root:{bookworm.root(*BUILDERS).base}")[0]


@pytest.mark.parametrize("flavour", list(Flavour))
def test_the_whole_visit_goes_well(package: Path, bookworm: World, flavour: Flavour) -> None:
    binds = {each: PurePosixPath("/mnt") / each.name for each in (VISITOR, POSTGRESQL)}

    visit = Visit(
        package,
        bookworm.root(flavour=flavour).run(
            (HERE / "guestbook_in_root.sh").read_text(),
            binds={package: shown(package), **binds},
            arguments=[str(shown(package)), *map(str, binds.values())],
        ),
    )

    assert visit.outcome.code == 0, visit.outcome.transcript
    assert "  NO " not in visit.outcome.stdout
    assert "  yes  the page shows the entry\n" in visit.outcome.stdout
    assert "  yes  nothing of it is left\n" in visit.outcome.stdout


def test_el_10_has_all_that_it_requires_but_the_interpreter(package: Path) -> None:
    required = requires_of(package)

    assert RealRelease.el10().missing_prerequisites(required) == ("/usr/bin/python3.11", "python(abi) = 3.11")


def test_tumbleweed_has_all_libraries_that_it_requires(package: Path) -> None:
    sonames = {each.partition("(")[0] for each in requires_of(package) if each.startswith("lib")}

    assert {"libpq.so.5", "libxml2.so.2", "libxslt.so.1", "libexslt.so.0", "libc.so.6"} == sonames
    assert RealRelease.tumbleweed().missing_prerequisites(map(soname_capability, sonames)) == ()


def test_rpmlint_finds_no_error_beyond_those_with_a_reason(package: Path) -> None:
    assert errors_of_rpmlint(package) == []
