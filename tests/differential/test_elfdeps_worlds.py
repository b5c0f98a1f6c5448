"""Our capabilities of the rpm worlds' own files equal what the generator of each world's rpm says, file by file."""

from __future__ import annotations

import random
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from differential.shlibdeps import is_elf
from rpmworld import demo
from venvpkg.families.rpm.libraries import required_by
from venvpkg.linking.read import read_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from acceptance.cleanroot import CleanRoot
    from rpmworld.world import World

AT_LEAST = 300
SAMPLE = 60
LIST = PurePosixPath("/mnt/list")
# $1 a list of files; one run for each, since the answer names none.
ASK = 'while IFS= read -r file; do echo "= $file"; echo "$file" | /usr/lib/rpm/elfdeps --requires; done < "$1"'


def elf_files(root: Path) -> list[PurePosixPath]:
    """Return every program, library and module of a root, as paths in it, sorted."""
    return sorted(PurePosixPath("/") / file.relative_to(root) for file in (root / "usr").rglob("*") if is_elf(file))


def elfdeps(root: CleanRoot, files: Iterable[PurePosixPath], work: Path) -> Mapping[str, list[str]]:
    """Return what the root's own rpm finds in each file, sorted, as it spells it."""
    listed = work / "list"
    listed.write_text("".join(f"{file}\n" for file in files))
    outcome = root.run(ASK, binds={listed: LIST}, arguments=[str(LIST)], network=False)
    assert outcome.code == 0, outcome.transcript
    answers: dict[str, list[str]] = {}
    for answer in f"\n{outcome.stdout}".split("\n= ")[1:]:
        file, *names = answer.splitlines()
        answers[file] = sorted(names)
    return answers


def capabilities(root: CleanRoot, files: Iterable[PurePosixPath]) -> Mapping[str, list[str]]:
    """Return what we find in each file."""
    return {str(file): list(required_by(read_object(root.base / str(file)[1:], file))) for file in files}


def test_some_files_of_a_world_require_what_its_rpm_says(rpm_world: World, tmp_path: Path) -> None:
    root = rpm_world.root(*demo.BUILD_PACKAGES)
    files = random.Random(4).sample(elf_files(root.base), SAMPLE)  # noqa: S311

    ours = capabilities(root, files)

    assert any(ours.values())
    assert ours == elfdeps(root, files, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"])  # rpm 4.18, 4.20, 6
def test_every_file_of_a_world_requires_what_its_rpm_says(
    suite: str, rpm_worlds: Callable[[str | None], World], tmp_path: Path
) -> None:
    root = rpm_worlds(suite).root(*demo.BUILD_PACKAGES)
    files = elf_files(root.base)

    ours = capabilities(root, files)

    assert len(files) >= AT_LEAST
    assert ours == elfdeps(root, files, tmp_path)
