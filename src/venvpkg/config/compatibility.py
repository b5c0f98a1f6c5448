"""``binary-compatibility.cfg`` → rules: the machine's, then the virtual environment's, then the site's."""

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
# A tag becomes the name of a directory and a part of a file name.
_TAG: Final = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+")
_MOST_BYTES: Final = 1 << 20
_RESOLUTION: Final = (
    'It is JSON: {"linux_x86_64_ubuntu_24_04": {"install": ["linux_x86_64_debian_12"]}}, with "build" for another tag.'
)


def read_compatibility(
    environ: Mapping[str, str], wheelhouse: Path, given: Path | None, *, machine: Path = MACHINE
) -> Compatibility:
    """Return the rules of every file that is there; a later file replaces the whole rule of a tag.

    Args:
        environ: venvpkg's own; ``VIRTUAL_ENV`` names a directory with such a file.
        wheelhouse: whose own file is the last one.
        given: read instead of the wheelhouse's own; it must be there.
        machine: directory of the target's own file, on this machine.

    Raises:
        ConfigurationError: a file cannot be read or is malformed, or ``given`` is missing; all problems of the file.

    Source:
        N. Coraor's and N. Coghlan's ``binary-compatibility.cfg`` (distutils-sig, July 2015).
    """
    places = [machine]
    if environ.get("VIRTUAL_ENV"):
        places.append(Path(environ["VIRTUAL_ENV"]))
    files = [*(place / FILENAME for place in places), given or wheelhouse / FILENAME]
    rules: dict[str, TagRule] = {}
    for file in files:
        rules |= _rules(file, must_exist=file == given)
    return Compatibility(tuple(sorted(rules.items(), key=lambda item: item[0])))


def _rules(file: Path, *, must_exist: bool) -> dict[str, TagRule]:
    try:
        content = read_regular(file, _MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError) as error:
        if must_exist:
            raise ConfigurationError(file, ["it is not there"], resolution=_RESOLUTION) from error
        return {}
    except OSError as error:
        raise ConfigurationError(file, [f"it cannot be read: {error.strerror or error}"]) from error
    try:
        table = _decoded(content)
    except (ValueError, RecursionError) as error:
        problem = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise ConfigurationError(file, [problem], resolution=_RESOLUTION) from error
    problems = list(_problems(table))
    if problems or not isinstance(table, Mapping):
        raise ConfigurationError(file, problems, resolution=_RESOLUTION)
    return {tag: TagRule(rule.get("build"), tuple(rule.get("install", ()))) for tag, rule in table.items()}


def _decoded(content: bytes) -> object:
    if len(content) > _MOST_BYTES:
        raise ValueError("it is absurdly large")
    decoded: object = json.loads(content, object_pairs_hook=_without_twins)
    return decoded


def _without_twins(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is there twice")
    return found


def _problems(table: object) -> Iterator[str]:
    if not isinstance(table, Mapping):
        yield "it is no object of platform tags"
        return
    for tag, rule in table.items():
        yield from _tag_problems(tag, "key")
        if not isinstance(rule, Mapping):
            yield f"{tag!r}: it is no object with 'build' and 'install'"
            continue
        for key in rule.keys() - {"build", "install"}:
            yield f"{tag!r}: unknown key {key!r}; known are 'build' and 'install'"
        if "build" in rule:
            yield from _tag_problems(rule["build"], f"{tag!r}.build")
        accepted = rule.get("install", [])
        if not isinstance(accepted, list):
            yield f"{tag!r}.install: it is no array of platform tags"
            continue
        for each in accepted:
            yield from _tag_problems(each, f"{tag!r}.install")


def _tag_problems(value: object, where: str) -> Iterator[str]:
    if not isinstance(value, str) or not _TAG.fullmatch(value):
        yield f"{where}: {value!r} is no platform tag, such as 'linux_x86_64_debian_12'"
