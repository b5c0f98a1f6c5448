"""The search path of the target's loader: ld.so.conf, and the directories that an object lists itself."""

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
    """Return the directories that are searched for every object, each once, in search order.

    As for dpkg-shlibdeps, ``/lib`` and ``/usr/lib`` come first, the other trusted directories last, and those of
    ld.so.conf between, so that both find the same copy of a library.

    Source:
        ld.so(8), ldconfig(8); dpkg-shlibdeps(1).
    """
    multiarch = [f"/lib/{target.multiarch}", f"/usr/lib/{target.multiarch}"] if target.multiarch else []
    last = ["/lib32", "/usr/lib32", "/lib64", "/usr/lib64"]
    return tuple(
        dict.fromkeys(["/lib", "/usr/lib", *_ld_so_conf_directories(root, LD_SO_CONF, set()), *multiarch, *last])
    )


def expand_tokens(directories: Iterable[str], origin: str, target: Target) -> Iterator[str]:
    """Yield the absolute directories of a DT_RPATH or DT_RUNPATH with their tokens replaced.

    ``$LIB`` differs between operating systems, so each known value is tried. A relative or empty entry depends on the
    working directory of the process; it is skipped.

    Args:
        directories: as written in the object.
        origin: directory of the object on the target.
        target: has the machine and the multiarch tuple.
    """
    libs = [f"lib/{target.multiarch}", "lib"] if target.multiarch else ["lib64", "lib"]
    for directory in directories:
        for lib in libs if "LIB" in directory else libs[:1]:
            path = _replace_tokens(directory, {"ORIGIN": origin, "LIB": lib, "PLATFORM": target.machine})
            if path.startswith("/"):
                yield path


def _replace_tokens(directory: str, values: Mapping[str, str]) -> str:
    return _TOKEN.sub(lambda match: values[match[1] or match[2]], directory)


def is_relocatable(directory: str) -> bool:
    """Whether a directory of a DT_RPATH or DT_RUNPATH begins with a token, and so depends on the object or platform."""
    return _TOKEN.match(directory) is not None


def _ld_so_conf_directories(root: LayeredRoot, path: str, seen: set[str]) -> Iterator[str]:
    """Yield the directories of an ld.so.conf file and of the files it includes, reading each file once."""
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
                for included in _glob_include(root, os.path.join(os.path.dirname(path), pattern)):  # noqa: PTH118, PTH120
                    yield from _ld_so_conf_directories(root, included, seen)
        elif words[0].startswith("/"):
            # ``directory=libc5`` gave the type of the libraries when there were several.
            yield words[0].partition("=")[0].rstrip("/") or "/"


def _glob_include(root: LayeredRoot, pattern: str) -> list[str]:
    """Return the files that match the pattern of an ``include``, sorted; wildcards count in its last part only."""
    directory, _, name = pattern.rpartition("/")
    place = root.find(directory)
    if place is None or place.is_file:
        return []
    try:
        names = os.listdir(root.on_host(place))  # noqa: PTH208 (names, not paths, are matched)
    except OSError:
        return []
    return [f"{directory}/{each}" for each in sorted(names) if fnmatch.fnmatchcase(each, name)]
