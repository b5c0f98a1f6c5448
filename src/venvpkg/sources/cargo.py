"""Fetch the Rust crates that a source's Cargo.lock names, before the compile, which has no network."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from venvpkg.errors import DownloadError, MissingToolError
from venvpkg.host.runner import Bind, Command
from venvpkg.sources.build_sandbox import MOUNTPOINT
from venvpkg.sources.crates import lock_files
from venvpkg.store.directories import DirectoryStore, publish
from venvpkg.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from venvpkg.console import Reporter
    from venvpkg.host.runner import Completed, Runner
    from venvpkg.sources.build_sandbox import BuildSandbox


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
