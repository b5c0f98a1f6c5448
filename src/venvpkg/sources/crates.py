"""Find the Rust crates that a source needs but does not include, and fetch them before it is compiled."""

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
from venvpkg.host.oserrors import environment_error_in
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
_MOST_LISTED_CRATES = 3


def missing_crates(source: Path, system: BuildSystem) -> tuple[str, ...]:
    """Return the crates that cargo would have to fetch to build ``source``.

    A source includes crates in a directory that is set in its ``.cargo/config.toml`` (``cargo vendor``). If a file
    cannot be read, no crate counts as missing because of it: the compile itself then reports the problem.

    Args:
        source: directory of an unpacked sdist.
        system: its build system; one that does not run cargo needs no crates.

    Returns:
        Names and versions, ``pyo3 0.28.2``, sorted, without the source's own crates; empty if none is missing.

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
            return tuple(sorted(crate for crate in needed if not _is_vendored(crate, vendored)))
    return ()


def describe_missing_crates(crates: tuple[str, ...], source: str = "the sdist") -> str:
    """Return a clause with the number of the crates that a source does not include, and the names of the first few."""
    listed = ", ".join(crate.partition(" ")[0] for crate in crates[:_MOST_LISTED_CRATES])
    more = ", …" if len(crates) > _MOST_LISTED_CRATES else ""
    count = f"{len(crates)} of its Rust crates are" if len(crates) > 1 else "one of its Rust crates is"
    return f"{count} not in {source} ({listed}{more})"


def lock_files(source: Path) -> tuple[Path, ...]:
    """Return the ``Cargo.lock`` files that apply to ``source``, sorted: usually one, perhaps none."""
    return _topmost(source, "Cargo.lock", tuple(_vendored_directories(source)))


def _topmost(source: Path, name: str, vendored: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the workspace's own files of a name; deeper ones belong to its members or are test data."""
    files = [path for path in source.rglob(name) if not any(path.is_relative_to(each) for each in vendored)]
    top = min((len(path.parts) for path in files), default=0)
    return tuple(sorted(path for path in files if len(path.parts) == top))


def _vendored_directories(source: Path) -> Iterator[Path]:
    for name in _CONFIGURATIONS:
        for path in source.rglob(name):
            sources = _table(_toml(path), "source")
            for replacement in sources:
                directory = _table(sources, replacement).get("directory")
                # Relative to the parent of .cargo. A directory outside the sdist does not count.
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
                pass  # one of the source's own crates


def _required_crates(manifest: Mapping[str, object]) -> Iterator[str]:
    workspace = _table(manifest, "workspace")
    for table in (manifest, workspace):
        for kind in ("dependencies", "build-dependencies"):
            for name, wanted in _table(table, kind).items():
                if isinstance(wanted, str):
                    yield f"{name} {wanted}"
                elif isinstance(wanted, dict) and "path" not in wanted and "workspace" not in wanted:
                    yield f"{name} {wanted.get('version', '')}".rstrip()


def _is_vendored(crate: str, vendored: tuple[Path, ...]) -> bool:
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


# The release's cargo, because it also compiles afterwards and must understand what it fetched.
_CARGO: Final = "/usr/bin/cargo"
# Variables with the user's registries and credentials, in addition to the configuration in CARGO_HOME.
_PASSED_ON: Final = re.compile(r"CARGO_(HTTP_\w+|NET_\w+|REGISTR(Y|IES)_\w+)|SSH_AUTH_SOCK")
_DIRECTORY: Final = re.compile(r'^directory = ".*"$', re.MULTILINE)
_CHECKSUM: Final = re.compile(r"checksum for .* (changed|could not be calculated)|failed to verify the checksum")
_NO_NAMESPACES: Final = re.compile(r"^(unshare|setpriv|mount): ", re.MULTILINE)
_UNREACHABLE: Final = re.compile(
    r"curl failed|\[\d+\] |download of .* failed|failed to (fetch|download|connect)|Could not (resolve|connect)"
    r"|spurious network error|timed? ?out|HTTP response code"
)
_TIMEOUT_S: Final = 1800.0
# CARGO_HOME in the sandbox of the compile; RUSTFLAGS already maps its path in rustc's output.
_PLACE: Final = "home/.cargo"


class CratesError(Exception):
    """The crates of a source could not be fetched; the message is a one-line clause.

    Attributes:
        output: end of cargo's output; empty if cargo did not run.
    """

    def __init__(self, reason: str, output: str = "") -> None:
        super().__init__(reason)
        self.output = output


