"""Makes no build roots."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from venvpkg.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from venvpkg.host.command import Runner, Streamer
    from venvpkg.model.target import BuildRootSettings, Recipe
    from venvpkg.targets.selection import Selection


def recipe(selection: Selection, settings: BuildRootSettings, runner: Runner) -> NoReturn:
    del settings, runner
    raise TargetError(f"{selection} has no mirror.")


def bootstrap(recipe: Recipe, work: Path, runner: Runner) -> NoReturn:
    del work, runner
    raise TargetError(f"{recipe.target} has no mirror.")


def add_packages(root: Path, packages: Sequence[str], host: Streamer, environ: Mapping[str, str]) -> NoReturn:
    del packages, host, environ
    raise TargetError(f"{root} has no mirror.")
