"""The files that computed dependencies may come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from venvpkg.lock.dynamic import dynamic_sources, has_dynamic_dependencies

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write(directory: Path, **files: str) -> None:
    for name, text in files.items():
        path = directory / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in dynamic_sources(directory)}


def test_what_a_source_names_is_a_source_and_so_on(tmp_path: Path) -> None:
    write(
        tmp_path,
        pyproject_toml='dependencies = { file = ["deps/base.list"] }\nreadme = "README.md"\n',
        deps__base_list="-r more.list\nsix\n",
        deps__more_list="../../outside.txt\n",
        README_md="deps/unread.list",
        deps__unread_list="",
        requirements__dev_txt="",
        app_py="",
    )

    assert names(tmp_path) == {"pyproject.toml", "deps/base.list", "deps/more.list", "requirements/dev.txt"}


def test_files_that_name_each_other_are_read_once(tmp_path: Path) -> None:
    write(tmp_path, requirements_txt="-r other.txt", other_txt="-r requirements.txt")

    assert names(tmp_path) == {"requirements.txt", "other.txt"}


@pytest.mark.parametrize(
    ("table", "extras", "expected"),
    [
        ({"name": "app", "dependencies": []}, (), False),
        ({"name": "app", "dynamic": ["version"]}, (), False),
        ({"name": "app", "dynamic": ["dependencies"]}, (), True),
        ({"name": "app", "dynamic": ["optional-dependencies"]}, (), False),
        ({"name": "app", "dynamic": ["optional-dependencies"]}, ("pg",), True),
        ({}, (), True),
    ],
)
def test_a_backend_computes_what_project_says_is_dynamic(
    table: Mapping[str, object], extras: tuple[str, ...], *, expected: bool
) -> None:
    assert has_dynamic_dependencies(table, extras) is expected
