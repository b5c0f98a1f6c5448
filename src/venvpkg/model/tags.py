"""Which of the publishers' wheels a target can install, and which of them is best. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from packaging.tags import Tag, compatible_tags, cpython_tags, generic_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from venvpkg.model.lock import RemoteFile
    from venvpkg.model.target import Interpreter, Target


# PEP 600: the older names of three of its tags, by glibc version.
_LEGACY: Final = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
# PEP 513 and PEP 599: the oldest glibc that a manylinux tag can name, on x86 and elsewhere.
_OLDEST_X86: Final = 5
_OLDEST: Final = 17


def publisher_tags(target: Target) -> tuple[Tag, ...]:
    """Return the tags of publishers' wheels that the target's interpreter can install, best first.

    Returns:
        Interpreter and ABI by the vendor tags that serve the target, ``linux`` and manylinux (the newest glibc first),
        then pure tags; unique.

    Source:
        PyPA specification "Platform compatibility tags"; PEP 600.
    """
    interpreter, platforms = target.interpreter, tuple(_platforms(target))
    version, abis = interpreter.version[:2], [interpreter.abi]
    if interpreter.is_pypy:
        native = generic_tags(interpreter.tag, abis, platforms)
    else:
        native = cpython_tags(version, abis=abis, platforms=platforms)
    rest = compatible_tags(version, interpreter=_pure_interpreter(interpreter), platforms=platforms)
    return tuple(dict.fromkeys((*native, *rest)))


def pure_tags(target: Target) -> tuple[Tag, ...]:
    """Return the tags of wheels without native code that the target's interpreter can install, best first."""
    interpreter = target.interpreter
    return tuple(
        compatible_tags(interpreter.version[:2], interpreter=_pure_interpreter(interpreter), platforms=["any"])
    )


def best_wheel(wheels: Iterable[RemoteFile], tags: Sequence[Tag]) -> RemoteFile | None:
    """Return the wheel with the best of ``tags``, or None when none has any; among equals, the highest build number.

    A wheel whose name is older than the rules for names is passed over, as pip does. One that was compiled for a
    release, and is tagged for any Linux as well because stock tools know no vendor tags
    (``linux_x86_64.linux_x86_64_debian_12``), counts by its vendor tag alone: it links that release's libraries.

    Args:
        wheels: of one distribution.
        tags: best first.

    Source:
        PyPA specification "Binary distribution format".
    """
    rank = {tag: place for place, tag in enumerate(tags)}
    ranked: list[tuple[int, tuple[int, str], RemoteFile]] = []
    for wheel in wheels:
        try:
            _, _, build, own = parse_wheel_filename(wheel.filename)
        except InvalidWheelFilename:
            continue
        places = [rank[tag] for tag in _without_general(own) if tag in rank]
        if places:
            ranked.append((-min(places), build or (-1, ""), wheel))
    return max(ranked, key=lambda entry: entry[:2])[2] if ranked else None


def _without_general(tags: Iterable[Tag]) -> list[Tag]:
    """Return the tags without those whose platform another one narrows to a release."""
    tags = list(tags)
    platforms = {tag.platform for tag in tags}
    return [tag for tag in tags if not any(each.startswith(f"{tag.platform}_") for each in platforms)]


def _pure_interpreter(interpreter: Interpreter) -> str:
    """Return the tag of wheels for this implementation alone and without native code: ``cp311``, ``pp3``.

    Source:
        packaging.tags.sys_tags, which pip asks.
    """
    return "pp3" if interpreter.is_pypy else interpreter.tag


def _platforms(target: Target) -> Iterator[str]:
    machine = target.machine
    yield target.platform_tag
    yield from target.accepts
    yield f"linux_{machine}"  # before manylinux, as for pip: who built a wheel for just this machine meant it
    if target.interpreter.glibc is not None:
        major, newest = target.interpreter.glibc
        oldest = _OLDEST_X86 if machine in {"x86_64", "i686"} else _OLDEST
        for minor in range(newest, oldest - 1, -1):
            yield f"manylinux_{major}_{minor}_{machine}"
            if (major, minor) in _LEGACY:
                yield f"{_LEGACY[major, minor]}_{machine}"
