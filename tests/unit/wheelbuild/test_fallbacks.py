"""Only what no installed package could remedy makes a publisher's wheel stand in, and it is told in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from unit.wheelhouse.makers import application, bookworm, remote, write_sdist
from venvpkg.errors import CompileError
from venvpkg.model.lock import Cause, Fallback
from venvpkg.model.project import WheelPolicy
from venvpkg.model.wheels import Action, PlannedWheel, WheelPlan
from venvpkg.sources.crates import CratesError
from venvpkg.wheelbuild.fallbacks import SourceAccess, find_uncompilable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from venvpkg.model.lock import RemoteFile
    from venvpkg.model.project import Project

SDIST = remote("demo-1.0.tar.gz")
RUST = b'[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n'
LOCK = "".join(
    f'[[package]]\nname = "c{number}"\nversion = "1.0.{number}"\nsource = "registry+x"\n' for number in range(5)
).encode()


class Index:
    """Has one sdist, and remembers what was asked for."""

    def __init__(self, directory: Path, files: Mapping[str, bytes]) -> None:
        self.asked: list[RemoteFile] = []
        self._path = write_sdist(
            directory / SDIST.filename, {f"demo-1.0/{name}": content for name, content in files.items()}
        )

    def __call__(self, files: Iterable[RemoteFile], /) -> Mapping[RemoteFile, Path]:
        self.asked.extend(files)
        return dict.fromkeys(self.asked, self._path)


@dataclass
class Registry:
    """Has every crate, or none."""

    has_them: bool = False
    asked: list[str] = field(default_factory=list)

    def vendor(self, source: Path, title: str) -> Path:
        self.asked.append(title)
        if not self.has_them:
            raise CratesError("cargo could not reach a registry that has them")
        return source


def found(
    index: Index,
    tmp_path: Path,
    *,
    key: str | None = None,
    project: Project | None = None,
    crates: Registry | None = None,
) -> tuple[Fallback, ...]:
    plan = WheelPlan((PlannedWheel("demo", "1.0", Action.COMPILE, "native code", SDIST, key),))
    return find_uncompilable(
        plan, project or application(), bookworm(), SourceAccess(index, crates or Registry(), tmp_path / "work")
    )


def test_a_rust_sdist_without_its_crates_is_a_recorded_cause(tmp_path: Path) -> None:
    index = Index(tmp_path, {"pyproject.toml": RUST, "Cargo.lock": LOCK})

    assert found(index, tmp_path) == (
        Fallback(
            "demo",
            "1.0",
            SDIST.sha256,
            "debian-12-amd64-cp311",
            Cause.NO_CRATE_SOURCE,
            "5 of its Rust crates are not in the sdist (c0, c1, c2, …), and"
            " cargo could not reach a registry that has them",
        ),
    )
    assert not (tmp_path / "work/examined").exists()


def test_a_rust_sdist_whose_crates_can_be_fetched_has_no_obstacle(tmp_path: Path) -> None:
    index = Index(tmp_path, {"pyproject.toml": RUST, "Cargo.lock": LOCK})
    registry = Registry(has_them=True)

    assert found(index, tmp_path, crates=registry) == ()
    assert registry.asked == ["demo 1.0"]


def test_a_source_in_c_has_no_obstacle_whatever_is_installed(tmp_path: Path) -> None:
    index = Index(tmp_path, {"setup.py": b"", "demo.c": b"#include <not-there.h>\n"})

    assert found(index, tmp_path) == ()
    assert index.asked == [SDIST]


@pytest.mark.parametrize("project", [application(default=WheelPolicy.COMPILE), application(compiled=["demo"])])
def test_under_policy_compile_nothing_is_looked_for(tmp_path: Path, project: Project) -> None:
    index = Index(tmp_path, {"pyproject.toml": RUST, "Cargo.lock": LOCK})

    assert found(index, tmp_path, project=project) == ()
    assert index.asked == []


def test_a_source_whose_build_requirements_are_known_was_compiled_before(tmp_path: Path) -> None:
    index = Index(tmp_path, {"pyproject.toml": RUST, "Cargo.lock": LOCK})

    assert found(index, tmp_path, key="ab" * 32) == ()


def test_a_malformed_source_is_an_error_and_leaves_nothing_behind(tmp_path: Path) -> None:
    index = Index(tmp_path, {"pyproject.toml": b"[build-system"})

    with pytest.raises(CompileError, match=r"demo 1\.0 cannot be built"):
        found(index, tmp_path)

    assert not (tmp_path / "work/examined").exists()
