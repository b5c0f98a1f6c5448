"""``venvpkg wheelhouse``."""

from __future__ import annotations

import datetime as dt
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from venvpkg import api
from venvpkg.api import GcRules, Options
from venvpkg.cli.options import AGES, SIZES, quantity, wheelhouse_option, with_output
from venvpkg.cli.output import print_result
from venvpkg.errors import WheelError
from venvpkg.text import printable

if TYPE_CHECKING:
    from venvpkg.api import Entry
    from venvpkg.cli.output import Output


_DIRECTORY = click.Path(file_okay=False, readable=False, path_type=Path)


@click.group("wheelhouse")
def wheelhouse() -> None:
    """List, explain, remove and export the vendor wheels that builds share."""


@wheelhouse.command("list")
@wheelhouse_option
@with_output
def list_(output: Output, wheelhouse: Path | None) -> None:
    """List the vendor wheels with their tag, size, build date, last use and key."""
    entries = api.wheels(Options(wheelhouse=wheelhouse), on_event=output.reporter)
    rows = [("NAME", "VERSION", "TAG", "SIZE", "BUILT", "USED", "KEY")] if entries else []
    rows += [
        (each.name, each.version, each.tag, _size(each.size_bytes), _day(each.built), _day(each.used), each.key[:12])
        for each in entries
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(7)]
    lines = []
    for row in rows:
        cells = [cell.rjust(width) if at == 3 else cell.ljust(width)  # noqa: PLR2004 - SIZE, a number
                 for at, (cell, width) in enumerate(zip(row, widths, strict=True))]  # fmt: skip
        lines.append("  ".join(cells).rstrip())
    print_result(lines, {"wheels": [_facts(each) for each in entries]})


@wheelhouse.command("show")
@wheelhouse_option
@with_output
@click.argument("what", metavar="NAME | NAME==VERSION | KEY")
def show(output: Output, what: str, wheelhouse: Path | None) -> None:
    """Show how wheels were built: source, build requirements, compiler, flags and packages of the release."""
    entries = api.wheels(Options(wheelhouse=wheelhouse), on_event=output.reporter)
    name, _, version = what.partition("==")
    by_name = [each for each in entries if each.name == re.sub(r"[-_.]+", "-", name).lower()]
    chosen = [each for each in by_name if not version or each.version == version]
    if not chosen and re.fullmatch(r"[0-9a-f]{4,64}", what):
        chosen = [each for each in entries if each.key.startswith(what)]
    if not chosen:
        raise click.BadParameter(f"no wheel in the wheelhouse matches {what!r}; see venvpkg wheelhouse list.")
    wheels = [{**_facts(each), "inputs": dict(each.inputs), "build": dict(each.build)} for each in chosen]
    print_result("\n\n".join("\n".join(_provenance(each)) for each in chosen), {"wheels": wheels})


@wheelhouse.command("gc")
@wheelhouse_option
@with_output
@click.option(
    "--unused-for",
    metavar="AGE",
    callback=quantity(AGES),
    help="Remove wheels unused for AGE (90d, 12w, 1y).",
)
@click.option(
    "--max-size",
    metavar="SIZE",
    callback=quantity(SIZES),
    help="Keep at most SIZE (500M, 20G); the least recently used are removed first.",
)
@click.option("--keep", type=click.IntRange(0), metavar="N", help="Always keep the newest N per distribution and tag.")
@click.option("-n", "--dry-run", is_flag=True, help="Only print what would be removed.")
def gc(  # noqa: PLR0913 - one parameter per option
    output: Output,
    wheelhouse: Path | None,
    unused_for: int | None,
    max_size: int | None,
    keep: int | None,
    *,
    dry_run: bool,
) -> None:
    """Remove vendor wheels and print which ones. Wheels in use by a running build are kept.

    With --keep alone, all but the newest N are removed. With another rule, --keep protects the newest N from it.
    """
    if unused_for is None and max_size is None and keep is None:
        raise click.UsageError("Choose what to remove with --unused-for, --max-size or --keep.")
    rules, options = GcRules(unused_for, max_size, keep), Options(wheelhouse=wheelhouse)
    done = api.collect_wheels(rules, options, dry_run=dry_run, on_event=output.reporter)
    for each in done.in_use:
        output.reporter.warn(f"{each.filename} is in use and is kept")
    count, freed = len(done.removed), _size(sum(each.size_bytes for each in done.removed))
    output.reporter.step(f"{'would remove' if dry_run else 'removed'} {count} of {done.examined} wheels, {freed}")
    lines = (f"{each.filename}  {each.key[:12]}  {_size(each.size_bytes)}" for each in done.removed)
    removed, in_use = ([_facts(each) for each in some] for some in (done.removed, done.in_use))
    if done.damaged:
        output.reporter.step(
            f"{'would remove' if dry_run else 'removed'} {len(done.damaged)} damaged"
            f" wheel{'s' * (len(done.damaged) != 1)}, set aside over 30 days ago"
        )
    damaged = [str(each) for each in done.damaged]
    print_result(lines, {"removed": removed, "in_use": in_use, "damaged": damaged, "is_dry_run": dry_run})


