"""What a caller of the API chooses for a command, checked, and the sessions that follow from it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from venvpkg.console import Reporter
from venvpkg.console.events import EventReporter, Quiet
from venvpkg.context import Session
from venvpkg.errors import ConfigurationError
from venvpkg.host.oserrors import require_utf8_names
from venvpkg.host.runner import SubprocessRunner
from venvpkg.lock.lockfile import LockfileStore
from venvpkg.store.dirs import Dirs
from venvpkg.targets.selection import Selection, parse_selection, short_names
from venvpkg.wheelbuild.pool import Pool, default_jobs

if TYPE_CHECKING:
    from collections.abc import Sequence

OnEvent: TypeAlias = Callable[[Mapping[str, object]], None] | Reporter | None


@dataclass(frozen=True, slots=True)
class Options:
    """Options that commands share, under the names that they have on the command line.

    Attributes:
        targets: targets to build for, as for ``--target``: ``host``, ``debian:trixie``, ``root:DIR``.
        out: directory for packages; created if it does not exist.
        wheelhouse: directory of the vendor wheels; None for the user's.
        cache: directory of downloads, build roots and logs; None for the user's.
        compatibility_file: the site's binary-compatibility.cfg; None for the wheelhouse's own.
        jobs: number of parallel compile jobs; None for one per core and GiB of memory.
        offline: do not use the network.
        locked: fail if the lockfile is missing or out of date, instead of resolving.
        environ: environment variables; by default those of this process.
    """

    targets: Sequence[str | Selection] = ("host",)
    out: Path | str = Path("dist")
    wheelhouse: Path | str | None = None
    cache: Path | str | None = None
    compatibility_file: Path | str | None = None
    jobs: int | None = None
    offline: bool = False
    locked: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    def selections(self) -> tuple[Selection, ...]:
        """Return the parsed targets, each once.

        Raises:
            ConfigurationError: there are none, or some are not targets.
        """
        problems, selections = [], []
        if isinstance(self.targets, str):
            problems.append(f"targets: {self.targets!r} is text; expected a sequence, such as [{self.targets!r}]")
        elif not self.targets:
            problems.append("targets: at least one is needed, such as 'host'")
        else:
            for each in self.targets:
                try:
                    selections.append(each if isinstance(each, Selection) else parse_selection(each))
                except ValueError as error:
                    problems.append(f"targets: {error}")
        if self.jobs is not None and self.jobs < 1:
            problems.append(f"jobs: {self.jobs} is not a positive number")
        if problems:
            raise ConfigurationError("Options", problems, resolution="Fix these arguments.")
        return tuple(dict.fromkeys(selections))


def sessions_of(options: Options, on_event: OnEvent) -> tuple[Session, ...]:
    """Return a session for each target. Several have a runner each, so that one target can be stopped alone."""
    require_utf8_names(sys.getfilesystemencoding())
    selections = options.selections()
    first = Session(
        host=SubprocessRunner(options.environ),
        reporter=reporter_of(on_event),
        dirs=Dirs.of_user(wheelhouse=options.wheelhouse, cache=options.cache),
        environ=dict(options.environ),
        pool=Pool(options.jobs or default_jobs()),
        offline=options.offline,
        selection=selections[0],
        lockfiles=LockfileStore(),
        compatibility_file=Path(options.compatibility_file).absolute() if options.compatibility_file else None,
    )
    if len(selections) == 1:
        return (first,)
    labels = zip(selections, short_names(selections), strict=True)
    return tuple(_session_of_target(first, each, label) for each, label in labels)


def only_session(options: Options | None, on_event: OnEvent) -> Session:
    """Return the session of the only target.

    Raises:
        ConfigurationError: there are several.
    """
    sessions = sessions_of(options or Options(), on_event)
    if len(sessions) > 1:
        names = ", ".join(str(each.selection) for each in sessions)
        raise ConfigurationError("Options", [f"targets: expected one target, got {len(sessions)}: {names}"])
    return sessions[0]


def reporter_of(on_event: OnEvent) -> Reporter:
    """Return a reporter that gives the events to a callable; without one, they go nowhere."""
    if on_event is None:
        return Quiet()
    return EventReporter(on_event) if callable(on_event) else on_event


def _session_of_target(first: Session, selection: Selection, label: str) -> Session:
    host = SubprocessRunner(first.environ)
    reporter = first.reporter.for_target(str(selection), label, lambda: host.is_stopped)
    return replace(first, selection=selection, host=host, reporter=reporter)
