from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from acceptance.packages import Visit, depends_of, shown

if TYPE_CHECKING:
    from acceptance.cleanroot import CleanRoot
    from acceptance.packages import Venvpkg

HERE = Path(__file__).parent
GUESTBOOK = HERE.parents[1] / "examples" / "guestbook"


@pytest.fixture(scope="module")
def visit(venvpkg: Venvpkg, clean_root: CleanRoot) -> Visit:
    package = venvpkg.build(str(GUESTBOOK))
    visitor = PurePosixPath("/mnt/visitor.py")
    outcome = clean_root.run(
        (HERE / "guestbook_in_root.sh").read_text(),
        binds={package: shown(package), HERE / "guestbook_visitor.py": visitor},
        arguments=[str(shown(package)), str(visitor)],
    )
    return Visit(package, outcome)


def test_the_whole_visit_goes_well(visit: Visit) -> None:
    assert visit.outcome.code == 0, visit.outcome.transcript
    assert "  NO " not in visit.outcome.stdout


@pytest.mark.parametrize(
    "sentence",
    [
        "apt is content with the dependencies",
        "no compiler is installed",
        "the command says its version",
        "psycopg2 uses the distribution's libpq",
        "lxml uses the distribution's libxml2",
        "no library is grafted into a wheel",
        "the page shows the entry",
        "the feed gives the entry back as it was",
        "running it wrote nothing into its directory",
        "every file is still as shipped",
        "nothing of it is left",
    ],
)
def test_in_a_clean_root(visit: Visit, sentence: str) -> None:
    assert f"  yes  {sentence}\n" in visit.outcome.stdout, visit.outcome.transcript


def test_the_package_is_named_after_project_version_and_release(visit: Visit) -> None:
    assert visit.package.name.startswith("guestbook_1.0.0-1~debian")


def test_depends_are_the_owners_of_the_c_libraries_with_floors(visit: Visit) -> None:
    depends = depends_of(visit.package)

    assert {"libc6", "libpq5", "libxml2", "libxslt1.1"} <= depends.keys()
    assert all(depends[name].startswith("(>= ") for name in ("libc6", "libpq5", "libxml2", "libxslt1.1"))


def test_the_interpreter_is_a_dependency_by_exact_minor(visit: Visit) -> None:
    depends = depends_of(visit.package)

    assert [name for name in depends if name.startswith("python3.")]
    assert "python3" not in depends
