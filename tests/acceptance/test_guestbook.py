from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from acceptance.lintian import findings
from acceptance.packages import Visit, depends_of, shown

if TYPE_CHECKING:
    from acceptance.cleanroot import CleanRoot
    from acceptance.packages import Venvpkg

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
GUESTBOOK = EXAMPLES / "guestbook"


def copied(source: Path, destination: Path) -> Path:
    return Path(shutil.copytree(source, destination, ignore=shutil.ignore_patterns("__pycache__", "dist")))


def snapshot(*directories: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for each in directories for path in each.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def project(venvpkg: Venvpkg) -> Path:
    """A copy: building locks it."""
    return copied(GUESTBOOK, venvpkg.directory / "guestbook")


@pytest.fixture(scope="module")
def visit(venvpkg: Venvpkg, clean_root: CleanRoot, project: Path) -> Visit:
    package = venvpkg.build(str(project))
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


def test_depends_are_what_dpkg_shlibdeps_says_and_the_interpreter(visit: Visit, tmp_path: Path) -> None:
    root = tmp_path / "debian/guestbook"
    root.parent.mkdir()
    subprocess.run(["dpkg-deb", "--raw-extract", visit.package, root], check=True)
    (tmp_path / "debian/control").write_text("Source: guestbook\n\nPackage: guestbook\nArchitecture: any\n")
    objects = sorted(str(path) for path in root.rglob("*.so*") if path.is_file())

    said = subprocess.run(
        ["dpkg-shlibdeps", "-O", *objects], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout

    expected = set(said.strip().removeprefix("shlibs:Depends=").split(", "))
    ours = {f"{name} {restriction}".strip() for name, restriction in depends_of(visit.package).items()}
    assert {each for each in ours if not each.startswith("python3.")} == expected


def test_a_second_build_elsewhere_compiles_nothing_and_gives_the_same_bytes(
    visit: Visit, venvpkg: Venvpkg, project: Path
) -> None:
    elsewhere = copied(project, venvpkg.directory / "some/other/place")

    package, outcome = venvpkg.built(str(elsewhere), out="out-2", cache="cache-2")

    assert "building" not in outcome.stderr
    assert package.read_bytes() == visit.package.read_bytes()


def test_the_example_of_the_library_builds_the_same_bytes_and_says_why_it_depends_on_what(
    visit: Visit, venvpkg: Venvpkg, project: Path, tmp_path: Path
) -> None:
    copied(project, tmp_path / "guestbook")
    program = copied(EXAMPLES / "library", tmp_path / "library") / "build_guestbook.py"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "venvpkg").symlink_to(venvpkg.directory)  # the user's wheelhouse is the one of all these tests

    done = subprocess.run(
        [venvpkg.program.parent / "python", program, tmp_path / "dist"],
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "staged" in done.stderr
    assert "building" not in done.stderr
    package, _, explanation = done.stdout.partition("\n")
    assert Path(json.loads(package)["package"]).read_bytes() == visit.package.read_bytes()
    assert any(each.startswith("libpq5 (>= ") for each in json.loads(package)["depends"])
    assert "@Base  psycopg2  /opt/venvs/guestbook/lib/" in explanation


def test_the_plan_names_what_is_reused_and_changes_nothing(visit: Visit, venvpkg: Venvpkg, project: Path) -> None:
    before = snapshot(visit.package.parent, project)

    outcome = venvpkg.run("plan", str(project), f"--wheelhouse={venvpkg.directory / 'wheelhouse'}")

    actions = {line.split()[1]: line.split()[0] for line in outcome.stdout.splitlines()}
    assert {actions[name] for name in ("guestbook", "lxml", "markupsafe", "psycopg2")} == {"reuse"}
    assert actions["flask"] == "pure"
    assert snapshot(visit.package.parent, project) == before


def test_explain_walks_from_a_dependency_to_symbol_file_and_distribution(visit: Visit, venvpkg: Venvpkg) -> None:
    outcome = venvpkg.run("explain", str(visit.package), "libpq5")

    assert outcome.code == 0, outcome.transcript
    assert outcome.stdout.startswith("libpq5 (>= ")
    assert "libpq.so.5" in outcome.stdout
    assert "@Base  psycopg2  /opt/venvs/guestbook/lib/" in outcome.stdout


def test_the_interpreter_is_a_dependency_by_exact_minor(visit: Visit) -> None:
    depends = depends_of(visit.package)

    assert [name for name in depends if name.startswith("python3.")]
    assert "python3" not in depends


def test_lintian_finds_no_fault(visit: Visit) -> None:
    assert findings(visit.package) == []
