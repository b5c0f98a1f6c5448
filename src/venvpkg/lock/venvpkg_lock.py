"""Read and write ``venvpkg.lock``: pinned build requirements, and distributions that cannot be compiled."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import tomli_w  # noqa: TID251
from packaging.utils import is_normalized_name

from venvpkg.errors import LockError
from venvpkg.host.files import write_whole
from venvpkg.index.urls import RemoteFileError, remote_file
from venvpkg.lock.lockfile import read_document
from venvpkg.model.lock import BuildPins, Cause, Fallback
from venvpkg.text import strip_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from venvpkg.model.lock import RemoteFile


_VERSION: Final = 1
_HEADER: Final = (
    "# Written by venvpkg: the build requirements of what is compiled, with hashes, and what cannot be compiled."
    " Keep it with the application.\n"
)
_SOURCE: Final = re.compile(r"[0-9a-f]{64}|directory")
_TARGET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


def read_build_pins(path: Path) -> tuple[BuildPins, ...]:
    """Return the pins in ``path``, sorted; none if the file does not exist.

    Raises:
        LockError: the file is malformed; lists every problem.
    """
    if not path.exists():
        return ()
    document = read_document(path)
    version = document.get("version")
    if version != _VERSION:
        raise LockError(
            f"{path} has version {str(version)[:40]!r}; this venvpkg reads version {_VERSION}.",
            resolution="Use the version of venvpkg that wrote it, or remove it: the next build recreates it.",
        )
    problems: list[str] = []
    builds = document.get("build", [])
    entries = builds if isinstance(builds, list) else [None]
    pins = [pin for index, entry in enumerate(entries) for pin in _parse_pins(entry, f"build[{index}]", problems)]
    seen: set[tuple[str, str, str]] = set()
    for pin in pins:
        if _pins_key(pin) in seen:
            problems.append(f"build: duplicate entry for {pin.name} on {pin.target} from the same source")
        seen.add(_pins_key(pin))
    if problems:
        raise LockError(
            f"{path} is malformed: {len(problems)} problem{'s' * (len(problems) != 1)}.",
            details="\n".join(f"  {problem}" for problem in problems),
            resolution="Restore it from version control, or remove it: the next build recreates it.",
        )
    return tuple(sorted(pins, key=_pins_key))


def write_build_pins(path: Path, pins: Iterable[BuildPins]) -> None:
    """Replace the pins in ``path``; the bytes do not depend on the order of ``pins``.

    Raises:
        LockError: the existing file is malformed.
    """
    _write(path, pins, read_fallbacks(path))


def write_fallbacks(path: Path, fallbacks: Iterable[Fallback]) -> None:
    """Replace the fallbacks in ``path``; existing pins are kept.

    Raises:
        LockError: the existing file is malformed.
    """
    _write(path, read_build_pins(path), fallbacks)


def _write(path: Path, pins: Iterable[BuildPins], fallbacks: Iterable[Fallback]) -> None:
    document: dict[str, object] = {
        "version": _VERSION,
        "build": [_pins_table(pin) for pin in sorted(pins, key=_pins_key)],
    }
    if tables := fallback_tables(fallbacks):
        document["fallback"] = tables
    write_whole(path, (_HEADER + tomli_w.dumps(document)).encode())


def _pins_key(pin: BuildPins) -> tuple[str, str, str]:
    return pin.name, pin.target, pin.source


def _pins_table(pin: BuildPins) -> dict[str, object]:
    return {
        "name": pin.name,
        "target": pin.target,
        "source": pin.source,
        "requires": sorted(map(strip_credentials, pin.requires)),
        "files": [_file_table(file) for file in sorted(pin.files, key=lambda file: (file.filename, file.url))],
    }


def _file_table(file: RemoteFile) -> dict[str, object]:
    table: dict[str, object] = {"url": strip_credentials(file.url), "sha256": file.sha256, "name": file.filename}
    return table | ({"upload-time": file.uploaded.astimezone(UTC)} if file.uploaded is not None else {})


def _parse_pins(entry: object, where: str, problems: list[str]) -> Iterator[BuildPins]:
    if not isinstance(entry, dict):
        problems.append(f"{where}: must be a table")
        return
    before = len(problems)
    name, source, target = (_parse_text(entry, key, where, problems) for key in ("name", "source", "target"))
    if name and not is_normalized_name(name):
        problems.append(f"{where}.name: {name[:100]!r} is not a normalised name")
    if source and not _SOURCE.fullmatch(source):
        problems.append(f"{where}.source: {source[:100]!r} is neither a sha256 nor 'directory'")
    if target and not _TARGET.fullmatch(target):
        problems.append(f"{where}.target: {target[:100]!r} is not a valid target")
    requires = entry.get("requires", [])
    if not isinstance(requires, list) or not all(isinstance(each, str) for each in requires):
        problems.append(f"{where}.requires: must be an array of strings")
        requires = []
    files = tuple(_parse_files(entry.get("files", []), where, problems))
    if len(problems) == before:
        yield BuildPins(name, source, target, tuple(requires), files)


def _parse_text(table: Mapping[str, object], key: str, where: str, problems: list[str]) -> str:
    value = table.get(key)
    if isinstance(value, str) and value:
        return value
    problems.append(f"{where}.{key}: must be a string")
    return ""


def _parse_files(value: object, where: str, problems: list[str]) -> Iterator[RemoteFile]:
    for index, entry in enumerate(value if isinstance(value, list) else [None]):
        path = f"{where}.files[{index}]"
        if not isinstance(entry, dict):
            problems.append(f"{path}: must be a table")
            continue
        filename, url = (_parse_text(entry, key, path, problems) for key in ("name", "url"))
        uploaded = entry.get("upload-time")
        if uploaded is not None and not isinstance(uploaded, datetime):
            problems.append(f"{path}.upload-time: must be a date and time")
            uploaded = None
        if not (filename and url):
            continue
        try:
            yield remote_file(filename, url, {"sha256": entry.get("sha256")}, uploaded)
        except RemoteFileError as error:
            problems.append(f"{path}: {error}")


_PATTERNS: Final = {
    "version": re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*"),
    "source": re.compile(r"([0-9a-f]{64})?"),
    "target": re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*"),
    "cause": re.compile("|".join(map(re.escape, Cause))),
    "detail": re.compile(r"[^\x00-\x1f\x7f]{1,500}"),
}


def read_fallbacks(path: Path) -> tuple[Fallback, ...]:
    """Return the fallbacks in ``path``, sorted; none if the file does not exist.

    Raises:
        LockError: the fallbacks are malformed; lists every problem.
    """
    if not path.exists():
        return ()
    entries = read_document(path).get("fallback", [])
    problems: list[str] = []
    by_key: dict[tuple[str, str, str, str], Fallback] = {}
    for index, entry in enumerate(entries if isinstance(entries, list) else [None]):
        fallback = _parse_fallback(entry, f"fallback[{index}]", problems)
        if fallback is not None and by_key.setdefault(_fallback_key(fallback), fallback) is not fallback:
            problems.append(f"fallback[{index}]: duplicate entry for {fallback.name} on {fallback.target}")
    if problems:
        raise LockError(
            f"{path} is malformed: {len(problems)} problem{'s' * (len(problems) != 1)}.",
            details="\n".join(f"  {problem}" for problem in problems),
            resolution="Restore it from version control, or remove it: the next build recreates it.",
        )
    return tuple(by_key[key] for key in sorted(by_key))


def fallback_tables(fallbacks: Iterable[Fallback]) -> list[dict[str, object]]:
    """Return the fallbacks as TOML tables, sorted."""
    return [
        {
            "name": each.name,
            "version": each.version,
            "target": each.target,
            **({"source": each.source} if each.source else {}),
            "cause": each.cause.value,
            "detail": each.detail,
        }
        for each in sorted(fallbacks, key=_fallback_key)
    ]


def _fallback_key(fallback: Fallback) -> tuple[str, str, str, str]:
    return fallback.name, fallback.target, fallback.source, fallback.version


def _parse_fallback(entry: object, where: str, problems: list[str]) -> Fallback | None:
    if not isinstance(entry, dict):
        problems.append(f"{where}: must be a table")
        return None
    before = len(problems)
    name = entry.get("name")
    if not isinstance(name, str) or not is_normalized_name(name):
        problems.append(f"{where}.name: not a normalised name")
    values = {key: _parse_value(entry, key, where, problems) for key in _PATTERNS}
    if len(problems) > before:
        return None
    return Fallback(
        str(name), values["version"], values["source"], values["target"], Cause(values["cause"]), values["detail"]
    )


def _parse_value(entry: Mapping[str, object], key: str, where: str, problems: list[str]) -> str:
    value = entry.get(key, "")
    if isinstance(value, str) and _PATTERNS[key].fullmatch(value):
        return value
    problems.append(f"{where}.{key}: {str(value)[:100]!r} is not a valid {key}")
    return ""
