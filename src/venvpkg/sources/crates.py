"""Which Rust crates a source needs and does not bring. Reads an unpacked sdist, which is outside input."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from venvpkg.sources.build_system import BuildSystem


# Build requirements that run cargo.
_RUST_BUILDERS = frozenset({"maturin", "setuptools-rust"})
_CONFIGURATIONS = (".cargo/config.toml", ".cargo/config")
_LARGEST_BYTES = 16 << 20
_NAMED_CRATES = 3


def absent_crates(source: Path, system: BuildSystem) -> tuple[str, ...]:
    """Return the crates that cargo would have to fetch to build ``source``.

    A source brings crates in a directory that its ``.cargo/config.toml`` names (``cargo vendor``). What cannot be read
    counts as brought: then the compile itself tells what is wrong, and nothing is decided on a guess.

    Args:
        source: an unpacked sdist.
        system: its build system; one that does not run cargo needs no crates.

    Returns:
        ``pyo3 0.28.2`` each, sorted, without the crates of the source itself; empty when nothing is absent.

    Source:
        The Cargo Book: "Cargo.toml vs Cargo.lock", "Source Replacement", "Configuration".
    """
    if _RUST_BUILDERS.isdisjoint(canonicalize_name(Requirement(each).name) for each in system.requires):
        return ()
    vendored = tuple(_vendored_directories(source))
    for name, crates_of in (("Cargo.lock", _locked_crates), ("Cargo.toml", _required_crates)):
        files = _topmost(source, name, vendored)
        if files:
            needed = {crate for path in files for crate in crates_of(_toml(path))}
            return tuple(sorted(crate for crate in needed if not _is_brought(crate, vendored)))
    return ()


def absence(crates: tuple[str, ...], source: str = "the sdist") -> str:
    """Return a clause that tells which crates a source does not bring; the first few by name."""
    named = ", ".join(crate.partition(" ")[0] for crate in crates[:_NAMED_CRATES])
    more = ", …" if len(crates) > _NAMED_CRATES else ""
    count = f"{len(crates)} of its Rust crates are" if len(crates) > 1 else "one of its Rust crates is"
    return f"{count} not in {source} ({named}{more})"


def lock_files(source: Path) -> tuple[Path, ...]:
    """Return the files ``Cargo.lock`` that count for ``source``, sorted; usually one, and none where it has none."""
    return _topmost(source, "Cargo.lock", tuple(_vendored_directories(source)))


def _topmost(source: Path, name: str, vendored: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the workspace's own files of that name; deeper ones are members, which it covers, or data of tests."""
    files = [path for path in source.rglob(name) if not any(path.is_relative_to(each) for each in vendored)]
    top = min((len(path.parts) for path in files), default=0)
    return tuple(sorted(path for path in files if len(path.parts) == top))


def _vendored_directories(source: Path) -> Iterator[Path]:
    for name in _CONFIGURATIONS:
        for path in source.rglob(name):
            sources = _table(_toml(path), "source")
            for replacement in sources:
                directory = _table(sources, replacement).get("directory")
                # Relative to the directory that has .cargo; one outside the sdist is not the sdist's.
                if isinstance(directory, str) and "\0" not in directory:
                    found = path.parent.parent / directory
                    if found.resolve().is_relative_to(source.resolve()) and found.is_dir():
                        yield found


def _locked_crates(lock: Mapping[str, object]) -> Iterator[str]:
    packages = lock.get("package")
    for package in packages if isinstance(packages, list) else ():
        match package:
            case {"name": str(name), "version": str(version), "source": str()}:
                yield f"{name} {version}"
            case _:
                pass  # a crate of the source itself


def _required_crates(manifest: Mapping[str, object]) -> Iterator[str]:
    workspace = _table(manifest, "workspace")
    for table in (manifest, workspace):
        for kind in ("dependencies", "build-dependencies"):
            for name, wanted in _table(table, kind).items():
                if isinstance(wanted, str):
                    yield f"{name} {wanted}"
                elif isinstance(wanted, dict) and "path" not in wanted and "workspace" not in wanted:
                    yield f"{name} {wanted.get('version', '')}".rstrip()


def _is_brought(crate: str, vendored: tuple[Path, ...]) -> bool:
    name, _, version = crate.partition(" ")
    if "/" in crate or "\0" in crate:
        return False
    return any((each / folder / "Cargo.toml").is_file() for each in vendored for folder in (name, f"{name}-{version}"))


def _table(document: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _toml(path: Path) -> Mapping[str, object]:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            return {}
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return {}
