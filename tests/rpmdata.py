"""What real rpm releases have: capabilities and their packages. Where it comes from, tests/data/rpm/README says."""

from __future__ import annotations

import lzma
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

DATA = Path(__file__).parent / "data" / "rpm"


@dataclass(frozen=True, slots=True)
class RealRelease:
    """A release's capabilities.

    Attributes:
        providers: capability to the packages that have it, sorted; empty where only its users are known.
    """

    providers: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, name: str) -> Self:
        """Return the release of that file."""
        found: dict[str, set[str]] = {}
        for capability, package, _ in _rows(DATA / f"{name}.tsv.xz"):
            found.setdefault(capability, set()).update({package} - {""})
        return cls({capability: tuple(sorted(packages)) for capability, packages in found.items()})

    @classmethod
    def el10(cls) -> Self:
        """Return AlmaLinux 10.0, with symbol versions."""
        return cls.read("almalinux-10.0-capabilities")

    @classmethod
    def tumbleweed(cls) -> Self:
        """Return openSUSE Tumbleweed of June 2023: sonames of shared libraries, without symbol versions."""
        return cls.read("opensuse-tumbleweed-20230604-sonames")

    @classmethod
    def mariner(cls) -> Self:
        """Return a small installation of CBL-Mariner 2.0, with symbol versions."""
        return cls.read("cbl-mariner-2.0-capabilities")

    def missing_prerequisites(self, capabilities: Iterable[str]) -> tuple[str, ...]:
        """Return those that this release does not have under that spelling, sorted, each once."""
        return tuple(sorted(set(capabilities).difference(self.providers)))


def el10_python_requires() -> Mapping[str, frozenset[str]]:
    """Return what the packages ``python3-*`` of AlmaLinux 10.0 require, by package."""
    return _grouped(DATA / "almalinux-10.0-requires.tsv.xz")


def vendor_wheel_requires() -> Mapping[str, frozenset[str]]:
    """Return what rpm finds in vendor wheels, by NAME-VERSION of the distribution."""
    return _grouped(DATA / "vendor-wheels-bookworm.tsv")


def soname_capability(soname: str) -> str:
    """Return the capability of a library in a 64-bit object."""
    return f"{soname}()(64bit)"


def _grouped(path: Path) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for key, value in _rows(path):
        found.setdefault(key, set()).add(value)
    return {key: frozenset(values) for key, values in found.items()}


def _rows(path: Path) -> Iterator[list[str]]:
    text = lzma.decompress(path.read_bytes()).decode() if path.suffix == ".xz" else path.read_text()
    for line in text.splitlines():
        if not line.startswith("#"):
            yield line.split("\t")
