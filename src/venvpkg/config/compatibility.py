"""Read ``binary-compatibility.cfg``: the machine's, then the virtual environment's, then the site's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from venvpkg.errors import ConfigurationError
from venvpkg.host.files import read_regular
from venvpkg.model.target import Compatibility, TagRule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


FILENAME: Final = "binary-compatibility.cfg"
MACHINE: Final = Path("/etc/python")
# A tag becomes a directory name and part of a file name.
_TAG: Final = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+")
_MOST_BYTES: Final = 1 << 20
_RESOLUTION: Final = (
    'Expected JSON such as {"linux_x86_64_ubuntu_24_04": {"install": ["linux_x86_64_debian_12"]}};'
    ' "build" replaces the tag of wheels that are compiled there.'
)


def read_compatibility(
    environ: Mapping[str, str], wheelhouse: Path, given: Path | None, *, machine: Path = MACHINE
) -> Compatibility:
    """Return the merged rules of all files that exist; a later file replaces the whole rule of a tag.

    Args:
        environ: venvpkg's own variables; ``VIRTUAL_ENV`` is a directory that may hold such a file.
        wheelhouse: its file is read last.
        given: read instead of the wheelhouse's file; must exist.
        machine: directory of the target's file, on this machine.

    Raises:
        ConfigurationError: a file cannot be read or is malformed, or ``given`` does not exist; lists every problem
            of that file.

    Source:
        N. Coraor's and N. Coghlan's ``binary-compatibility.cfg`` (distutils-sig, July 2015).
    """
    directories = [machine]
    if environ.get("VIRTUAL_ENV"):
        directories.append(Path(environ["VIRTUAL_ENV"]))
    files = [*(directory / FILENAME for directory in directories), given or wheelhouse / FILENAME]
    rules: dict[str, TagRule] = {}
    for file in files:
        rules |= _read_rules(file, must_exist=file == given)
    return Compatibility(tuple(sorted(rules.items(), key=lambda item: item[0])))


def _read_rules(file: Path, *, must_exist: bool) -> dict[str, TagRule]:
    try:
        content = read_regular(file, _MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError) as error:
        if must_exist:
            raise ConfigurationError(file, ["the file does not exist"], resolution=_RESOLUTION) from error
        return {}
    except OSError as error:
        raise ConfigurationError(file, [f"the file cannot be read: {error.strerror or error}"]) from error
    try:
        table = _parse_json(content)
    except (ValueError, RecursionError) as error:
        problem = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ConfigurationError(file, [problem], resolution=_RESOLUTION) from error
    problems = list(_problems(table))
    if problems or not isinstance(table, Mapping):
        raise ConfigurationError(file, problems, resolution=_RESOLUTION)
    return {tag: TagRule(rule.get("build"), tuple(rule.get("install", ()))) for tag, rule in table.items()}


def _parse_json(content: bytes) -> object:
    if len(content) > _MOST_BYTES:
        raise ValueError(f"larger than {_MOST_BYTES} bytes")
    document: object = json.loads(content, object_pairs_hook=_reject_duplicate_keys)
    return document


def _reject_duplicate_keys(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"duplicate key {next(name for name in names if names.count(name) > 1)!r}")
    return table


def _problems(table: object) -> Iterator[str]:
    if not isinstance(table, Mapping):
        yield "must be an object whose keys are platform tags"
        return
    for tag, rule in table.items():
        yield from _tag_problems(tag, "key")
        if not isinstance(rule, Mapping):
            yield f"{tag!r}: must be an object with 'build' and 'install'"
            continue
        for key in rule.keys() - {"build", "install"}:
            yield f"{tag!r}: unknown key {key!r}; expected 'build' or 'install'"
        if "build" in rule:
            yield from _tag_problems(rule["build"], f"{tag!r}.build")
        accepted = rule.get("install", [])
        if not isinstance(accepted, list):
            yield f"{tag!r}.install: must be an array of platform tags"
            continue
        for each in accepted:
            yield from _tag_problems(each, f"{tag!r}.install")


def _tag_problems(value: object, where: str) -> Iterator[str]:
    if not isinstance(value, str) or not _TAG.fullmatch(value):
        yield f"{where}: {value!r} is not a valid platform tag; expected e.g. 'linux_x86_64_debian_12'"