@dataclass(frozen=True, slots=True)
class CrateStore:
    """Store of vendored crates, by the hash of their Cargo.lock; each set is fetched once on this machine.

    Attributes:
        store: directory with one directory for each set.
        runner: runs the target's cargo.
        reporter: receives events.
        environ: the user's environ; cargo gets the variables with registries and credentials.
        offline: whether only crates that were fetched before may be used.
    """

    store: Path
    runner: Runner
    reporter: Reporter
    environ: Mapping[str, str]
    offline: bool = False

    def vendor(self, source: Path, title: str) -> Path:
        """Return a directory with ``crates/``, and a ``config.toml`` that makes cargo use them.

        Fetching runs none of the source's code. cargo uses only the user's settings: a replacement for crates.io, a
        proxy, a token. It verifies the crates against the checksums in the source's Cargo.lock.

        Args:
            source: directory of an unpacked source with a Cargo.lock.
            title: the source's name in messages.

        Raises:
            CratesError: the crates could not be fetched.
            MissingToolError: this user cannot create namespaces.
            DownloadError: the files of a registry do not match Cargo.lock, or a fetch is needed but ``offline`` is set.
        """
        locks = lock_files(source)
        if not locks:
            raise CratesError("there is no Cargo.lock to pin them")
        manifests = [lock.with_name("Cargo.toml") for lock in locks]
        if not all(manifest.is_file() for manifest in manifests):
            raise CratesError("there is no Cargo.toml next to its Cargo.lock")
        digest = hashlib.sha256()
        for lock in locks:
            digest.update(b"%s\0%s\0" % (os.fsencode(lock.relative_to(source)), lock.read_bytes()))
        place = self.store / digest.hexdigest()
        if not place.is_dir():
            if self.offline:
                raise DownloadError(
                    f"the Rust crates of {title} are not on this machine, and --offline is set.",
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
            home = self._find_cargo_home() or unfinished / "home"
            home.mkdir(exist_ok=True)
            done = self.runner.run(
                Command(
                    (_CARGO, "vendor", "--locked", "--versioned-dirs", "--respect-source-config",
                     "--manifest-path", first, *synced, str(MOUNTPOINT / "fresh" / "crates")),
                    cwd=MOUNTPOINT / "fresh",  # cargo reads settings in its working directory and the ones above
                    env={key: value for key, value in self.environ.items() if _PASSED_ON.fullmatch(key)}
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
                raise _error_from_output(done, title)
            count = sum(1 for _ in (fresh / "crates").iterdir())
            (fresh / "config.toml").write_text(
                _DIRECTORY.sub(f'directory = "{MOUNTPOINT / _PLACE}/crates"', done.text), "utf-8"
            )
            publish(fresh, place)
        self.reporter.step(f"fetched {count} Rust crate{'s' * (count != 1)} of {title}")

    def _find_cargo_home(self) -> Path | None:
        """Return the directory with the user's settings and cargo's cache, if it exists."""
        home = Path(self.environ.get("CARGO_HOME") or Path(self.environ.get("HOME", "")) / ".cargo")
        return home if home.is_absolute() and home.is_dir() else None


def copy_crates(vendored: Path, sandbox: BuildSandbox) -> None:
    """Copy vendored crates to the place where cargo looks for them in a sandbox."""
    shutil.copytree(vendored, sandbox / _PLACE, dirs_exist_ok=True)


def _error_from_output(done: Completed, title: str) -> Exception:
    if done.not_found:
        return CratesError("cargo, which could fetch them, is not installed")
    text = printable(done.errors, keep="\n").strip()
    refusal = environment_error_in(text)
    if refusal is not None:
        return refusal
    if _NO_NAMESPACES.search(text):
        return MissingToolError(
            [f"permission to create namespaces (for cargo): {text.splitlines()[-1][:200]}"],
            resolution="'venvpkg doctor' reports what to change.",
        )
    output = "\n".join(f"  {line.strip()}" for line in text.splitlines()[-12:] if line.strip())
    if _CHECKSUM.search(text):
        return DownloadError(
            f"the Rust crates of {title} do not match its Cargo.lock.",
            details=output,
            resolution="Find out whether the registry or the source is wrong.",
        )
    if _UNREACHABLE.search(text):
        return CratesError("cargo could not reach a registry that has them", output)
    last = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), done.outcome())
    return CratesError(f"cargo could not fetch them: {last[:200]}", output)
