"""``venvpkg target``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from venvpkg import api
from venvpkg.api import Options, parse_selection
from venvpkg.cli.options import AGES, quantity, with_output
from venvpkg.cli.output import print_result

if TYPE_CHECKING:
    from venvpkg.api import BuildRoot, BuildRootStore, Selection
    from venvpkg.cli.output import Output


_CACHE = click.option(
    "--cache",
    type=click.Path(file_okay=False, readable=False, path_type=Path),
    envvar="VENVPKG_CACHE",
    help="Directory of build roots.  [default: by XDG]",
)


def _parse_targets(
    _context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]
) -> tuple[Selection, ...]:
    try:
        found = tuple(parse_selection(text) for text in texts)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error
    other = [str(each) for each in found if not each.is_bootstrapped]
    if other:
        raise click.BadParameter(f"venvpkg does not bootstrap {', '.join(other)}.")
    return found


_TARGETS = click.argument("targets", nargs=-1, required=True, metavar="TARGET...", callback=_parse_targets)


@click.group("target")
def target() -> None:
    """Create, list and remove build roots of other releases."""


@target.command("create")
@_TARGETS
@click.option(
    "--max-age",
    metavar="AGE",
    callback=quantity(AGES),
    help="Recreate build roots older than AGE (36h, 7d, 4w).",
)
@_CACHE
@with_output
def create(output: Output, targets: tuple[Selection, ...], cache: Path | None, max_age: int | None) -> None:
    """Create build roots (e.g. debian:trixie) that do not exist yet. Builds do this automatically."""
    build_roots = _store(output, cache)
    created = [build_roots.create(each, max_age_s=max_age) for each in targets]
    print_result((str(each.selection) for each in created), {"targets": [_facts(each) for each in created]})


@target.command("list")
@_CACHE
@with_output
def list_(output: Output, cache: Path | None) -> None:
    """List the existing build roots with their date, size and number of packages."""
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
    print_result(lines, {"targets": [_facts(each) for each in found]})


@target.command("show")
@_TARGETS
@_CACHE
@with_output
def show(output: Output, targets: tuple[Selection, ...], cache: Path | None) -> None:
    """Show the packages that build roots contain, with their versions."""
    build_roots = _store(output, cache)
    found = [_find_build_root(build_roots, each) for each in targets]
    lines = [
        line
        for each in found
        for line in (
            f"{each.selection}, created {_moment(each)}, recipe {each.recipe[:12]}",
            *(f"  {name} {version}" for name, version in each.packages),
        )
    ]
    print_result(lines, {"targets": [{**_facts(each), "packages": dict(each.packages)} for each in found]})


@target.command("update")
@_TARGETS
@_CACHE
@with_output
def update(output: Output, targets: tuple[Selection, ...], cache: Path | None) -> None:
    """Recreate build roots from the current state of their mirrors."""
    build_roots = _store(output, cache)
    updated = [build_roots.update(each) for each in targets]
    print_result((str(each.selection) for each in updated), {"targets": [_facts(each) for each in updated]})


@target.command("remove")
@_TARGETS
@_CACHE
@with_output
def remove(output: Output, targets: tuple[Selection, ...], cache: Path | None) -> None:
    """Remove build roots. Those in use by a running build are removed by a later command."""
    build_roots = _store(output, cache)
    removed = [str(each) for each in targets if build_roots.remove(each)]
    print_result(removed, {"removed": removed})


@target.command("shell")
@click.argument("target", nargs=1, metavar="TARGET", callback=lambda c, p, text: _parse_targets(c, p, (text,))[0])
@click.argument("words", nargs=-1, metavar="[COMMAND...]")
@_CACHE
@with_output
def shell(output: Output, target: Selection, words: tuple[str, ...], cache: Path | None) -> None:
    """Run a shell or command in a throw-away overlay of a build root."""
    status = api.run_in_build_root(target, words, Options(cache=cache), on_event=output.reporter)
    print_result("", {"target": str(target), "status": status})
    raise click.exceptions.Exit(status if status >= 0 else 128 - status)


def _store(output: Output, cache: Path | None) -> BuildRootStore:
    return api.build_roots(Options(cache=cache), on_event=output.reporter)


def _find_build_root(build_roots: BuildRootStore, selection: Selection) -> BuildRoot:
    build_root = build_roots.find(selection)
    if build_root is None:
        raise click.BadParameter(f"{selection} does not exist; see venvpkg target list.")
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
