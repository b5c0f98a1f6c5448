"""Find the relations for a library: from symbols and shlibs files of its package, and the administrator's overrides."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from venvpkg.depends.derive import Clause, Library
from venvpkg.families.deb.owners import DATABASE
from venvpkg.families.deb.relations import MINVER, fewest, parse_relation, with_floor
from venvpkg.families.deb.symbols import database_error, parse_shlibs, parse_symbols, relations_for
from venvpkg.families.deb.versions import is_higher, without_revision
from venvpkg.model.depends import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from venvpkg.depends.derive import Claim
    from venvpkg.families.deb.owners import Owners
    from venvpkg.families.deb.symbols import ShlibsEntry, SonameSymbols
    from venvpkg.model.depends import Dependency
    from venvpkg.model.target import Target


CONFIGURATION = PurePosixPath("/etc/dpkg")

_Parsed = TypeVar("_Parsed")
# Some packages ship variables that should have been substituted in the source package (krb5 in Debian 13).
_OWN_VERSION = re.compile(r"\$\{(?:binary:Version|Source-Version)\}")


class DebLibraries:
    """The OwnerIndex of a target with dpkg. Only the files of relevant packages are read, each once."""

    def __init__(self, target: Target, owners: Owners) -> None:
        self._target = target
        self._owners = owners
        self._symbols: dict[PurePosixPath, Mapping[str, SonameSymbols]] = {}
        self._shlibs: dict[PurePosixPath, tuple[ShlibsEntry, ...]] = {}
        self._known: dict[tuple[str, tuple[PurePosixPath, ...]], Library | None] = {}

    def library(self, soname: str, places: Sequence[PurePosixPath]) -> Library | None:
        """Return the library for a soname, from the first place whose package describes it; None without an owner.

        Of several copies on the search path, the first one whose package describes its ABI counts: a copy in
        ``/usr/local/lib`` only concerns this machine, and the next one is the release's. If no package describes it,
        the installed version of the first owner is the floor.

        Source:
            dpkg-shlibdeps(1): symbols files, shlibs.override, shlibs files, shlibs.default, in this order.
        """
        key = (soname, tuple(places))
        if key not in self._known:
            self._known[key] = self._find(soname, places)
        return self._known[key]

    def is_higher(self, version: str, than: str) -> bool:
        """Compare as dpkg does."""
        return is_higher(version, than)

    def dependencies(self, claims: Iterable[Claim]) -> tuple[Dependency, ...]:
        """Return the fewest relations that satisfy all claims."""
        return fewest(claims)

    def _find(self, soname: str, places: Sequence[PurePosixPath]) -> Library | None:
        owned = [(place, owner) for place in places for owner in self._owners.of(place) or (None,)]
        for place, owner in owned:
            found = self._from_symbols(soname, place, owner) if owner else None
            found = found or self._from_shlibs(soname, place, owner)
            if found is not None:
                return found
        for place, owner in owned:
            if owner is not None:
                return self._from_version(soname, place, owner)
        return None

    def _from_symbols(self, soname: str, place: PurePosixPath, owner: str) -> Library | None:
        bare = owner.partition(":")[0]
        overrides = CONFIGURATION / "symbols"
        for file in (
            overrides / f"{bare}.symbols.{self._target.architecture}",
            overrides / f"{bare}.symbols",
            *self._info(owner, "symbols"),
        ):
            parsed = self._parse_once(file, self._symbols, parse_symbols)
            if parsed is None:
                continue
            if soname not in parsed:
                return None  # only the first existing file counts
            entry = parsed[soname]
            templates = [self._substitute_version(each, owner, file) for each in entry.templates]
            smallest = entry.smallest()
            clauses = {
                (floor, number): tuple(Clause(template, floor) for template in templates[number])
                for floor, number in set(entry.symbols.values())
            }
            return Library(
                place,
                owner,
                Source.SYMBOLS,
                tuple(Clause(template, smallest) for template in templates[0]),
                {symbol: clauses[which] for symbol, which in entry.symbols.items()},
            )
        return None

    def _from_shlibs(self, soname: str, place: PurePosixPath, owner: str | None) -> Library | None:
        info = self._info(owner, "shlibs") if owner else ()
        for file in (CONFIGURATION / "shlibs.override", *info, CONFIGURATION / "shlibs.default"):
            entries = self._parse_once(file, self._shlibs, parse_shlibs)
            relations = relations_for(soname, entries) if entries else None
            if relations is not None:
                usable = self._substitute_version(relations, owner, file)
                return Library(place, owner, Source.SHLIBS, tuple(Clause(each, None) for each in usable), {})
        return None

    def _from_version(self, soname: str, place: PurePosixPath, owner: str) -> Library:
        bare = owner.partition(":")[0]
        version = self._version(owner)
        floor = without_revision(version) if version else None
        return Library(
            place,
            owner,
            Source.OWNER,
            (Clause(f"{bare} {MINVER}", floor),),
            {},
            warning=f"{bare} says nothing about the ABI of its {soname}: the installed version {floor} is the floor",
        )

    def _substitute_version(self, relations: Iterable[str], owner: str | None, file: PurePosixPath) -> tuple[str, ...]:
        """Return the relations without substitution variables.

        ``${binary:Version}`` means the owner's version here; in a control file of ours it would mean ours.

        Raises:
            PackageDatabaseError: the result is not a valid relation.
        """
        version = self._version(owner) if owner else None
        usable = []
        for relation in relations:
            text = _OWN_VERSION.sub(version, relation) if version else relation
            if parse_relation(with_floor(text, "1")) is None:
                raise database_error([f"{file}: not a valid relation: {relation[:200]!r}"])
            usable.append(text)
        return tuple(usable)

    def _version(self, owner: str) -> str | None:
        return self._owners.versions.get(owner)

    def _info(self, owner: str, kind: str) -> tuple[PurePosixPath, ...]:
        """Return the possible paths of a control file; only ``Multi-Arch: same`` has the architecture in the name."""
        bare = owner.partition(":")[0]
        return tuple(DATABASE / "info" / f"{name}.{kind}" for name in dict.fromkeys((owner, bare)))

    def _parse_once(
        self,
        file: PurePosixPath,
        parsed: dict[PurePosixPath, _Parsed],
        parse: Callable[[str, PurePosixPath], _Parsed],
    ) -> _Parsed | None:
        """Return the parsed file, or None if it does not exist."""
        if file not in parsed:
            try:
                content = self._target.on_host(file).read_bytes()
            except FileNotFoundError:
                return None
            except OSError as error:
                raise database_error([f"{file}: cannot be read: {error.strerror}"]) from error
            parsed[file] = parse(content.decode("utf-8", "surrogateescape"), file)
        return parsed[file]
