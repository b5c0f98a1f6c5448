"""``venvpkg inspect`` and ``explain``: what is in a package, and why."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from venvpkg import api
from venvpkg.api import OutputFormat
from venvpkg.cli.options import with_output
from venvpkg.cli.output import print_result
from venvpkg.console import Verbosity
from venvpkg.text import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvpkg.api import Inspection
    from venvpkg.cli.output import Output


_MAX_LISTED = 20
# The fields that say most about a package, by their names in either family.
_FIELDS = (
    "Package", "Name", "Version", "Release", "Architecture", "Maintainer", "Packager", "License",
    "Depends", "Pre-Depends", "Requires", "Conflicts",
)  # fmt: skip


@click.command("inspect")
@click.argument("artifact", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@with_output
def inspect(output: Output, artifact: Path) -> None:
    """Show what any Debian or rpm package contains.

    It prints fields, payload, Python distributions, libraries and leaked build paths.

    Nothing in the package is run or unpacked; it may be hostile. With --verbose, long lists are shown in full.
    """
    found = api.inspect(artifact)
    limit = None if output.verbosity is Verbosity.VERBOSE else _MAX_LISTED
    print_result((escaped(line) for line in _describe(found, limit)), _inspection_facts(found))


def _inspection_facts(found: Inspection) -> dict[str, object]:
    facts = dataclasses.asdict(found)
    records = facts.pop("own_documents")  # its name in the JSON output
    return facts | {"records": records, "fields": dict(found.fields), "counts": dict(found.counts)}


def _describe(found: Inspection, limit: int | None) -> Iterator[str]:
    yield f"{found.filename}: {_size(found.size_bytes)}, sha256 {found.sha256}"
    fields = dict(found.fields)
    for name in _FIELDS:
        if name in fields:
            yield f"  {name}: {' '.join(fields[name].split())}"
    kinds = ", ".join(f"{count} {kind}" for kind, count in found.counts if count)
    yield f"payload: {kinds or 'nothing'}; {_size(found.payload_bytes)} in files"
    yield from _list_entries("largest files", (f"{_size(each.size_bytes)}  {each.path}" for each in found.largest), 5)
    yield from _list_entries(
        "Python distributions", (f"{each.name} {each.version}".strip() for each in found.distributions), limit
    )
    yield from _list_entries(
        "commands",
        (f"{each.path} -> {each.points_to}" if each.points_to else each.path for each in found.commands),
        limit,
    )
    yield from _list_entries("services", found.services, limit)
    yield from _list_entries("conffiles", found.configuration, limit)
    yield from _list_entries("maintainer scripts", found.scripts, limit)
    yield from _describe_libraries(found, limit)
    yield from _list_entries(
        "possible paths of a build machine",
        (_describe_leak(each.path, each.text, each.count) for each in found.leaks),
        limit,
    )
    builder = "built by venvpkg" if found.is_ours else "nothing says that it was built by venvpkg"
    yield from _list_entries(builder, found.own_documents, limit) if found.own_documents else (builder,)


def _describe_libraries(found: Inspection, limit: int | None) -> Iterator[str]:
    own = {each.soname or each.path.rpartition("/")[2] for each in found.elf}
    wanted: dict[str, int] = {}
    for each in found.elf:
        for soname in each.needed:
            if soname not in own:
                wanted[soname] = wanted.get(soname, 0) + 1
    if found.elf:
        yield f"ELF files: {len(found.elf)}"
    yield from _list_entries(
        "needed sonames not in the package", (f"{name} ({wanted[name]})" for name in sorted(wanted)), limit
    )
    paths = sorted({":".join((*each.rpath, *each.runpath)) for each in found.elf if each.rpath or each.runpath})
    yield from _list_entries("rpaths and runpaths", paths, limit)
    yield from _list_entries(
        "damaged ELF files", (f"{each.path}: {each.problem}" for each in found.elf if each.problem), limit
    )


def _describe_leak(path: str, text: str, count: int) -> str:
    return f"{path}: {text}" + (f" and {count - 1} more" if count > 1 else "")


def _list_entries(title: str, entries: Iterable[str], limit: int | None) -> Iterator[str]:
    lines = list(entries)
    if not lines:
        return
    yield f"{title}: {len(lines)}"
    yield from (f"  {each}" for each in lines[:limit])
    if limit is not None and len(lines) > limit:
        yield f"  … and {len(lines) - limit} more"


def _size(count: int) -> str:
    """Return a human-readable size, in decimal units."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:  # noqa: PLR2004 - SI
            return f"{size:.1f} {unit}" if unit != "B" else f"{count} B"
        size /= 1000
    return f"{size:.1f} GB"


@click.command("explain")
@click.argument("artifact", metavar="ARTIFACT", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("package", required=False)
@click.option(
    "--dot", "output_format", flag_value=OutputFormat.DOT, type=OutputFormat, help="Print the graph for Graphviz."
)
@click.option(
    "--html",
    "output_format",
    flag_value=OutputFormat.HTML,
    type=OutputFormat,
    help="Print an HTML page that shows the graph.",
)
@with_output
def explain(output: Output, artifact: Path, package: str | None, output_format: OutputFormat | None) -> None:
    """Explain the dependencies of a package that venvpkg built, or only the one on PACKAGE.

    Each dependency is traced to its cause: the soname, the symbol version that set the lowest version, the file that
    needs it, and the file's distribution. The page of --html is self-contained.
    """
    wanted = output_format or (OutputFormat.JSON if output.as_json else OutputFormat.TEXT)
    text = api.explain(artifact, package, wanted)
    print_result(text, json.loads(text) if wanted is OutputFormat.JSON else {"form": wanted.value, "text": text})
