"""``venvpkg inspect``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from venvpkg import api
from venvpkg.cli.options import with_output
from venvpkg.cli.output import tell
from venvpkg.console import Verbosity
from venvpkg.text import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvpkg.api import Inspection
    from venvpkg.cli.output import Output


_SHOWN = 20
# Those that tell most, by the names that either family has for them.
_FIELDS = (
    "Package", "Name", "Version", "Release", "Architecture", "Maintainer", "Packager", "License",
    "Depends", "Pre-Depends", "Requires", "Conflicts",
)  # fmt: skip


@click.command("inspect")
@click.argument("artifact", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@with_output
def command(output: Output, artifact: Path) -> None:
    """Look into a Debian or rpm package, whoever made it: fields, payload, Python distributions, libraries, leaks.

    Nothing of it is run or unpacked. The package may be hostile. With --verbose long lists are shown whole.
    """
    found = api.inspect(artifact)
    most = None if output.verbosity is Verbosity.VERBOSE else _SHOWN
    tell((escaped(line) for line in _lines(found, most)), _plain(found))


def _plain(found: Inspection) -> dict[str, object]:
    facts = dataclasses.asdict(found)
    records = facts.pop("own_documents")  # programs know it by this name
    return facts | {"records": records, "fields": dict(found.fields), "counts": dict(found.counts)}


def _lines(found: Inspection, most: int | None) -> Iterator[str]:
    yield f"{found.filename}: {_size(found.size_bytes)}, sha256 {found.sha256}"
    fields = dict(found.fields)
    for name in _FIELDS:
        if name in fields:
            yield f"  {name}: {' '.join(fields[name].split())}"
    kinds = ", ".join(f"{count} {kind}" for kind, count in found.counts if count)
    yield f"payload: {kinds or 'nothing'}; {_size(found.payload_bytes)} in files"
    yield from _group("largest files", (f"{_size(each.size_bytes)}  {each.path}" for each in found.largest), 5)
    yield from _group(
        "Python distributions", (f"{each.name} {each.version}".strip() for each in found.distributions), most
    )
    yield from _group(
        "commands",
        (f"{each.path} -> {each.points_to}" if each.points_to else each.path for each in found.commands),
        most,
    )
    yield from _group("services", found.services, most)
    yield from _group("conffiles", found.configuration, most)
    yield from _group("maintainer scripts", found.scripts, most)
    yield from _libraries(found, most)
    yield from _group(
        "paths that may be of a build machine", (_leak(each.path, each.text, each.count) for each in found.leaks), most
    )
    made = "venvpkg made it" if found.is_ours else "nothing in it says that venvpkg made it"
    yield from _group(made, found.own_documents, most) if found.own_documents else (made,)


def _libraries(found: Inspection, most: int | None) -> Iterator[str]:
    own = {each.soname or each.path.rpartition("/")[2] for each in found.elf}
    wanted: dict[str, int] = {}
    for each in found.elf:
        for soname in each.needed:
            if soname not in own:
                wanted[soname] = wanted.get(soname, 0) + 1
    if found.elf:
        yield f"ELF files: {len(found.elf)}"
    yield from _group(
        "needed sonames that are not inside", (f"{name} ({wanted[name]})" for name in sorted(wanted)), most
    )
    paths = sorted({":".join((*each.rpath, *each.runpath)) for each in found.elf if each.rpath or each.runpath})
    yield from _group("rpaths and runpaths", paths, most)
    yield from _group("damaged ELF files", (f"{each.path}: {each.problem}" for each in found.elf if each.problem), most)


def _leak(path: str, text: str, count: int) -> str:
    return f"{path}: {text}" + (f" and {count - 1} more" if count > 1 else "")


def _group(title: str, entries: Iterable[str], most: int | None) -> Iterator[str]:
    listed = list(entries)
    if not listed:
        return
    yield f"{title}: {len(listed)}"
    yield from (f"  {each}" for each in listed[:most])
    if most is not None and len(listed) > most:
        yield f"  … and {len(listed) - most} more"


def _size(count: int) -> str:
    """Return a size for people, in decimal units."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:  # noqa: PLR2004 - SI
            return f"{size:.1f} {unit}" if unit != "B" else f"{count} B"
        size /= 1000
    return f"{size:.1f} GB"
