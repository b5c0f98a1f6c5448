"""Our own sdist and wheel contain what they should."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest
from hatchling.build import build_sdist, build_wheel

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Build the sdist from the checkout, and the wheel from that sdist, as ``python -m build`` does."""
    output = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(CHECKOUT)
        sdist = output / build_sdist(str(output))
        with tarfile.open(sdist) as archive:
            if hasattr(tarfile, "data_filter"):  # not in Debian 12's 3.11.2, and asked for by newer releases
                archive.extraction_filter = tarfile.data_filter
            archive.extractall(output)  # noqa: S202 - our own
        patch.chdir(output / sdist.name.removesuffix(".tar.gz"))
        wheel = output / build_wheel(str(output))
    return sdist, wheel


def templates(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("family", "directory", "known"),
    [
        ("deb", "debian-templates", "control.j2"),
        ("rpm", "rpm-templates", "package.spec.j2"),
        ("ci", "deploy/ci", "github.yml.j2"),
    ],
)
def test_the_wheel_has_every_template_of_the_checkout(
    built: tuple[Path, Path], family: str, directory: str, known: str
) -> None:
    place = f"venvpkg/_templates/{family}/"
    with zipfile.ZipFile(built[1]) as wheel:
        shipped = {name.removeprefix(place) for name in wheel.namelist() if name.startswith(place)}

    assert shipped == templates(CHECKOUT / directory)
    assert known in shipped


def test_the_wheel_has_every_module_of_the_checkout(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[1]) as wheel:
        shipped = {name for name in wheel.namelist() if name.endswith((".py", "py.typed"))}

    package = CHECKOUT / "src"
    assert shipped == {str(path.relative_to(package)) for path in package.rglob("*.py")} | {"venvpkg/py.typed"}


def test_the_wheel_has_the_manual_page_where_man_finds_it(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[1]) as wheel:
        (page,) = (name for name in wheel.namelist() if name.endswith(".data/data/share/man/man1/venvpkg.1"))
        shipped = wheel.read(page)

    assert shipped == (CHECKOUT / "docs" / "venvpkg.1").read_bytes()


def test_the_sdist_has_what_the_wheel_is_built_from_and_the_licence(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}

    assert {"LICENSE", "README.md", "pyproject.toml", "debian-templates/control.j2", "src/venvpkg/errors.py"} <= names
    assert "rpm-templates/package.spec.j2" in names
    assert {"CONTRIBUTING.md", "SECURITY.md", "docs/development/architecture.md"} <= names


def test_no_template_is_python() -> None:
    # A Python file among them would shadow venvpkg in an editable install.
    assert not [*(CHECKOUT / "debian-templates").rglob("*.py"), *(CHECKOUT / "rpm-templates").rglob("*.py")]
