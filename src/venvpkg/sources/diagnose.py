"""Find in a build's log the lines that tell why it failed, and what can be done. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvpkg.text import without_terminal_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_MOST_LINES = 12
_LAST_LINES = 15
_LONGEST_LINE = 300


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a build failed.

    Attributes:
        lines: of the log that tell it, in order; the last ones when none stands out.
        advice: what to do, one sentence each; may be empty.
    """

    lines: tuple[str, ...]
    advice: tuple[str, ...]


def _package_with(what: str) -> str:
    return f"Install the package that ships {what}, and name it in build-depends under [tool.venvpkg]."


def _header(match: re.Match[str]) -> str:
    if match[1] == "Python.h":
        return "Install the interpreter's headers: python3-dev, or python3-devel where packages are .rpm files."
    return _package_with(f"the header {match[1]}")


_NO_NETWORK = (
    "The compile has no network: what it tried to fetch must come with the sdist, be a build requirement, or be an"
    " installed package."
)

_NO_RUST = "Install Rust (cargo and rustc) from the release, or use the publisher's wheel (policy `binary`)."
_OLD_RUST = (
    "The Rust that is installed is too old for this version: install a newer one of the release (Debian 12 has"
    " cargo-web and rustc-web), or use the publisher's wheel (policy `binary`)."
)
_NO_CRATES = (
    "It needs a Rust crate that neither the sdist nor its Cargo.lock has, and the compile has no network; use the"
    " publisher's wheel (policy `binary`)."
)
_NO_MEMORY = "The machine ran out of memory; compile fewer at once (--jobs 1)."
_NO_SPACE = "The disk with the cache is full (--cache chooses another)."
_NO_NAMESPACES = "This user cannot make namespaces: `venvpkg doctor` tells what to change."


def _module(match: re.Match[str]) -> str:
    return (
        f"Its build requires the module {match[1]} without saying so in [build-system]; report it, or choose another"
        " version."
    )


def _shipped(what: str) -> Callable[[re.Match[str]], str]:
    return lambda match: _package_with(what.format(match[1]))


def _always(advice: str) -> Callable[[re.Match[str]], str]:
    return lambda _: advice


# Pattern of a telling line, and what follows from it; the first that matches counts. From the messages of gcc, clang,
# ld, meson, pkg-config, CMake, setuptools, cargo and maturin, glibc's resolver, the kernel.
_SIGNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str] | None], ...] = tuple(
    (re.compile(pattern), advise)
    for pattern, advise in (
        (r"fatal error: '?([\w./+-]+)'?(?:: No such file or directory| file not found)", _header),
        (r"(?:cannot find|unable to find library) -l([\w.+-]+)", _shipped("lib{}.so for linking")),
        (r"ERROR: Dependency \"([^\"]+)\" not found", _shipped("{}.pc (a pkg-config module)")),
        (r"[Pp]ackage '?([\w.+-]+?)'?(?:, required by '[^']*',)? (?:was )?not found", _shipped("{}.pc (pkg-config)")),
        (r"No package '([\w.+-]+)' found", _shipped("{}.pc (pkg-config)")),
        (r"Could NOT find (\w+)", _shipped("{} (as CMake calls it)")),
        (r"\b([\w.+-]+[-_]config)\b.*(?:not found|No such file|does not exist|is not installed)",
         _shipped("the program {}")),
        (r"(?:not found|No such file|could not (?:find|run)|unable to find)\b.*?([\w.+-]+[-_]config)\b",
         _shipped("the program {}")),
        ((r"can't find Rust compiler|Rust not found|have cargo in your PATH|[Cc]argo,? .*(?:not installed|not found)"
         r"|No such file.*\b(?:cargo|rustc)\b"), _always(_NO_RUST)),
        (r"rustc [\d.]+ is not supported|requires rustc [\d.]+|Minimum supported Rust version", _always(_OLD_RUST)),
        (r"error: no matching package (?:named )?", _always(_NO_CRATES)),
        (r"error: command '([^']+)' failed: No such file or directory", _shipped("the program {}")),
        (r"(?:^|[\s/])([\w.+-]+): (?:command )?not found$", _shipped("the program {}")),
        ((r"Temporary failure in name resolution|Could not resolve host|Name or service not known"
         r"|[Nn]etwork is unreachable|NewConnectionError|failed to lookup address|dns error|getaddrinfo E[A-Z_]+"
         r"|unable to resolve host address|Failed to connect to .* Couldn't connect to server"), _always(_NO_NETWORK)),
        (r"Killed signal terminated program|signal: 9, SIGKILL|virtual memory exhausted|Cannot allocate memory",
         _always(_NO_MEMORY)),
        (r"No space left on device", _always(_NO_SPACE)),
        (r"ModuleNotFoundError: No module named '([\w.]+)'", _module),
        (r"unshare: .*(?:failed|not permitted)|mount: .*permission denied", _always(_NO_NAMESPACES)),
        # setuptools repeats the failed command, after the compiler has told why.
        (r"(?:^|[\s:])(?:fatal )?[\w.]*[Ee]rror(?:\[E\d+\])?: (?![Cc]ommand )", None),
        (r"undefined reference to|CMake Error|meson\.build:\d+:\d+: ERROR", None),
    )
)  # fmt: skip


def diagnose(log: str) -> Diagnosis:
    """Return the telling lines of a log, and advice for those whose cause is known."""
    lines = [_plain(line) for line in log.splitlines()]
    telling: dict[str, None] = {}
    advice: dict[str, None] = {}
    for line in lines:
        for pattern, advise in _SIGNS:
            match = pattern.search(line)
            if match is None:
                continue
            telling[line] = None
            if advise is not None:
                advice[advise(match)] = None
            break
    return Diagnosis(tuple(telling)[:_MOST_LINES] or _last(lines), tuple(advice)[:_MOST_LINES])


def last_lines(log: str) -> tuple[str, ...]:
    """Return the end of a log, as people may see it."""
    return _last(_plain(line) for line in log.splitlines())


def _last(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line)[-_LAST_LINES:]


def _plain(line: str) -> str:
    """Return the line as people may see it, so that a log cannot play with the terminal."""
    return without_terminal_codes(line).strip()[:_LONGEST_LINE]
