"""``venvpkg target``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from venvpkg import api
from venvpkg.api import Options, parse_selection
from venvpkg.cli.options import AGES, quantity, with_output
from venvpkg.cli.output import tell

if TYPE_CHECKING:
    from venvpkg.api import BuildRoot, BuildRootStore, Selection
    from venvpkg.cli.output import Output


_CACHE = click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="VENVPKG_CACHE",
    help="Where systems are kept.  [default: by XDG]",
)


def _selection(_context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[Selection, ...]:
    try:
        found = tuple(parse_selection(text) for text in texts)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error
    other = [str(each) for each in found if not each.is_bootstrapped]
    if other:
        raise click.BadParameter(f"{', '.join(other)} is not made by venvpkg.")
    return found


_TARGETS = click.argument("targets", nargs=-1, required=True, metavar="TARGET...", callback=_selection)


@click.group("target")
def command() -> None:
    """Make, list and remove systems of other releases to build in."""


@command.command("create")
@_TARGETS
@click.option(
    "--max-age",
    metavar="AGE",
    callback=quantity(AGES),
    help="Make anew what is older: 36h, 7d, 4w.",
)
@_CACHE
@with_output
def create(output: Output, targets: tuple[Selection, ...], cache: Path | None, max_age: int | None) -> None:
    """Make systems, such as debian:trixie, where they are not there yet; a build would, too."""
    build_roots = _store(output, cache)
    made = [build_roots.create(each, max_age_s=max_age) for each in targets]
    tell((str(each.selection) for each in made), {"targets": [_facts(each) for each in made]})


@command.command("list")
@_CACHE
@with_output
def list_(output: Output, cache: Path | None) -> None:
    """List the systems that are there: which, of which day, how large, how many packages."""
    found = _store(output, cache).build_roots()
    rows = [("TARGET", "MADE", "SIZE", "PACKAGES")] if found else []
    rows += [
        (str(each.selection), _moment(each)[:10], f"{each.size_bytes / 1e6:.1f} MB", str(len(each.packages)))
        for each in found
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    lines = (
        f"{name:{widths[0]}}  {made:{widths[1]}}  {size:>{widths[2]}}  {count:>{widths[3]}}"
        for name, made, size, count in rows
    )
    tell(lines, {"targets": [_facts(each) for each in found]})


@command.command("show")
@_TARGETS
@_CACHE
@with_output
def show(output: Output, targets: tuple[Selection, ...], cache: Path | None) -> None:
    """Show which packages are in systems, with their versions."""
    build_roots = _store(output, cache)
    found = [_required(build_roots, each) for each in targets]
    lines = [
        line
        for each in found
        for line in (
            f"{each.selection}, made {_moment(each)}, recipe {each.recipe[:12]}",
            *(f"  {name} {version}" for name, version in each.packages),
        )
    ]
    tell(lines, {"targets": [{**_facts(each), "packages": dict(each.packages)} for each in found]})


@command.command("update")
@_TARGETS
@_CACHE
@with_output
def update(output: Output, targets: tuple[Selection, ...], cache: Path | None) -> None:
    """Make systems anew, from what their mirrors have now."""
    build_roots = _store(output, cache)
    made = [build_roots.update(each) for each in targets]
    tell((str(each.selection) for each in made), {"targets": [_facts(each) for each in made]})


@command.command("remove")
@_TARGETS
@_CACHE
@with_output
def remove(output: Output, targets: tuple[Selection, ...], cache: Path | None) -> None:
    """Remove systems. What a running build uses goes with a later call."""
    build_roots = _store(output, cache)
    removed = [str(each) for each in targets if build_roots.remove(each)]
    tell(removed, {"removed": removed})


@command.command("shell")
@click.argument("target", nargs=1, metavar="TARGET", callback=lambda c, p, text: _selection(c, p, (text,))[0])
@click.argument("words", nargs=-1, metavar="[COMMAND...]")
@_CACHE
@with_output
def shell(output: Output, target: Selection, words: tuple[str, ...], cache: Path | None) -> None:
    """Run a shell, or a command, in a layer over a system that is gone afterwards."""
    status = api.run_in_build_root(target, words, Options(cache=cache), on_event=output.reporter)
    tell("", {"target": str(target), "status": status})
    raise click.exceptions.Exit(status if status >= 0 else 128 - status)


def _store(output: Output, cache: Path | None) -> BuildRootStore:
    return api.build_roots(Options(cache=cache), on_event=output.reporter)


def _required(build_roots: BuildRootStore, selection: Selection) -> BuildRoot:
    build_root = build_roots.find(selection)
    if build_root is None:
        raise click.BadParameter(f"{selection} was not made yet; see venvpkg target list")
    return build_root


def _facts(build_root: BuildRoot) -> dict[str, object]:
    return {
        "target": str(build_root.selection),
        "id": build_root.id,
        "recipe": build_root.recipe,
        "made": dt.datetime.fromtimestamp(build_root.made, dt.UTC).isoformat(timespec="seconds"),
        "size_bytes": build_root.size_bytes,
        "package_count": len(build_root.packages),
    }


def _moment(build_root: BuildRoot) -> str:
    return dt.datetime.fromtimestamp(build_root.made, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
