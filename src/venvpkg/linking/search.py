"""Where the target's loader looks: its configuration, and the directories that an object itself names."""

from __future__ import annotations

import fnmatch
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from venvpkg.host.layers import LayeredRoot
    from venvpkg.model.target import Target


LD_SO_CONF = "/etc/ld.so.conf"

# Dynamic string tokens (ld.so(8)): in braces, or not followed by another character of a name.
_TOKEN = re.compile(r"\$(?:\{(ORIGIN|LIB|PLATFORM)\}|(ORIGIN|LIB|PLATFORM)(?![A-Za-z0-9_]))")


def system_directories(root: LayeredRoot, target: Target) -> tuple[str, ...]:
    """Return the directories that every object is searched in, each once, in search order.

    ``/lib`` and ``/usr/lib`` come first and the other trusted directories last, as dpkg-shlibdeps has them, so that
    the same copy of a library is found; ld.so.conf decides about everything between.

    Source:
        ld.so(8), ldconfig(8); dpkg-shlibdeps(1).
    """
    multiarch = [f"/lib/{target.multiarch}", f"/usr/lib/{target.multiarch}"] if target.multiarch else []
    last = ["/lib32", "/usr/lib32", "/lib64", "/usr/lib64"]
    return tuple(dict.fromkeys(["/lib", "/usr/lib", *_configured(root, LD_SO_CONF, set()), *multiarch, *last]))


def expanded(directories: Iterable[str], origin: str, target: Target) -> Iterator[str]:
    """Yield the directories of a DT_RPATH or DT_RUNPATH with their tokens replaced.

    ``$LIB`` is a different thing in each distribution, hence each way it is known to be spelled is tried. Relative
    ones, an empty one too, mean the directory that the process happens to run in: nothing can be found there.

    Args:
        directories: as written in the object.
        origin: directory of that object on the target.
        target: names the platform.
    """
    libs = [f"lib/{target.multiarch}", "lib"] if target.multiarch else ["lib64", "lib"]
    for directory in directories:
        for lib in libs if "LIB" in directory else libs[:1]:
            path = _replaced(directory, {"ORIGIN": origin, "LIB": lib, "PLATFORM": target.machine})
            if path.startswith("/"):
                yield path


def _replaced(directory: str, values: Mapping[str, str]) -> str:
    return _TOKEN.sub(lambda match: values[match[1] or match[2]], directory)


def is_tied_to_a_place(directory: str) -> bool:
    """Whether a directory of a DT_RPATH or DT_RUNPATH does not move with the object."""
    return not _TOKEN.match(directory)


def _configured(root: LayeredRoot, path: str, seen: set[str]) -> Iterator[str]:
    """Yield the directories of an ld.so.conf file and of those it includes, each file once."""
    place = root.find(path)
    if place is None or not place.is_file or place.path in seen:
        return
    seen.add(place.path)
    try:
        lines = Path(root.on_host(place)).read_bytes().decode("utf-8", "surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words[0] == "include":
            for pattern in words[1:]:
                for included in _matching(root, os.path.join(os.path.dirname(path), pattern)):  # noqa: PTH118, PTH120
                    yield from _configured(root, included, seen)
        elif words[0].startswith("/"):
            # ``directory=libc5`` named a library type, in the days when there were several.
            yield words[0].partition("=")[0].rstrip("/") or "/"


def _matching(root: LayeredRoot, pattern: str) -> list[str]:
    """Return the files that a pattern of ``include`` matches, sorted; only its last part has wildcards in practice."""
    directory, _, name = pattern.rpartition("/")
    place = root.find(directory)
    if place is None or place.is_file:
        return []
    try:
        names = os.listdir(root.on_host(place))  # noqa: PTH208 (names, not paths, are matched)
    except OSError:
        return []
    return [f"{directory}/{each}" for each in sorted(names) if fnmatch.fnmatchcase(each, name)]
