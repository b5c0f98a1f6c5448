"""What the target's repositories have beyond what is installed: dnf tells, or zypper where there is no dnf."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from venvpkg.host.runner import Command
from venvpkg.model.depends import NativePackage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import PurePosixPath

    from venvpkg.host.runner import Completed, Runner

_TIMEOUT_S: Final = 600.0
NOTHING_MATCHES: Final = 104  # zypper(8), ZYPPER_EXIT_INF_CAP_NOT_FOUND
_FIELDS: Final = 3
_PACKAGE: Final = r"%{name}|%{evr}|%{arch}\n"
# An answer of several lines ends with a character that no text has.
_DESCRIBED: Final = r"%{evr}|%{description}" + "\x1e"
_DNF: Final = ("dnf", "--quiet", "repoquery")
# Without a download: for questions on the side, what is known is enough.
_DNF_AS_KNOWN: Final = ("dnf", "--quiet", "--cacheonly", "repoquery")
_ZYPPER: Final = ("zypper", "--non-interactive", "--quiet", "--xmlout")
_ZYPPER_AS_KNOWN: Final = ("zypper", "--non-interactive", "--quiet", "--no-refresh")
_INFORMATION: Final = re.compile(
    r"^Version +: (?P<version>\S+)$.*?^Description +:(?P<description>.*)", re.MULTILINE | re.DOTALL
)


def providers_in_repositories(capabilities: Sequence[str], runner: Runner) -> tuple[Mapping[str, NativePackage], str]:
    """Return which packages of the repositories provide capabilities, and why the repositories could not be asked.

    Args:
        capabilities: that no installed package provides.
        runner: runs the package manager on the target, with network.

    Returns:
        Capability → the first package by name; and a clause, empty when they were asked.
    """
    if not capabilities:
        return {}, ""
    wanted = [word for each in capabilities for word in ("--whatprovides", each)]
    done = runner.run(Command((*_DNF, "--queryformat", _PACKAGE, *wanted), timeout_s=_TIMEOUT_S))
    if done.not_found:
        return _providers_by_zypper(capabilities, runner)
    if not done.ok:
        return {}, _unasked("dnf", done)
    found: dict[str, NativePackage] = {}
    for package in _packages(done.text):
        listed = runner.run(Command((*_DNF, "--provides", package.name), timeout_s=_TIMEOUT_S))
        provided = set(listed.text.splitlines()) if listed.ok else set()
        for each in capabilities:
            if each in provided:
                found.setdefault(each, package)
    return found, ""


def shippers_in_repositories(path: PurePosixPath, runner: Runner) -> tuple[str, ...]:
    """Return the names of packages that ship ``path``, by the metadata that is there; sorted, empty where none is."""
    done = runner.run(Command((*_DNF_AS_KNOWN, "--queryformat", _PACKAGE, "--file", str(path)), timeout_s=_TIMEOUT_S))
    if done.not_found:
        done = runner.run(_searched(str(path), ("--no-refresh",)))
        return tuple(sorted({each.name for each in _solvables(done)}))
    return tuple(sorted({each.name for each in _packages(done.text)})) if done.ok else ()


def may_be_shipped_in_repositories(paths: Sequence[PurePosixPath], runner: Runner) -> bool:
    """Whether packages may ship some of ``paths``; only then is there reason to ask for each of them.

    dnf takes half a second for every question, and an application may have thirty commands. dnf 4 takes a list of files
    as words, dnf 5 with commas; what either does not take for files it takes for packages, by the files they have, so
    that both ways in one question are the question.
    """
    if len(paths) < 2:  # noqa: PLR2004 (the question for one is as cheap)
        return bool(paths)
    words = [str(each) for each in paths]
    asked = (*_DNF_AS_KNOWN, "--queryformat", _PACKAGE, "--file", ",".join(words), *words)
    done = runner.run(Command(asked, timeout_s=_TIMEOUT_S))
    return not done.ok or bool(_packages(done.text))


def described_in_repositories(name: str, runner: Runner) -> tuple[tuple[str, str], ...]:
    """Return version and description of the packages of a name, by the metadata that is there."""
    done = runner.run(Command((*_DNF_AS_KNOWN, "--queryformat", _DESCRIBED, name), timeout_s=_TIMEOUT_S))
    if done.not_found:
        done = runner.run(Command((*_ZYPPER_AS_KNOWN, "info", "--", name), timeout_s=_TIMEOUT_S))
        told = _INFORMATION.search(done.text) if done.ok else None
        return ((told["version"], told["description"].strip()),) if told else ()
    entries = (entry.strip("\n").partition("|") for entry in done.text.split("\x1e")) if done.ok else ()
    return tuple((version, description) for version, bar, description in entries if bar)


def _packages(text: str) -> list[NativePackage]:
    """Return what dnf listed, sorted; it parts entries with an empty line, or not, by its version."""
    lines = (line.split("|") for line in text.splitlines())
    return sorted({NativePackage(*fields) for fields in lines if len(fields) == _FIELDS})


def _providers_by_zypper(capabilities: Sequence[str], runner: Runner) -> tuple[Mapping[str, NativePackage], str]:
    found: dict[str, NativePackage] = {}
    for each in capabilities:
        done = runner.run(_searched(each))
        if done.returncode not in {0, NOTHING_MATCHES}:
            return found, _unasked("dnf and zypper" if done.not_found else "zypper", done)
        packages = _solvables(done)
        if packages:
            found[each] = packages[0]
    return found, ""


def _searched(capability: str, options: tuple[str, ...] = ()) -> Command:
    search = ("search", "--details", "--match-exact", "--provides", "--type", "package", "--", capability)
    return Command((*_ZYPPER, *options, *search), timeout_s=_TIMEOUT_S)


def _solvables(done: Completed) -> list[NativePackage]:
    """Return what zypper listed, sorted; nothing when it is no list."""
    try:
        tree = ET.fromstring(done.stdout)  # noqa: S314 - the package manager's own output, without a DTD
    except ET.ParseError:
        return []
    solvables = (each.attrib for each in tree.iter("solvable"))
    return sorted({NativePackage(each["name"], each.get("edition", ""), each.get("arch", "")) for each in solvables})


def _unasked(program: str, done: Completed) -> str:
    return f"{program} could not be asked about the repositories: {done.outcome()}: {done.errors.strip()[-300:]}"
