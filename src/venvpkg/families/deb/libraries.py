"""What Debian packages say about the libraries they ship: symbols, shlibs, and the administrator's overrides."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from venvpkg.depends.derive import Clause, Library
from venvpkg.families.deb.owners import DATABASE
from venvpkg.families.deb.relations import MINVER, fewest, parse_relation, with_floor
from venvpkg.families.deb.symbols import damaged, parse_shlibs, parse_symbols, relations_for
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
# Some packages ship what a source package would have had substituted (krb5 in Debian 13).
_OWN_VERSION = re.compile(r"\$\{(?:binary:Version|Source-Version)\}")


class DebLibraries:
    """The OwnerIndex of a target with dpkg. Each file is read once, and only those of packages that matter."""

    def __init__(self, target: Target, owners: Owners) -> None:
        self._target = target
        self._owners = owners
        self._symbols: dict[PurePosixPath, Mapping[str, SonameSymbols]] = {}
        self._shlibs: dict[PurePosixPath, tuple[ShlibsEntry, ...]] = {}
        self._known: dict[tuple[str, tuple[PurePosixPath, ...]], Library | None] = {}

    def library(self, soname: str, places: Sequence[PurePosixPath]) -> Library | None:
        """Return what is known of the first place that a package knows something about.

        Of several copies on the search path the first one whose package tells its ABI is taken: a copy in
        ``/usr/local/lib`` is this machine's affair, and the one behind it the release's. Only where no package tells
        anything, the installed version of the first owner is the floor.

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
            parsed = self._read(file, self._symbols, parse_symbols)
            if parsed is None:
                continue
            if soname not in parsed:
                return None  # the first file there is speaks for the package
            said = parsed[soname]
            templates = [self._usable(each, owner, file) for each in said.templates]
            smallest = said.smallest()
            clauses = {
                (floor, number): tuple(Clause(template, floor) for template in templates[number])
                for floor, number in set(said.symbols.values())
            }
            return Library(
                place,
                owner,
                Source.SYMBOLS,
                tuple(Clause(template, smallest) for template in templates[0]),
                {symbol: clauses[which] for symbol, which in said.symbols.items()},
            )
        return None

    def _from_shlibs(self, soname: str, place: PurePosixPath, owner: str | None) -> Library | None:
        info = self._info(owner, "shlibs") if owner else ()
        for file in (CONFIGURATION / "shlibs.override", *info, CONFIGURATION / "shlibs.default"):
            entries = self._read(file, self._shlibs, parse_shlibs)
            relations = relations_for(soname, entries) if entries else None
            if relations is not None:
                usable = self._usable(relations, owner, file)
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

    def _usable(self, relations: Iterable[str], owner: str | None, file: PurePosixPath) -> tuple[str, ...]:
        """Return the relations without substitution variables.

        ``${binary:Version}`` is the owner's version there; in a control file of ours it would be ours.

        Raises:
            PackageDatabaseError: something else than a relation is left.
        """
        version = self._version(owner) if owner else None
        usable = []
        for relation in relations:
            text = _OWN_VERSION.sub(version, relation) if version else relation
            if parse_relation(with_floor(text, "1")) is None:
                raise damaged([f"{file}: no relation: {relation[:200]!r}"])
            usable.append(text)
        return tuple(usable)

    def _version(self, owner: str) -> str | None:
        return self._owners.versions.get(owner)

    def _info(self, owner: str, kind: str) -> tuple[PurePosixPath, ...]:
        """Return where dpkg may keep a control file: with the architecture for ``Multi-Arch: same``, else without."""
        bare = owner.partition(":")[0]
        return tuple(DATABASE / "info" / f"{name}.{kind}" for name in dict.fromkeys((owner, bare)))

    def _read(
        self,
        file: PurePosixPath,
        remembered: dict[PurePosixPath, _Parsed],
        parse: Callable[[str, PurePosixPath], _Parsed],
    ) -> _Parsed | None:
        """Return the parsed file, None when it is not there."""
        if file not in remembered:
            try:
                content = self._target.on_host(file).read_bytes()
            except FileNotFoundError:
                return None
            except OSError as error:
                raise damaged([f"{file}: cannot be read: {error.strerror}"]) from error
            remembered[file] = parse(content.decode("utf-8", "surrogateescape"), file)
        return remembered[file]