@wheelhouse.command("verify")
@wheelhouse_option
@with_output
def verify_(output: Output, wheelhouse: Path | None) -> None:
    """Hash all vendor wheels and print the directories of damaged ones; nothing is changed."""
    examined, damaged = api.verify_wheels(Options(wheelhouse=wheelhouse))
    output.reporter.step(f"{examined} wheels verified, {len(damaged)} damaged")
    facts = [{"path": str(directory), "reason": reason} for directory, reason in damaged]
    print_result([str(directory) for directory, _ in damaged], {"examined": examined, "damaged": facts})
    if damaged:
        raise WheelError(
            f"{len(damaged)} of {examined} wheelhouse entries {'are' if len(damaged) != 1 else 'is'} damaged.",
            details="\n".join(f"  {directory}: {reason}" for directory, reason in damaged),
            resolution="Remove these directories (rm -r); a build that needs one of them compiles it again.",
        )


@wheelhouse.command("export")
@wheelhouse_option
@with_output
@click.argument("destination", metavar="DIR", type=_DIRECTORY)
def export_(output: Output, destination: Path, wheelhouse: Path | None) -> None:
    """Write one simple index per platform tag below DIR, for stock pip and uv, and print their directories.

    pip install --index-url file:///DIR/linux_x86_64_debian_12/ NAME
    """
    written = api.export_wheels(destination, Options(wheelhouse=wheelhouse), on_event=output.reporter)
    indexes = [str(directory) for directory in written]
    print_result(indexes, {"indexes": indexes})


def _facts(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "version": entry.version,
        "tag": entry.tag,
        "path": str(entry.wheel),
        "sha256": entry.sha256,
        "size_bytes": entry.size_bytes,
        "built": _iso(entry.built),
        "used": _iso(entry.used),
        "key": entry.key,
    }


def _provenance(entry: Entry) -> list[str]:
    inputs, build = entry.inputs, entry.build
    rows: list[tuple[str, object]] = [
        ("wheel", entry.filename),
        ("directory", entry.directory),
        ("sha256", entry.sha256),
        ("size", _size(entry.size_bytes)),
        ("built", _moment(entry.built)),
        ("last used", _moment(entry.used)),
        ("source", f"sha256 {inputs.get('source')}"),
        ("for Python", f"{inputs.get('python')} ({inputs.get('ext_suffix')})"),
        ("backend", build.get("backend")),
        ("requires", _join_items(build.get("requires"))),
        ("built with", _join_items(_filenames(inputs.get("requirements")))),
        ("build time", build.get("source_date_epoch")),
        *(("flags", each) for each in _items(inputs.get("flags")) if " " in each),
        ("packages", _join_items(inputs.get("packages"))),
    ]
    lines, before = [f"{entry.name} {entry.version}"], ""
    for label, value in rows:
        wrapped = textwrap.wrap(printable(str(value)), 100, break_long_words=False, break_on_hyphens=False) or ["-"]
        heads = ["" if label == before else label, *[""] * len(wrapped)]
        lines += [f"  {head:12}{line}" for head, line in zip(heads, wrapped, strict=False)]
        before = label
    return lines


def _filenames(requirements: object) -> list[str]:
    """Return the file names in a list of ``SHA256 FILENAME``; empty for anything else."""
    lines = requirements if isinstance(requirements, list) else []
    return [str(line).partition(" ")[2] for line in lines]


def _join_items(value: object) -> str:
    """Return the items of a value of the provenance as one line of text."""
    return ", ".join(_items(value)) or "nothing"


def _items(value: object) -> list[str]:
    """Return the items of a sequence, or each key of a table with its value; empty for anything else."""
    match value:
        case Mapping():
            return [f"{name} {each}".strip() for name, each in value.items()]
        case str():
            return [value]
        case Sequence():
            return [str(each) for each in value]
        case _:
            return []


def _moment(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _iso(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="seconds")


def _day(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%d")


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 10**6 else f"{size_bytes / 1e3:.0f} kB"
