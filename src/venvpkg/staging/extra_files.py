"""Put files of the project into the payload, beside the environment."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from venvpkg.errors import StagingError

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.model.project import ExtraFile


def place_files(files: tuple[ExtraFile, ...], destdir: Path) -> None:
    """Copy the files to their places in ``destdir``, with their modes; made directories get 0755.

    Raises:
        StagingError: something is there already, or a source can no longer be read; all of them.
    """
    problems = []
    for file in files:
        try:
            path = _made_parents(destdir, file)
            with file.source.open("rb") as source, path.open("xb") as copy:
                shutil.copyfileobj(source, copy)
            path.chmod(file.mode)
        except (FileExistsError, NotADirectoryError):
            problems.append(f"{file.target}: the environment has something there")
        except OSError as error:
            problems.append(f"{file.target}: {error.strerror}")
    if problems:
        raise StagingError(
            f"{len(problems)} of the files in the configuration cannot be placed.",
            details="\n".join(f"  {each}" for each in problems),
            resolution="Name other targets under files in [tool.venvpkg].",
        )


def _made_parents(destdir: Path, file: ExtraFile) -> Path:
    current = destdir
    for part in file.target.parts[1:-1]:
        current /= part
        if current.is_symlink():  # it would lead out of the destdir
            raise NotADirectoryError
        if not current.exists():
            current.mkdir()
            current.chmod(0o755)
    return current / file.target.name
