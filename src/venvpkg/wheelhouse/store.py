"""The wheelhouse: vendor wheels by key. Read by many builds at once, written by one rename."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from venvpkg.errors import MachineError
from venvpkg.host.files import sha256_of
from venvpkg.model.wheels import Action, ReadyWheel
from venvpkg.wheelhouse.key import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from venvpkg.console import Report
    from venvpkg.wheelhouse.key import Json

_PROVENANCE = "provenance.json"
_FORMAT = 1


class Wheelhouse:
    """Vendor wheels of one platform, each in ``PLATFORM_TAG/KEY[:2]/KEY`` beside its provenance.

    Unfinished entries lie in ``.tmp``. Whoever writes holds a shared lock on ``.lock``; whoever gets it exclusively
    knows that nobody writes, and that all of ``.tmp`` was left by runs that were killed.

    Args:
        path: of the wheelhouse; made when the first wheel is published.
        platform_tag: of the target.
        report: hears of damaged entries.
    """

    def __init__(self, path: Path, platform_tag: str, report: Report) -> None:
        self._path = path
        self._shelf = path / platform_tag
        self._report = report

    def find(self, key: str) -> ReadyWheel | None:
        """Return the wheel of that key after checking it, or None.

        An entry that is not what its provenance says is moved to ``damaged``, for people to look at, and reported.
        """
        entry = self._entry(key)
        try:
            return _read_entry(entry, key)
        except FileNotFoundError:
            if not entry.is_dir():
                return None
            self._set_aside(entry, "a file of it is missing")
        except (ValueError, OSError) as error:
            self._set_aside(entry, str(error))
        return None

    def publish(self, wheel: Path, inputs: Mapping[str, Json], build: Mapping[str, Json]) -> ReadyWheel:
        """Put a finished wheel under the key of its inputs, whole or not at all.

        Another builder may have been first: then its wheel, made from the same inputs, is the one returned.

        Args:
            wheel: repacked; its name is the wheel's name.
            inputs: everything that could change it.
            build: what else people may ask about it; nothing of this machine.

        Raises:
            MachineError: the wheelhouse cannot be written.
        """
        key = key_of(inputs)
        provenance: dict[str, Json] = {
            "format": _FORMAT,
            "key": key,
            "wheel": {"filename": wheel.name, "sha256": sha256_of(wheel)},
            "build": dict(build),
            "inputs": dict(inputs),
        }
        try:
            with self._unfinished() as fresh:
                shutil.copyfile(wheel, fresh / wheel.name)
                (fresh / _PROVENANCE).write_text(json.dumps(provenance, indent=2, sort_keys=True) + "\n", "ascii")
                for path in (*fresh.iterdir(), fresh):
                    _to_disk(path)
                ready = self._rename(fresh, key)
        except OSError as error:
            error.filename, error.filename2 = str(self._path), None
            raise MachineError.of(
                error, resolution="Give the wheelhouse space and permission, or choose another with --wheelhouse."
            ) from error
        return replace(ready, origin=Action.COMPILE)

    def sweep(self) -> None:
        """Remove what killed runs left, unless somebody is writing now."""
        unfinished = self._path / ".tmp"
        if not unfinished.is_dir():
            return
        with contextlib.suppress(OSError), self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB):
            for left in unfinished.iterdir():
                shutil.rmtree(left, ignore_errors=True)

    def _entry(self, key: str) -> Path:
        return self._shelf / key[:2] / key

    def _rename(self, fresh: Path, key: str) -> ReadyWheel:
        entry = self._entry(key)
        entry.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(3):
            try:
                fresh.rename(entry)
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise
            else:
                _to_disk(entry.parent)
            # Ours, or that of a faster builder; a damaged one is set aside by find, and makes room for ours.
            ready = self.find(key)
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
            self._report.warn(f"wheelhouse entry {entry} is damaged ({why}), and stays there: {error.strerror}")
        else:
            self._report.warn(f"wheelhouse entry {entry} was damaged ({why}); it is now {place}")

    @contextlib.contextmanager
    def _unfinished(self) -> Iterator[Path]:
        with self._lock(fcntl.LOCK_SH):
            parent = self._path / ".tmp"
            parent.mkdir(exist_ok=True)
            fresh = Path(tempfile.mkdtemp(dir=parent))
            fresh.chmod(0o755)
            try:
                yield fresh
            finally:
                shutil.rmtree(fresh, ignore_errors=True)

    @contextlib.contextmanager
    def _lock(self, how: int) -> Iterator[None]:
        self._path.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._path / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, how)
            yield
        finally:
            os.close(lock)


def _read_entry(entry: Path, key: str) -> ReadyWheel:
    try:
        provenance = json.loads((entry / _PROVENANCE).read_bytes())
        filename, sha256 = str(provenance["wheel"]["filename"]), str(provenance["wheel"]["sha256"])
        name, version, _, _ = parse_wheel_filename(filename)
        inputs = cast("Mapping[str, Json]", provenance["inputs"])
        if provenance["format"] != _FORMAT or key_of(inputs) != key or "/" in filename:
            raise ValueError("its provenance is that of another wheel")
    except (KeyError, TypeError, AttributeError, RecursionError, InvalidWheelFilename) as error:
        raise ValueError("its provenance is malformed") from error
    path = entry / filename
    if sha256_of(path) != sha256:
        raise ValueError("its wheel does not have the sha256 of its provenance")
    return ReadyWheel(str(name), str(version), path, sha256, Action.REUSE, key)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
