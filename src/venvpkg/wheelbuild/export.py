"""Export a wheelhouse as simple indexes for stock pip and uv, one per platform tag."""

from __future__ import annotations

import html
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from venvpkg.errors import AssembleError, WheelError
from venvpkg.host.files import open_atomic, sha256_of, write_whole
from venvpkg.host.oserrors import is_environment_error
from venvpkg.wheelbuild.repack import retag
from venvpkg.wheelhouse.entry import require_intact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from venvpkg.console import Reporter
    from venvpkg.wheelhouse.entry import Entry


_VENDOR = re.compile(r"(linux_(?:x86_64|aarch64|armv7l|armv8l|i686|ppc64le|ppc64|s390x|riscv64|loongarch64))_.+")
_HTML, _JSON = "index.html", "index.json"


def export(entries: Iterable[Entry], destination: Path, reporter: Reporter) -> tuple[Path, ...]:
    """Write an index ``destination/TAG`` for each platform tag of the entries, and return these directories, sorted.

    An index has one file of each name, so the most recently built of several wheels with one name is exported. The name
    and WHEEL file of a vendor wheel get the compressed set ``linux_x86_64.linux_x86_64_debian_12``, because pip and uv
    reject the vendor tag alone. Installers that run during an export see the old index or the new one, with all its
    files. Wheels of an earlier export that are not in this one are removed at the end. Damaged wheels are reported and
    left out.

    Raises:
        AssembleError: the destination is not a directory.
        OSError: the destination cannot be written, or a wheel cannot be read.

    Source:
        PyPA specification "Simple repository API" (PEP 503, PEP 691).
    """
    shelves: dict[str, dict[str, Entry]] = {}
    for entry in sorted(entries, key=lambda each: (each.built, each.key)):
        shelves.setdefault(entry.shelf, {})[entry.filename] = entry
    try:
        return tuple(_write_index(list(shelves[tag].values()), destination / tag, reporter) for tag in sorted(shelves))
    except OSError as error:
        if is_environment_error(error):
            raise
        raise AssembleError(
            f"could not write the index {destination}: {error.strerror or error}.",
            resolution="Give it space and permissions, or choose another directory.",
        ) from error


def _write_index(entries: Sequence[Entry], place: Path, reporter: Reporter) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    before = _exported_wheels(place)
    projects: dict[str, list[Path]] = {}
    for entry in entries:
        try:
            require_intact(entry)
            projects.setdefault(entry.name, []).append(_export_wheel(entry, place / entry.name))
        except (FileNotFoundError, ValueError, WheelError) as error:
            reporter.warn(f"wheelhouse entry {entry.directory} is damaged ({error}) and was not exported")
    for name, wheels in projects.items():
        _write_project(place / name, name, sorted(wheels))
    _write_root(place, sorted(projects))
    _remove_stale(before - {wheel for wheels in projects.values() for wheel in wheels}, projects, place)
    return place


def _export_wheel(entry: Entry, directory: Path) -> Path:
    """Write the wheel into the index, whole or not at all, and return its path."""
    platforms = platforms_for_stock_tools(entry.tag.rpartition("-")[2])
    directory.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="venvpkg-export-") as work:
        wheel = retag(entry.wheel, platforms, Path(work)) if platforms else entry.wheel
        path = directory / wheel.name
        with wheel.open("rb") as source, open_atomic(path) as copy:
            shutil.copyfileobj(source, copy)
    return path


def platforms_for_stock_tools(platform: str) -> str | None:
    """Return the compressed set that stock tools accept for a vendor tag; None for ``any`` and tags that they know."""
    vendor = _VENDOR.fullmatch(platform)
    return f"{vendor[1]}.{platform}" if vendor else None


def _write_project(directory: Path, name: str, wheels: Sequence[Path]) -> None:
    hashes = {wheel.name: sha256_of(wheel) for wheel in wheels}
    files = [
        {"filename": each.name, "url": each.name, "hashes": {"sha256": hashes[each.name]}, "size": each.stat().st_size}
        for each in wheels
    ]
    versions = sorted({str(parse_wheel_filename(each.name)[1]) for each in wheels})
    _write_json(directory, {"name": name, "versions": versions, "files": files})
    links = {f"{filename}#sha256={digest}": filename for filename, digest in hashes.items()}
    write_whole(directory / _HTML, _page(f"Links for {name}", links))


def _write_root(place: Path, names: Sequence[str]) -> None:
    _write_json(place, {"projects": [{"name": name} for name in names]})
    write_whole(place / _HTML, _page(f"Simple index of {place.name}", {f"{name}/": name for name in names}))


def _write_json(directory: Path, content: Mapping[str, object]) -> None:
    document = {"meta": {"api-version": "1.1"}, **content}
    write_whole(directory / _JSON, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode())


def _page(title: str, links: Mapping[str, str]) -> bytes:
    lines = [f'    <a href="{html.escape(href)}">{html.escape(text)}</a><br>' for href, text in links.items()]
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en">',
            "  <head>",
            '    <meta charset="utf-8">',
            '    <meta name="pypi:repository-version" content="1.0">',
            f"    <title>{html.escape(title)}</title>",
            "  </head>",
            "  <body>",
            *lines,
            "  </body>",
            "</html>",
            "",
        )
    ).encode()


def _exported_wheels(place: Path) -> set[Path]:
    """Return the wheels of an earlier export, according to its own index; no other files are ever removed."""
    found: set[Path] = set()
    for index in place.glob(f"*/{_JSON}"):
        try:
            files = json.loads(index.read_bytes())["files"]
            names = [str(each["filename"]) for each in files]
            owned = [name for name in names if parse_wheel_filename(name)[0] == canonicalize_name(index.parent.name)]
        except (OSError, ValueError, KeyError, TypeError, RecursionError, InvalidWheelFilename):
            continue
        found.update(index.parent / name for name in owned if "/" not in name)
    return found


def _remove_stale(stale: Iterable[Path], projects: Iterable[str], place: Path) -> None:
    for wheel in stale:
        wheel.unlink(missing_ok=True)
    for directory in {wheel.parent for wheel in stale} - {place / name for name in projects}:
        for name in (_HTML, _JSON):
            (directory / name).unlink(missing_ok=True)
        if not any(directory.iterdir()):
            directory.rmdir()
