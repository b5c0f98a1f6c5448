"""What systemd is to know of a package: units, accounts and directories among the files of its payload.

Both families' scripts do with it what the release's own packages do: accounts and directories are made before anything
needs them, units are enabled by the release's policy, stopped at removal and restarted at an upgrade.
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

    from venvpkg.model.staged import PayloadPath, StagedVenv


SYSUSERS: Final = "sysusers.d"
TMPFILES: Final = "tmpfiles.d"
_TABLES: Final = (SYSUSERS, TMPFILES)
# Where systemd looks for what packages ship; /lib is /usr/lib on every release that is supported.
# Source: systemd.unit(5), sysusers.d(5), tmpfiles.d(5).
_READ: Final = re.compile(r"(/usr)?/lib/systemd/system/")
# systemd takes no other names for units. A template (x@.service) is enabled for an instance, by whoever wants one;
# slices and scopes are made on demand.
_UNIT: Final = re.compile(
    rf"{_READ.pattern}[A-Za-z0-9:_.\\][A-Za-z0-9:_.\\-]*(@[A-Za-z0-9:_.\\-]+)?"
    r"\.(service|socket|timer|path|target|mount|automount|swap)"
)
_TABLE: Final = re.compile(r"(/usr)?/lib/(sysusers|tmpfiles)\.d/[A-Za-z0-9_][A-Za-z0-9_.@:+-]*\.conf")
# Without one of these nothing can be enabled. Source: systemd.unit(5), "[Install] Section Options".
_INSTALL: Final = re.compile(rb"(?ms)^\[Install\][ \t]*$(?P<options>.*?)(?=^\[|\Z)")
_OPTION: Final = re.compile(rb"(?m)^(?:Alias|WantedBy|RequiredBy|UpheldBy|Also)[ \t]*=[ \t]*\S")
# A unit, or a table, is text that people write.
_MOST_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Units:
    """What there is, by the names that systemd's programs take; each sorted.

    Attributes:
        sysusers: files of accounts, ``app.conf``.
        tmpfiles: files of directories.
        enabled: units that can be enabled, and are at installation where the release's policy says so.
        others: units that something else starts, such as a timer; and those that are started by hand.
        reads: whether a running systemd has to read its units anew: there are such ones, templates or drop-ins.
    """

    sysusers: tuple[str, ...] = ()
    tmpfiles: tuple[str, ...] = ()
    enabled: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    reads: bool = False

    def scripts(self) -> frozenset[str]:
        """Return the names, Debian's, of the scripts in which something has to be done."""
        starts = bool(self.enabled or self.others)
        needed = {
            "postinst": bool(self.sysusers or self.tmpfiles or self.reads), "prerm": starts, "postrm": self.reads,
        }  # fmt: skip
        return frozenset(name for name, is_needed in needed.items() if is_needed)

    def words(self) -> dict[str, str]:
        """Return the names as words for a shell, by the attribute's name; ``reads`` is empty for no."""
        listed = {each: getattr(self, each) for each in ("sysusers", "tmpfiles", "enabled", "others")}
        return {key: shlex.join(names) for key, names in listed.items()} | {"reads": "yes" if self.reads else ""}


def units_of(staged: StagedVenv) -> Units:
    """Return what systemd is to know of a payload; units are read from its destdir."""
    paths = [each for each in staged.payload.paths if each.kind is not PathKind.DIRECTORY]
    units = [each for each in paths if _UNIT.fullmatch(str(each.path))]
    enabled = {each.path.name for each in units if _can_be_enabled(each, staged.destdir)}
    tables = {each: {path.path.name for path in _tables(paths) if path.path.parent.name == each} for each in _TABLES}
    return Units(
        tuple(sorted(tables[SYSUSERS])),
        tuple(sorted(tables[TMPFILES])),
        tuple(sorted(enabled)),
        tuple(sorted({each.path.name for each in units} - enabled)),
        any(_READ.match(str(each.path)) for each in paths),
    )


def table_claims(staged: StagedVenv, programs: Mapping[str, str]) -> Iterator[Claim]:
    """Yield a claim for each file of accounts or directories: on what reads it when the package is installed.

    Args:
        staged: the payload.
        programs: ``SYSUSERS`` and ``TMPFILES`` → the relation on the program that reads such files.
    """
    for each in _tables(staged.payload.paths):
        yield Claim(programs[each.path.parent.name], Evidence(Source.UNIT, needed_by=each.path))


def account_lines(staged: StagedVenv) -> Iterator[str]:
    """Yield each line that says something in the payload's files of accounts; they are read from its destdir."""
    for each in _tables(staged.payload.paths):
        if each.kind is PathKind.FILE and each.path.parent.name == SYSUSERS:
            with (staged.destdir / each.path.relative_to("/")).open("rb") as file:
                lines = file.read(_MOST_BYTES).decode(errors="replace").splitlines()
            yield from (line for line in map(str.strip, lines) if line and not line.startswith("#"))


def _tables(paths: Iterable[PayloadPath]) -> Iterator[PayloadPath]:
    return (each for each in paths if each.kind is not PathKind.DIRECTORY and _TABLE.fullmatch(str(each.path)))


def _can_be_enabled(unit: PayloadPath, destdir: Path) -> bool:
    if unit.kind is not PathKind.FILE:
        return False
    with (destdir / unit.path.relative_to("/")).open("rb") as file:
        text = file.read(_MOST_BYTES)
    return any(_OPTION.search(section["options"]) for section in _INSTALL.finditer(text))
