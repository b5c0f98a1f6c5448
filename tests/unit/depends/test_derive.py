"""From needs and owners to relations, by an index that knows what the test tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from venvpkg.depends.derive import Claim, Clause, Library, derive
from venvpkg.errors import UnownedSonameError
from venvpkg.families.deb.relations import fewest
from venvpkg.families.deb.versions import is_higher
from venvpkg.model.depends import Dependency, DependencySet, Source
from venvpkg.model.elf import Abi, ElfKind, ElfObject, ElfReport, Found, Need, ResolvedNeed, Symbol, SymbolVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

X86_64 = Abi(64, little_endian=True, machine=62, flags=0)
SSL = PurePosixPath("/opt/app/_ssl.so")
NET = PurePosixPath("/opt/app/_net.so")


@dataclass
class StaticIndex:
    """An OwnerIndex that spells relations as Debian does."""

    libraries: dict[str, Library] = field(default_factory=dict)

    def library(self, soname: str, places: Sequence[PurePosixPath]) -> Library | None:
        return self.libraries.get(soname) if places else None

    def is_higher(self, version: str, than: str) -> bool:
        return is_higher(version, than)

    def dependencies(self, claims: Iterable[Claim]) -> tuple[Dependency, ...]:
        return fewest(claims)


def library(package: str, base: str | None = None, source: Source = Source.SYMBOLS, **symbols: str) -> Library:
    """Return a library; ``memcpy__V2="2.14"`` is the floor of ``memcpy@V2``."""
    template = f"{package} #MINVER#"
    return Library(
        PurePosixPath(f"/lib/{package}.so"),
        package,
        source,
        (Clause(template, base),),
        {name.replace("__", "@"): (Clause(template, floor),) for name, floor in symbols.items()},
    )


def elf(path: PurePosixPath, *needed: str, undefined: Sequence[str] = (), versions: Sequence[str] = ()) -> ElfObject:
    return ElfObject(
        path,
        X86_64,
        ElfKind.SHARED,
        needed=needed,
        undefined=tuple(Symbol(each.partition("@")[0], each.partition("@")[2]) for each in undefined),
        symbol_versions=tuple(SymbolVersion(*each.split("/")) for each in versions),
    )


def derived(index: StaticIndex, *objects: ElfObject, found: Found = Found.TARGET) -> DependencySet:
    needs = [
        ResolvedNeed(
            Need(soname, each.path), found, () if found is Found.MISSING else (PurePosixPath("/lib") / soname,)
        )
        for each in objects
        for soname in each.needed
    ]
    return derive(ElfReport(objects), needs, index, {SSL: "cryptography"})


def test_two_sonames_of_one_package_become_one_dependency() -> None:
    index = StaticIndex({"libssl.so.3": library("libssl3", "3.0.0"), "libcrypto.so.3": library("libssl3", "3.0.0")})

    (only,) = derived(index, elf(SSL, "libssl.so.3", "libcrypto.so.3")).dependencies

    assert only.relation == "libssl3 (>= 3.0.0)"
    assert sorted(each.soname or "" for each in only.evidence) == ["libcrypto.so.3", "libssl.so.3"]


def test_the_highest_floor_of_any_symbol_is_the_floor_and_its_symbol_is_the_evidence() -> None:
    index = StaticIndex({"libc.so.6": library("libc6", "2.2.5", read__V1="2.2.5", poll__V2="2.34", open__V3="2.4")})

    (only,) = derived(
        index, elf(NET, "libc.so.6", undefined=["open@V3"]), elf(SSL, "libc.so.6", undefined=["read@V1", "poll@V2"])
    ).dependencies

    assert only.relation == "libc6 (>= 2.34)"
    first, second = only.evidence
    assert (first.needed_by, first.symbol, first.floor, first.distribution) == (SSL, "poll@V2", "2.34", "cryptography")
    assert (second.needed_by, second.symbol, second.floor, second.distribution) == (NET, "open@V3", "2.4", None)


def test_a_library_none_of_whose_symbols_is_used_is_needed_all_the_same() -> None:
    index = StaticIndex({"libz.so.1": library("zlib1g", "1:1.1.4", inflate__Base="1:1.2.0")})

    (only,) = derived(index, elf(SSL, "libz.so.1", undefined=["PyLong_FromLong@Base"])).dependencies

    assert (only.relation, only.evidence[0].symbol) == ("zlib1g (>= 1:1.1.4)", None)


def test_a_symbol_counts_for_the_first_needed_library_that_has_it() -> None:
    index = StaticIndex({"liba.so": library("a", "1", f__Base="2"), "libb.so": library("b", "1", f__Base="3")})

    assert derived(index, elf(SSL, "libb.so", "liba.so", undefined=["f@Base"])).relations() == ("a (>= 1)", "b (>= 3)")


def test_a_version_that_no_symbol_is_bound_to_sets_the_floor() -> None:
    index = StaticIndex({"libc.so.6": library("libc6", "2.2.5", GLIBC_ABI_DT_RELR__GLIBC_ABI_DT_RELR="2.36")})

    (only,) = derived(index, elf(SSL, "libc.so.6", versions=["libc.so.6/GLIBC_ABI_DT_RELR"])).dependencies

    assert only.relation == "libc6 (>= 2.36)"


@pytest.mark.parametrize("found", [Found.SELF, Found.PRELOAD])
def test_what_the_payload_has_itself_needs_no_package(found: Found) -> None:
    index = StaticIndex({"libgomp.so.1": library("libgomp1", "6")})

    assert derived(index, elf(SSL, "libgomp.so.1"), found=found).dependencies == ()


def test_every_unowned_soname_is_reported_at_once() -> None:
    with pytest.raises(UnownedSonameError) as caught:
        derived(StaticIndex(), elf(NET, "liby.so.1"), elf(SSL, "libx.so.1"))

    assert [need.soname for need in caught.value.needs] == ["libx.so.1", "liby.so.1"]
    assert "libx.so.1, for /opt/app/_ssl.so (found at /lib/libx.so.1, which no package ships)" in str(caught.value)


def test_a_missing_soname_is_reported_without_a_place() -> None:
    with pytest.raises(UnownedSonameError) as caught:
        derived(StaticIndex({"libx.so.1": library("x")}), elf(SSL, "libx.so.1"), found=Found.MISSING)

    assert "libx.so.1, for /opt/app/_ssl.so\n" in str(caught.value)


def test_private_symbols_are_told() -> None:
    index = StaticIndex({"libc.so.6": library("libc6", "2.2.5")})

    result = derived(index, elf(SSL, "libc.so.6", versions=["libc.so.6/GLIBC_PRIVATE"]))

    assert len(result.warnings) == 1
    assert "GLIBC_PRIVATE" in result.warnings[0]
