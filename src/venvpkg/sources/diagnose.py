"""Find the lines of a build's log that explain its failure, and advice for it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvpkg.text import without_terminal_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


_MOST_LINES = 12
_LAST_LINES = 15
_LONGEST_LINE = 300


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a build failed.

    Attributes:
        lines: lines of the log that explain it, in order; the last lines if none is recognised.
        advice: what to do, one sentence each; may be empty.
    """

    lines: tuple[str, ...]
    advice: tuple[str, ...]


def _package_with(what: str) -> str:
    return f"Install the package that ships {what}, and add it to build-depends under [tool.venvpkg]."


def _advise_header(match: re.Match[str]) -> str:
    if match[1] == "Python.h":
        return "Install the interpreter's headers: python3-dev, or python3-devel where packages are .rpm files."
    return _package_with(f"the header {match[1]}")


_NO_NETWORK = (
    "The compile has no network: the files that it tried to fetch must be in the sdist, a build requirement or an"
    " installed package."
)

_NO_RUST = "Install Rust (cargo and rustc) from the release, or use the prebuilt wheel (policy `binary`)."
_OLD_RUST = (
    "The installed Rust is too old for this version: install a newer one from the release (Debian 12 has"
    " cargo-web and rustc-web), or use the prebuilt wheel (policy `binary`)."
)
_NO_CRATES = (
    "It needs a Rust crate that is neither in the sdist nor in its Cargo.lock, and the compile has no network; use the"
    " prebuilt wheel (policy `binary`)."
)
_NO_MEMORY = "The machine ran out of memory; compile fewer wheels in parallel (--jobs 1)."
_NO_SPACE = "The disk with the cache is full (--cache selects another)."
_NO_NAMESPACES = "This user cannot create namespaces: `venvpkg doctor` reports what to change."


def _advise_module(match: re.Match[str]) -> str:
    return (
        f"Its build requires the module {match[1]} but does not declare it in [build-system]; report it, or use another"
        " version."
    )


def _advise_package(what: str) -> Callable[[re.Match[str]], str]:
    return lambda match: _package_with(what.format(match[1]))


def _advise(advice: str) -> Callable[[re.Match[str]], str]:
    return lambda _: advice


# Patterns of lines that explain a failure, and functions for the advice; the first match counts. They fit messages of
# gcc, clang, ld, meson, pkg-config, CMake, setuptools, cargo, maturin, glibc's resolver and the kernel.
_SIGNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str] | None], ...] = tuple(
    (re.compile(pattern), advise)
    for pattern, advise in (
        (r"fatal error: '?([\w./+-]+)'?(?:: No such file or directory| file not found)", _advise_header),
        (r"(?:cannot find|unable to find library) -l([\w.+-]+)", _advise_package("lib{}.so for linking")),
        (r"ERROR: Dependency \"([^\"]+)\" not found", _advise_package("{}.pc (a pkg-config module)")),
        (r"[Pp]ackage '?([\w.+-]+?)'?(?:, required by '[^']*',)? (?:was )?not found",
         _advise_package("{}.pc (pkg-config)")),
        (r"No package '([\w.+-]+)' found", _advise_package("{}.pc (pkg-config)")),
        (r"Could NOT find (\w+)", _advise_package("{} (as CMake calls it)")),
        (r"\b([\w.+-]+[-_]config)\b.*(?:not found|No such file|does not exist|is not installed)",
         _advise_package("the program {}")),
        (r"(?:not found|No such file|could not (?:find|run)|unable to find)\b.*?([\w.+-]+[-_]config)\b",
         _advise_package("the program {}")),
        ((r"can't find Rust compiler|Rust not found|have cargo in your PATH|[Cc]argo,? .*(?:not installed|not found)"
         r"|No such file.*\b(?:cargo|rustc)\b"), _advise(_NO_RUST)),
        (r"rustc [\d.]+ is not supported|requires rustc [\d.]+|Minimum supported Rust version", _advise(_OLD_RUST)),
        (r"error: no matching package (?:named )?", _advise(_NO_CRATES)),
        (r"error: command '([^']+)' failed: No such file or directory", _advise_package("the program {}")),
        (r"(?:^|[\s/])([\w.+-]+): (?:command )?not found$", _advise_package("the program {}")),
        ((r"Temporary failure in name resolution|Could not resolve host|Name or service not known"
         r"|[Nn]etwork is unreachable|NewConnectionError|failed to lookup address|dns error|getaddrinfo E[A-Z_]+"
         r"|unable to resolve host address|Failed to connect to .* Couldn't connect to server"), _advise(_NO_NETWORK)),
        (r"Killed signal terminated program|signal: 9, SIGKILL|virtual memory exhausted|Cannot allocate memory",
         _advise(_NO_MEMORY)),
        (r"No space left on device", _advise(_NO_SPACE)),
        (r"ModuleNotFoundError: No module named '([\w.]+)'", _advise_module),
        (r"unshare: .*(?:failed|not permitted)|mount: .*permission denied", _advise(_NO_NAMESPACES)),
        # setuptools repeats the failed command, after the compiler has reported why.
        (r"(?:^|[\s:])(?:fatal )?[\w.]*[Ee]rror(?:\[E\d+\])?: (?![Cc]ommand )", None),
        (r"undefined reference to|CMake Error|meson\.build:\d+:\d+: ERROR", None),
    )
)  # fmt: skip


# For a program that does not exist, subprocess raises what open() does for a file; only the frame above it differs.
_STARTS_PROGRAM = re.compile(r"subprocess\.py\", line \d+, in _execute_child$")
_NO_PROGRAM = re.compile(r"FileNotFoundError: \[Errno 2\] No such file or directory: '([^'/]+)'")
# The exception at the end of a traceback; the lines before it are indented.
_END_OF_TRACEBACK = re.compile(r"[\w.]+(?::|$)")


def _as_shells_say(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines, but ``dot: command not found`` where Python's subprocess did not find a program."""
    is_starting = False
    for line in lines:
        match = _NO_PROGRAM.fullmatch(line)
        yield f"{match[1]}: command not found" if match is not None and is_starting else line
        is_starting = bool(_STARTS_PROGRAM.search(line)) or (is_starting and not _END_OF_TRACEBACK.match(line))


def diagnose(log: str) -> Diagnosis:
    """Return the diagnosis for a log."""
    lines = list(_as_shells_say(_clean_line(line) for line in log.splitlines()))
    explaining: dict[str, None] = {}
    advice: dict[str, None] = {}
    for line in lines:
        for pattern, advise in _SIGNS:
            match = pattern.search(line)
            if match is None:
                continue
            explaining[line] = None
            if advise is not None:
                advice[advise(match)] = None
            break
    return Diagnosis(tuple(explaining)[:_MOST_LINES] or _last_nonempty(lines), tuple(advice)[:_MOST_LINES])


def last_lines(log: str) -> tuple[str, ...]:
    """Return the last lines of a log, safe for a terminal."""
    return _last_nonempty(_clean_line(line) for line in log.splitlines())


def _last_nonempty(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line)[-_LAST_LINES:]


def _clean_line(line: str) -> str:
    """Return the start of a line without terminal control codes."""
    return without_terminal_codes(line).strip()[:_LONGEST_LINE]
