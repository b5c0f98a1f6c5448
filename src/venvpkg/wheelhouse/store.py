"""The wheelhouse: vendor wheels by key. Read by many builds at once, written by one rename."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
import weakref
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvpkg.console import Work
from venvpkg.errors import MachineError
from venvpkg.host.files import sha256_of
from venvpkg.model.wheels import Action, ReadyWheel
from venvpkg.store.directories import DirectoryStore, publish
from venvpkg.store.filecache import key_of
from venvpkg.wheelhouse.entry import FORMAT, PROVENANCE, held, read_entry, read_shelf
from venvpkg.wheelhouse.key import same_but_for_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from venvpkg.console import Reporter
    from venvpkg.store.filecache import Json
    from venvpkg.wheelhouse.entry import Entry


class Wheelhouse:
    """Vendor wheels of one platform, each in ``PLATFORM_TAG/KEY[:2]/KEY`` beside its provenance.

    Entries are made as a ``DirectoryStore`` has it. Whoever uses one holds a shared lock on its provenance; whoever
    gets that exclusively may remove the entry.

    Args:
        path: of the wheelhouse; made when the first wheel is published.
        platform_tag: of the target.
        reporter: hears of damaged entries.
        accepts: other platform tags whose wheels serve the target too, best first.
    """

    def __init__(self, path: Path, platform_tag: str, reporter: Reporter, accepts: Iterable[str] = ()) -> None:
        self._path = path
        self._store = DirectoryStore(path)
        self._shelf = path / platform_tag
        self._reporter = reporter
        self._accepts = tuple(accepts)
        self._known: dict[str, tuple[Entry, ...]] = {}
        self._held: list[int] = []
        weakref.finalize(self, _let_go, self._held)

    def find(self, key: str) -> ReadyWheel | None:
        """Return the wheel of that key after checking it, or None; the accepted shelves are looked into last.

        An entry that is not what its provenance says is moved to ``damaged``, for people to look at, and reported.
        """
        return next((ready for each in self._entries(key) if (ready := self._sound(each)) is not None), None)

    def take(self, key: str) -> ReadyWheel | None:
        """Return what ``find`` does, and keep the entry from being removed as long as this object lives.

        The entry's provenance then has the time of its last use as its time of modification.
        """
        for entry in self._entries(key):
            descriptor = held(entry)
            ready = self._sound(entry)
            if descriptor is None:
                continue
            if ready is None:
                os.close(descriptor)
                continue
            self._held.append(descriptor)
            with contextlib.suppress(OSError):  # a wheelhouse that others may only read
                os.utime(descriptor)
            return ready
        return None

    def find_like(self, inputs: Mapping[str, Json]) -> Entry | None:
        """Return an entry on an accepted shelf with the same inputs but for the target's, or None.

        The first of the accepted tags wins, and of its entries the one that was published last. See
        ``key.same_but_for_target`` for what must be the same.
        """
        for tag in self._accepts:
            if tag not in self._known:
                self._known[tag] = tuple(read_shelf(self._path / tag, self._reporter))
            alike = [each for each in self._known[tag] if same_but_for_target(each.inputs, inputs)]
            for entry in sorted(alike, key=lambda each: (each.built, each.key), reverse=True):
                if self._sound(entry.directory) is not None:
                    return entry
        return None

    def publish(
        self, wheel: Path, inputs: Mapping[str, Json], build: Mapping[str, Json], debug: Path | None = None
    ) -> ReadyWheel:
        """Put a finished wheel under the key of its inputs, whole or not at all.

        Another builder may have been first: then its wheel, made from the same inputs, is the one returned.

        Args:
            wheel: repacked; its name is the wheel's name.
            inputs: everything that could change it.
            build: what else people may ask about it; nothing of this machine.
            debug: archive of its debug information; None when it has none.

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
        with self._told(), self._unfinished() as fresh:
            for file in (wheel, debug) if debug is not None else (wheel,):
                shutil.copyfile(file, fresh / file.name)
            (fresh / PROVENANCE).write_text(json.dumps(provenance, indent=2, sort_keys=True) + "\n", "ascii")
            ready = self._publish(fresh, key)
        return replace(ready, origin=Action.COMPILE)

    def require_writable(self) -> None:
        """See that wheels can be published, before hours of compiling.

        Raises:
            MachineError: the wheelhouse cannot be written.
        """
        with self._told(), self._unfinished():
            pass

    def sweep(self) -> None:
        """Remove what killed runs left, unless somebody is writing now."""
        self._store.sweep()

    def _entry(self, key: str) -> Path:
        return self._shelf / key[:2] / key

    def _entries(self, key: str) -> Iterator[Path]:
        yield self._entry(key)
        for tag in self._accepts:
            yield self._path / tag / key[:2] / key

    def _sound(self, entry: Path) -> ReadyWheel | None:
        """Return the wheel of an entry after checking it; None when it is not there, or now set aside."""
        try:
            return _checked(entry)
        except FileNotFoundError:
            if entry.is_dir():
                self._set_aside(entry, "a file of it is missing")
        except (ValueError, OSError) as error:
            self._set_aside(entry, str(error))
        return None

    def _publish(self, fresh: Path, key: str) -> ReadyWheel:
        entry = self._entry(key)
        for _ in range(3):
            publish(fresh, entry, durable=True)
            # Ours, or that of a faster builder; a damaged one is set aside by find, and makes room for ours.
            ready = self.take(key)
            if ready is not None:
                return ready
        raise OSError(errno.EEXIST, f"{entry} is damaged and cannot be moved away")

    def _set_aside(self, entry: Path, why: str) -> None:
        damaged = self._path / "damaged"
        try:
            damaged.mkdir(exist_ok=True)
            place = Path(tempfile.mkdtemp(prefix=f"{entry.name[:16]}-", dir=damaged)) / entry.name
            entry.rename(place)
        except FileNotFoundError:  # another reader was faster
            return
        except OSError as error:
            self._reporter.warn(f"wheelhouse entry {entry} is damaged ({why}), and stays there: {error.strerror}")
        else:
            self._reporter.warn(f"wheelhouse entry {entry} was damaged ({why}); it is now {place}")

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Tell of what the kernel refuses as of the wheelhouse, whichever file of it that was."""
        try:
            yield
        except OSError as error:
            error.filename, error.filename2 = str(self._path), None
            raise MachineError.of(
                error, resolution="Give the wheelhouse space and permission, or choose another with --wheelhouse."
            ) from error

    @contextlib.contextmanager
    def _unfinished(self) -> Iterator[Path]:
        told = f"waiting for another build, which has the lock on the wheelhouse {self._path}"
        with self._store.unfinished(self._reporter.task(Work.WAIT, told)) as fresh:
            fresh.chmod(0o755)
            yield fresh


def _checked(directory: Path) -> ReadyWheel:
    entry = read_entry(directory)
    if sha256_of(entry.wheel) != entry.sha256:
        raise ValueError("its wheel does not have the sha256 of its provenance")
    if entry.debug is not None and sha256_of(entry.debug) != entry.debug_sha256:
        raise ValueError("its debug information does not have the sha256 of its provenance")
    return ReadyWheel(entry.name, entry.version, entry.wheel, entry.sha256, Action.REUSE, entry.key, entry.debug)


def _let_go(descriptors: list[int]) -> None:
    while descriptors:
        os.close(descriptors.pop())
