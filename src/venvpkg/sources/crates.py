"""Rust crates that a source needs and does not bring: found in its Cargo.lock, fetched before the compile."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from venvpkg.errors import DownloadError, MissingToolError
from venvpkg.host.command import Bind, Command
from venvpkg.sources.build_sandbox import MOUNTPOINT
from venvpkg.store.directories import DirectoryStore, publish
from venvpkg.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from venvpkg.console import Reporter
    from venvpkg.host.command import Completed, Runner
    from venvpkg.sources.build_sandbox import BuildSandbox
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


# The release's own, which compiles afterwards: it must understand what it fetches.
_CARGO: Final = "/usr/bin/cargo"
# How the user tells cargo of registries and credentials, beside its configuration in CARGO_HOME.
_PASSED_ON: Final = re.compile(r"CARGO_(HTTP_\w+|NET_\w+|REGISTR(Y|IES)_\w+)|SSH_AUTH_SOCK")
_DIRECTORY: Final = re.compile(r'^directory = ".*"$', re.MULTILINE)
_CHECKSUM: Final = re.compile(r"checksum for .* (changed|could not be calculated)|failed to verify the checksum")
_NO_NAMESPACES: Final = re.compile(r"^(unshare|setpriv|mount): ", re.MULTILINE)
_UNREACHABLE: Final = re.compile(
    r"curl failed|\[\d+\] |download of .* failed|failed to (fetch|download|connect)|Could not (resolve|connect)"
    r"|spurious network error|timed? ?out|HTTP response code"
)
_TIMEOUT_S: Final = 1800.0
# In CARGO_HOME as the compile sees it; the paths in what rustc makes are mapped from there already.
_PLACE: Final = "home/.cargo"


class CratesError(Exception):
    """Why the crates of a source cannot be fetched: a clause of one line."""

    def __init__(self, why: str, told: str = "") -> None:
        super().__init__(why)
        self.told = told


@dataclass(frozen=True, slots=True)
class CrateStore:
    """Directories with the crates of a lock, each fetched once on this machine.

    Attributes:
        store: where they are kept, by the hash of the Cargo.lock.
        runner: runs the target's cargo.
        reporter: hears what happens.
        environment: the user's variables; those about registries are given to cargo.
        offline: use only what is there.
    """

    store: Path
    runner: Runner
    reporter: Reporter
    environment: Mapping[str, str]
    offline: bool = False

    def vendored(self, source: Path, title: str) -> Path:
        """Return a directory with ``crates/`` and the ``config.toml`` that makes cargo take them from there.

        cargo runs none of the source's code for it, and its settings are the user's alone: a registry that stands for
        crates.io, a proxy, a token. What it fetches has the checksums of the source's Cargo.lock.

        Args:
            source: unpacked, with a Cargo.lock.
            title: what people call it.

        Raises:
            CratesError: they cannot be fetched here.
            MissingToolError: this user cannot make namespaces.
            DownloadError: a registry gives something else than Cargo.lock names, or nothing must be fetched.
        """
        locks = lock_files(source)
        if not locks:
            raise CratesError("no Cargo.lock says which files these are")
        manifests = [lock.with_name("Cargo.toml") for lock in locks]
        if not all(manifest.is_file() for manifest in manifests):
            raise CratesError("there is no Cargo.toml beside its Cargo.lock")
        digest = hashlib.sha256()
        for lock in locks:
            digest.update(b"%s\0%s\0" % (os.fsencode(lock.relative_to(source)), lock.read_bytes()))
        place = self.store / digest.hexdigest()
        if not place.is_dir():
            if self.offline:
                raise DownloadError(
                    f"The Rust crates of {title} are not on this machine, and --offline forbids to fetch them.",
                    resolution="Run once without --offline.",
                )
            self._fetch(source, [manifest.relative_to(source) for manifest in manifests], place, title)
        return place

    def _fetch(self, source: Path, manifests: Sequence[Path], place: Path, title: str) -> None:
        store = DirectoryStore(self.store)
        store.sweep()
        with store.unfinished() as unfinished:
            fresh = unfinished / "fresh"
            fresh.mkdir()
            first, *more = (str(MOUNTPOINT / "src" / manifest) for manifest in manifests)
            synced = (word for manifest in more for word in ("--sync", manifest))
            home = self._home() or unfinished / "home"
            home.mkdir(exist_ok=True)
            done = self.runner.run(
                Command(
                    (_CARGO, "vendor", "--locked", "--versioned-dirs", "--respect-source-config",
                     "--manifest-path", first, *synced, str(MOUNTPOINT / "fresh" / "crates")),
                    cwd=MOUNTPOINT / "fresh",  # cargo reads the settings of the directory that it runs in, and above
                    env={key: value for key, value in self.environment.items() if _PASSED_ON.fullmatch(key)}
                    | {"PATH": "/usr/bin:/bin", "CARGO_TERM_COLOR": "never", "CARGO_HOME": str(MOUNTPOINT / "cargo")},
                    binds=(
                        Bind(source, MOUNTPOINT / "src", writable=False),
                        Bind(fresh, MOUNTPOINT / "fresh"),
                        Bind(home, MOUNTPOINT / "cargo"),
                    ),
                    timeout_s=_TIMEOUT_S,
                )
            )  # fmt: skip
            if not done.ok:
                raise _problem(done, title)
            count = sum(1 for _ in (fresh / "crates").iterdir())
            (fresh / "config.toml").write_text(
                _DIRECTORY.sub(f'directory = "{MOUNTPOINT / _PLACE}/crates"', done.text), "utf-8"
            )
            publish(fresh, place)
        self.reporter.step(f"fetched {count} Rust crate{'s' * (count != 1)} of {title}")

    def _home(self) -> Path | None:
        """Return the directory with the user's settings and cargo's own cache, if there is one."""
        home = Path(self.environment.get("CARGO_HOME") or Path(self.environment.get("HOME", "")) / ".cargo")
        return home if home.is_absolute() and home.is_dir() else None


def lay_crates(vendored: Path, sandbox: BuildSandbox) -> None:
    """Put crates where the programs of a sandbox look for them."""
    shutil.copytree(vendored, sandbox / _PLACE, dirs_exist_ok=True)


def _problem(done: Completed, title: str) -> Exception:
    if done.not_found:
        return CratesError("cargo is not installed, which could fetch them")
    text = printable(done.errors, keep="\n").strip()
    if _NO_NAMESPACES.search(text):
        return MissingToolError(
            [f"own namespaces for cargo: {text.splitlines()[-1][:200]}"],
            resolution="'venvpkg doctor' tells what to change.",
        )
    told = "\n".join(f"  {line.strip()}" for line in text.splitlines()[-12:] if line.strip())
    if _CHECKSUM.search(text):
        return DownloadError(
            f"The Rust crates of {title} are not those that its Cargo.lock names.",
            details=told,
            resolution="Find out whether the registry or the source is wrong.",
        )
    if _UNREACHABLE.search(text):
        return CratesError("cargo reaches no registry that has them", told)
    last = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), done.outcome())
    return CratesError(f"cargo cannot fetch them: {last[:200]}", told)
