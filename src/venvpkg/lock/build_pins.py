"""Keep the pins of build requirements in ``venvpkg.lock``, so that a second build has the same ones."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import tomli_w  # noqa: TID251
from packaging.utils import is_normalized_name

from venvpkg.errors import LockError
from venvpkg.host.files import write_whole
from venvpkg.lock.credentials import without_credentials
from venvpkg.lock.lock_text import read_document
from venvpkg.lock.remote_file import RemoteFileError, remote_file
from venvpkg.model.lock import BuildPins

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from venvpkg.model.lock import RemoteFile

_VERSION: Final = 1
_HEADER: Final = (
    "# Written by venvpkg: the build requirements of what is compiled, with hashes. Keep it with the application.\n"
)
_SOURCE: Final = re.compile(r"[0-9a-f]{64}|directory")
_TARGET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


def read_build_pins(path: Path) -> tuple[BuildPins, ...]:
    """Return the pins in ``path``, sorted; none when there is no such file.

    Raises:
        LockError: the file is malformed; every problem is in the details.
    """
    if not path.exists():
        return ()
    document = read_document(path)
    version = document.get("version")
    if version != _VERSION:
        raise LockError(
            f"{path} has version {str(version)[:40]!r}; this venvpkg reads version {_VERSION}.",
            resolution="Use the venvpkg that wrote it, or remove it: the next build writes it anew.",
        )
    problems: list[str] = []
    builds = document.get("build", [])
    entries = builds if isinstance(builds, list) else [None]
    pins = [pin for index, entry in enumerate(entries) for pin in _pins(entry, f"build[{index}]", problems)]
    seen: set[tuple[str, str, str]] = set()
    for pin in pins:
        if _key(pin) in seen:
            problems.append(f"build: a second entry for {pin.name} on {pin.target} from the same source")
        seen.add(_key(pin))
    if problems:
        raise LockError(
            f"{path} is malformed: {len(problems)} problem{'s' * (len(problems) != 1)}.",
            details="\n".join(f"  {problem}" for problem in problems),
            resolution="Restore it from version control, or remove it: the next build writes it anew.",
        )
    return tuple(sorted(pins, key=_key))


def write_build_pins(path: Path, pins: Iterable[BuildPins]) -> None:
    """Write exactly ``pins``; the same pins give the same bytes, whatever their order."""
    document = {"version": _VERSION, "build": [_table(pin) for pin in sorted(pins, key=_key)]}
    write_whole(path, (_HEADER + tomli_w.dumps(document)).encode())


def _key(pin: BuildPins) -> tuple[str, str, str]:
    return pin.name, pin.target, pin.source


def _table(pin: BuildPins) -> dict[str, object]:
    return {
        "name": pin.name,
        "target": pin.target,
        "source": pin.source,
        "requires": sorted(map(without_credentials, pin.requires)),
        "files": [_file_table(file) for file in sorted(pin.files, key=lambda file: (file.filename, file.url))],
    }


def _file_table(file: RemoteFile) -> dict[str, object]:
    table: dict[str, object] = {"url": without_credentials(file.url), "sha256": file.sha256, "name": file.filename}
    return table | ({"upload-time": file.uploaded.astimezone(UTC)} if file.uploaded is not None else {})


def _pins(entry: object, where: str, problems: list[str]) -> Iterator[BuildPins]:
    if not isinstance(entry, dict):
        problems.append(f"{where}: must be a table")
        return
    before = len(problems)
    name, source, target = (_text(entry, key, where, problems) for key in ("name", "source", "target"))
    if name and not is_normalized_name(name):
        problems.append(f"{where}.name: {name[:100]!r} is no normalised name")
    if source and not _SOURCE.fullmatch(source):
        problems.append(f"{where}.source: {source[:100]!r} is neither a sha256 nor 'directory'")
    if target and not _TARGET.fullmatch(target):
        problems.append(f"{where}.target: {target[:100]!r} is no target")
    requires = entry.get("requires", [])
    if not isinstance(requires, list) or not all(isinstance(each, str) for each in requires):
        problems.append(f"{where}.requires: must be an array of strings")
        requires = []
    files = tuple(_files(entry.get("files", []), where, problems))
    if len(problems) == before:
        yield BuildPins(name, source, target, tuple(requires), files)


def _text(table: Mapping[str, object], key: str, where: str, problems: list[str]) -> str:
    value = table.get(key)
    if isinstance(value, str) and value:
        return value
    problems.append(f"{where}.{key}: must be a string")
    return ""


def _files(value: object, where: str, problems: list[str]) -> Iterator[RemoteFile]:
    for index, entry in enumerate(value if isinstance(value, list) else [None]):
        place = f"{where}.files[{index}]"
        if not isinstance(entry, dict):
            problems.append(f"{place}: must be a table")
            continue
        filename, url = (_text(entry, key, place, problems) for key in ("name", "url"))
        uploaded = entry.get("upload-time")
        if uploaded is not None and not isinstance(uploaded, datetime):
            problems.append(f"{place}.upload-time: must be a date with time")
            uploaded = None
        if not (filename and url):
            continue
        try:
            file = remote_file(filename, url, {"sha256": entry.get("sha256")}, uploaded)
        except RemoteFileError as error:
            problems.append(f"{place}: {error}")
            continue
        if filename.endswith(".whl"):
            yield file
        else:
            problems.append(f"{place}: {filename} is no wheel")
