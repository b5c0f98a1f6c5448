"""Compute the wheel tags that a target accepts, and choose the best prebuilt wheel. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from packaging.tags import Tag, compatible_tags, cpython_tags, generic_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from venvpkg.model.lock import RemoteFile
    from venvpkg.model.target import Interpreter, Target


# PEP 600: glibc version → legacy alias of its tag.
_LEGACY: Final = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
# PEP 513 and PEP 599: minor version of the oldest glibc that has a manylinux tag, on x86 and elsewhere.
_OLDEST_X86: Final = 5
_OLDEST: Final = 17


def publisher_tags(target: Target) -> tuple[Tag, ...]:
    """Return the tags of prebuilt wheels that the target's interpreter can install, best first.

    Returns:
        The interpreter's tags for the target's vendor tags, ``linux`` and manylinux (newest glibc first), then pure
        tags; unique.

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
    """Return the wheel with the best of ``tags``, or None if no wheel matches; the highest build number breaks ties.

    Wheels with invalid file names are skipped, as by pip. An exported vendor wheel also has a generic tag
    (``linux_x86_64.linux_x86_64_debian_12``) for tools that do not know vendor tags. It only matches by its vendor
    tag, because it links the libraries of that release.

    Args:
        wheels: wheels of one distribution.
        tags: accepted tags, best first.

    Source:
        PyPA specification "Binary distribution format".
    """
    rank = {tag: index for index, tag in enumerate(tags)}
    ranked: list[tuple[int, tuple[int, str], RemoteFile]] = []
    for wheel in wheels:
        try:
            _, _, build, own = parse_wheel_filename(wheel.filename)
        except InvalidWheelFilename:
            continue
        ranks = [rank[tag] for tag in _drop_generic(own) if tag in rank]
        if ranks:
            ranked.append((-min(ranks), build or (-1, ""), wheel))
    return max(ranked, key=lambda entry: entry[:2])[2] if ranked else None


def _drop_generic(tags: Iterable[Tag]) -> list[Tag]:
    """Return the tags without those whose platform another tag narrows down to a release."""
    tags = list(tags)
    platforms = {tag.platform for tag in tags}
    return [tag for tag in tags if not any(each.startswith(f"{tag.platform}_") for each in platforms)]


def _pure_interpreter(interpreter: Interpreter) -> str:
    """Return the interpreter tag of pure wheels for this implementation only: ``cp311``, ``pp3``.

    Source:
        packaging.tags.sys_tags, which pip uses.
    """
    return "pp3" if interpreter.is_pypy else interpreter.tag


def _platforms(target: Target) -> Iterator[str]:
    machine = target.machine
    yield target.platform_tag
    yield from target.accepts
    yield f"linux_{machine}"  # before manylinux, as in pip: a wheel built for just this machine was meant for it
    if target.interpreter.glibc is not None:
        major, newest = target.interpreter.glibc
        oldest = _OLDEST_X86 if machine in {"x86_64", "i686"} else _OLDEST
        for minor in range(newest, oldest - 1, -1):
            yield f"manylinux_{major}_{minor}_{machine}"
            if (major, minor) in _LEGACY:
                yield f"{_LEGACY[major, minor]}_{machine}"
