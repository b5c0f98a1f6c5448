"""Find the systemd units, accounts and directories among the files of a payload.

The scripts of both families treat them like those of the release's own packages: accounts and directories are created
before anything needs them; units are enabled by the release's policy, stopped at removal and restarted at an upgrade.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from venvpkg.depends.derive import Claim
from venvpkg.model.depends import Evidence, Source
from venvpkg.model.staged import PathKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from venvpkg.model.package import PackageSpec
    from venvpkg.model.staged import PayloadPath, StagedVenv


SYSUSERS: Final = "sysusers.d"
TMPFILES: Final = "tmpfiles.d"
_TABLES: Final = (SYSUSERS, TMPFILES)
# systemd looks there for files of packages; /lib is /usr/lib on every supported release.
# Source: systemd.unit(5), sysusers.d(5), tmpfiles.d(5).
_UNIT_DIRECTORY: Final = re.compile(r"(/usr)?/lib/systemd/system/")
# systemd accepts no other names for units. A template (x@.service) is enabled per instance, by the administrator;
# slices and scopes are created on demand.
_UNIT: Final = re.compile(
    rf"{_UNIT_DIRECTORY.pattern}[A-Za-z0-9:_.\\][A-Za-z0-9:_.\\-]*(@[A-Za-z0-9:_.\\-]+)?"
    r"\.(service|socket|timer|path|target|mount|automount|swap)"
)
_TABLE: Final = re.compile(r"(/usr)?/lib/(sysusers|tmpfiles)\.d/[A-Za-z0-9_][A-Za-z0-9_.@:+-]*\.conf")
# A unit without any of these cannot be enabled. Source: systemd.unit(5), "[Install] Section Options".
_INSTALL_SECTION: Final = re.compile(rb"(?ms)^\[Install\][ \t]*$(?P<options>.*?)(?=^\[|\Z)")
_INSTALL_OPTION: Final = re.compile(rb"(?m)^(?:Alias|WantedBy|RequiredBy|UpheldBy|Also)[ \t]*=[ \t]*\S")
# Units and tables are written by hand.
_MOST_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Units:
    """Names of the files for systemd, as its programs accept them; each sorted.

    Attributes:
        sysusers: files that declare accounts, ``app.conf``.
        tmpfiles: files that declare directories.
        enabled: units that can be enabled; the installation does so if the release's policy says so.
        others: units that something else starts, such as a timer, or that are started by hand.
        reads: whether a running systemd has to reload its units, because there are units, templates or drop-ins.
    """

    sysusers: tuple[str, ...] = ()
    tmpfiles: tuple[str, ...] = ()
    enabled: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    reads: bool = False

    def scripts(self) -> frozenset[str]:
        """Return the names, in Debian's terms, of the scripts that have something to do."""
        starts = bool(self.enabled or self.others)
        needed = {
            "postinst": bool(self.sysusers or self.tmpfiles or self.reads), "prerm": starts, "postrm": self.reads,
        }  # fmt: skip
        return frozenset(name for name, is_needed in needed.items() if is_needed)

    def words(self) -> dict[str, str]:
        """Return each attribute as words for a shell; ``reads`` is empty for False."""
        listed = {each: getattr(self, each) for each in ("sysusers", "tmpfiles", "enabled", "others")}
        return {key: shlex.join(names) for key, names in listed.items()} | {"reads": "yes" if self.reads else ""}


def units_of(staged: StagedVenv) -> Units:
    """Return the files for systemd in a payload; units are read from its destdir."""
    paths = [each for each in staged.payload.paths if each.kind is not PathKind.DIRECTORY]
    units = [each for each in paths if _UNIT.fullmatch(str(each.path))]
    enabled = {each.path.name for each in units if _can_be_enabled(each, staged.destdir)}
    tables = {
        each: {path.path.name for path in _table_files(paths) if path.path.parent.name == each} for each in _TABLES
    }
    return Units(
        tuple(sorted(tables[SYSUSERS])),
        tuple(sorted(tables[TMPFILES])),
        tuple(sorted(enabled)),
        tuple(sorted({each.path.name for each in units} - enabled)),
        any(_UNIT_DIRECTORY.match(str(each.path)) for each in paths),
    )


def table_claims(staged: StagedVenv, programs: Mapping[str, str]) -> Iterator[Claim]:
    """Yield a claim for each file of accounts or directories, on the program that reads it at installation.

    Args:
        staged: the payload.
        programs: ``SYSUSERS`` and ``TMPFILES`` → the relation on the program that reads such files.
    """
    for each in _table_files(staged.payload.paths):
        yield Claim(programs[each.path.parent.name], Evidence(Source.UNIT, needed_by=each.path))


def account_lines(staged: StagedVenv) -> Iterator[str]:
    """Yield each line, except comments, of the payload's files of accounts, read from its destdir."""
    for each in _table_files(staged.payload.paths):
        if each.kind is PathKind.FILE and each.path.parent.name == SYSUSERS:
            with (staged.destdir / each.path.relative_to("/")).open("rb") as file:
                lines = file.read(_MOST_BYTES).decode(errors="replace").splitlines()
            yield from (line for line in map(str.strip, lines) if line and not line.startswith("#"))


def _table_files(paths: Iterable[PayloadPath]) -> Iterator[PayloadPath]:
    return (each for each in paths if each.kind is not PathKind.DIRECTORY and _TABLE.fullmatch(str(each.path)))


def _can_be_enabled(unit: PayloadPath, destdir: Path) -> bool:
    if unit.kind is not PathKind.FILE:
        return False
    with (destdir / unit.path.relative_to("/")).open("rb") as file:
        text = file.read(_MOST_BYTES)
    return any(_INSTALL_OPTION.search(section["options"]) for section in _INSTALL_SECTION.finditer(text))


def state_words(spec: PackageSpec) -> Mapping[str, tuple[str, ...]]:
    """Return the state's files and directories as shell words, in an order in which they can be removed."""
    return {
        "files": tuple(shlex.quote(str(each.path)) for each in spec.state if not each.is_directory),
        # The contents of a directory are listed after it.
        "directories": tuple(shlex.quote(str(each.path)) for each in reversed(spec.state) if each.is_directory),
    }
