"""The wheelhouse: vendor wheels by key. Many builds may read it at once; entries are added by one rename."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shlex
import shutil
import tempfile
import weakref
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvpkg.console import Work
from venvpkg.errors import MachineError
from venvpkg.host.files import sha256_of
from venvpkg.host.oserrors import is_environment_error
from venvpkg.model.wheels import Action, ReadyWheel
from venvpkg.store.directories import DirectoryStore, move_directory, publish
from venvpkg.store.filecache import key_of
from venvpkg.wheelhouse.entry import DAMAGED, FORMAT, PROVENANCE, lock_entry, read_entry, read_shelf, require_intact
from venvpkg.wheelhouse.key import same_but_for_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from venvpkg.console import Reporter
    from venvpkg.store.filecache import Json
    from venvpkg.wheelhouse.entry import Entry


class Wheelhouse:
    """Store of vendor wheels for one platform, each in ``PLATFORM_TAG/KEY[:2]/KEY`` next to its provenance.

    Entries are created with a ``DirectoryStore``. A user of an entry holds a shared lock on its provenance. Only the
    holder of an exclusive lock may remove the entry.

    Args:
        path: directory of the wheelhouse; created when the first wheel is published.
        platform_tag: the target's platform tag.
        reporter: receives warnings about damaged entries.
        accepts: other platform tags whose wheels can be used on the target, best first.
    """

    def __init__(self, path: Path, platform_tag: str, reporter: Reporter, accepts: Iterable[str] = ()) -> None:
        self._path = path
        self._store = DirectoryStore(path)
        self._shelf = path / platform_tag
        self._reporter = reporter
        self._accepts = tuple(accepts)
        self._known: dict[str, tuple[Entry, ...]] = {}
        self._held: list[int] = []
        weakref.finalize(self, _close_all, self._held)

    def find(self, key: str) -> ReadyWheel | None:
        """Return the wheel with a key after checking it, or None. The accepted platform tags are searched last.

        An entry that does not match its provenance is reported, and moved to ``damaged`` for inspection.
        """
        return next((ready for each in self._entries(key) if (ready := self._check_entry(each)) is not None), None)

    def take(self, key: str) -> ReadyWheel | None:
        """Return the same as ``find``, and protect the entry from removal during the lifetime of this object.

        The time of the entry's last use is kept as the modification time of its provenance.
        """
        for entry in self._entries(key):
            descriptor = lock_entry(entry)
            try:
                ready = self._check_entry(entry)
            except OSError:
                _close_all([descriptor] if descriptor is not None else [])
                raise
            if descriptor is None:
                continue
            if ready is None:
                os.close(descriptor)
                continue
            self._held.append(descriptor)
            with contextlib.suppress(OSError):  # the wheelhouse may be read-only
                os.utime(descriptor)
            return ready
        return None

    def find_like(self, inputs: Mapping[str, Json]) -> Entry | None:
        """Return an entry of an accepted platform tag with the same inputs, apart from the target's, or None.

        The first accepted tag wins, and of its entries the last that was published. See ``key.same_but_for_target`` for
        the inputs that must be equal.
        """
        for tag in self._accepts:
            if tag not in self._known:
                self._known[tag] = tuple(read_shelf(self._path / tag, self._reporter))
            alike = [each for each in self._known[tag] if same_but_for_target(each.inputs, inputs)]
            for entry in sorted(alike, key=lambda each: (each.built, each.key), reverse=True):
                if self._check_entry(entry.directory) is not None:
                    return entry
        return None

    def publish(
        self, wheel: Path, inputs: Mapping[str, Json], build: Mapping[str, Json], debug: Path | None = None
    ) -> ReadyWheel:
        """Add a finished wheel under the key of its inputs, whole or not at all, and return it.

        If another build was faster, its wheel from the same inputs is returned instead.

        Args:
            wheel: the repacked wheel, under its own name.
            inputs: everything that can change the wheel.
            build: further information about the build, but none about this machine.
            debug: archive of its debug information; None if it has none.

        Raises:
            MachineError: the wheelhouse cannot be written.
        """
        key = key_of(inputs)
        provenance: dict[str, Json] = {
            "format": FORMAT,
            "key": key,
            "wheel": {"filename": wheel.name, "sha256": sha256_of(wheel)},
            "build": dict(build),
            "inputs": dict(inputs),
        }
        if debug is not None:
            provenance["debug"] = {"filename": debug.name, "sha256": sha256_of(debug)}
        with self._as_machine_error(), self._unfinished() as fresh:
            for file in (wheel, debug) if debug is not None else (wheel,):
                shutil.copyfile(file, fresh / file.name)
            (fresh / PROVENANCE).write_text(json.dumps(provenance, indent=2, sort_keys=True) + "\n", "ascii")
            ready = self._publish(fresh, key)
        return replace(ready, origin=Action.COMPILE)

    def require_writable(self) -> None:
        """Check that wheels can be published, before hours of compiling.

        Raises:
            MachineError: the wheelhouse cannot be written.
        """
        with self._as_machine_error(), self._unfinished():
            pass

    def require_free(self, key: str) -> None:
        """Check that a wheel can be published under a key, before it is compiled.

        Raises:
            MachineError: the key has a damaged entry that could not be set aside.
        """
        entry = self._entry(key)
        if entry.exists() and self._check_entry(entry) is None and entry.exists():
            raise MachineError(
                f"wheelhouse entry {entry} is damaged and could not be moved away.",
                resolution=f"Remove it as a user with permission: rm -r {shlex.quote(str(entry))}\n"
                "Or choose another wheelhouse with --wheelhouse.",
            )

    def sweep(self) -> None:
        """Remove leftovers of killed runs, unless another run is writing."""
        self._store.sweep()

    def _entry(self, key: str) -> Path:
        return self._shelf / key[:2] / key

    def _entries(self, key: str) -> Iterator[Path]:
        yield self._entry(key)
        for tag in self._accepts:
            yield self._path / tag / key[:2] / key

    def _check_entry(self, entry: Path) -> ReadyWheel | None:
        """Return the wheel of an entry after checking it; None if it does not exist, or is damaged and set aside.

        Raises:
            OSError: this user may not read it, or the disk fails; that is not damage.
        """
        try:
            return _read_wheel(entry)
        except FileNotFoundError:
            if entry.is_dir():
                self._set_aside(entry, "a file of it is missing")
        except (ValueError, OSError) as error:
            if is_environment_error(error):
                raise
            self._set_aside(entry, str(error))
        return None

    def _publish(self, fresh: Path, key: str) -> ReadyWheel:
        entry = self._entry(key)
        for _ in range(3):
            publish(fresh, entry, durable=True)
            # Ours, or that of a faster build. A damaged one has been set aside by take, which makes room for ours.
            ready = self.take(key)
            if ready is not None:
                return ready
        raise OSError(errno.EEXIST, f"{entry} is damaged and could not be moved away")

    def _set_aside(self, entry: Path, why: str) -> None:
        damaged = self._path / DAMAGED
        try:
            damaged.mkdir(exist_ok=True)
            place = Path(tempfile.mkdtemp(prefix=f"{entry.name[:16]}-", dir=damaged)) / entry.name
            move_directory(entry, place)
        except FileNotFoundError:  # another reader was faster
            return
        except OSError as error:
            self._reporter.warn(
                f"wheelhouse entry {entry} is damaged ({why}) and could not be moved away: {error.strerror}"
            )
        else:
            self._reporter.warn(f"wheelhouse entry {entry} was damaged ({why}); it is now {place}")

    @contextlib.contextmanager
    def _as_machine_error(self) -> Iterator[None]:
        """Turn an OSError into a MachineError about the wheelhouse, whichever of its files failed."""
        try:
            yield
        except OSError as error:
            error.filename, error.filename2 = str(self._path), None
            raise MachineError.of(
                error, resolution="Give the wheelhouse space and permissions, or choose another with --wheelhouse."
            ) from error

    @contextlib.contextmanager
    def _unfinished(self) -> Iterator[Path]:
        waiting = f"waiting for another build, which has the lock on the wheelhouse {self._path}"
        with self._store.unfinished(self._reporter.task(Work.WAIT, waiting)) as fresh:
            fresh.chmod(0o755)
            yield fresh


def _read_wheel(directory: Path) -> ReadyWheel:
    entry = read_entry(directory)
    require_intact(entry)
    return ReadyWheel(entry.name, entry.version, entry.wheel, entry.sha256, Action.REUSE, entry.key, entry.debug)


def _close_all(descriptors: list[int]) -> None:
    while descriptors:
        os.close(descriptors.pop())
