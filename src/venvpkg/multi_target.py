"""One build for several targets, at once: a target that fails does not stop the others."""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from venvpkg import pipeline
from venvpkg.errors import AssembleError, MachineError, SeveralTargetsError, VenvpkgError, is_our_mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from venvpkg.context import Session
    from venvpkg.model.package import Artifact
    from venvpkg.model.project import Project
    from venvpkg.targets.selection import Selection


_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one target: a package, or an error."""

    target: Selection
    elapsed_s: float
    artifact: Artifact | None = None
    error: VenvpkgError | None = None

    @property
    def summary(self) -> str:
        """One line about the target in the summary of the build."""
        if self.artifact is not None:
            size = f"{self.artifact.size_bytes / 1e6:.1f} MB"
            return f"{self.artifact.path.name}, {size}, {self.elapsed_s:.1f} s"
        if self.error is None:
            raise ValueError("neither a package nor an error")
        return f"failed with {self.error.exit_code}: {self.error.brief}"


def build_for_each(
    project: Project,
    destination: Path,
    sessions: Sequence[Session],
    tell_failure: Callable[[str, VenvpkgError], None],
    *,
    locked: bool,
) -> tuple[Outcome, ...]:
    """Build for all targets at once, and return what came of each, in their order.

    Each has a thread, which mostly waits: for its turn with the locks, for its root to be made, and for its wheels,
    which are compiled in the one pool that the sessions share. An interrupt, or a bug, ends all.
    """

    def built(session: Session) -> Outcome:
        outcome = _outcome(project, destination, session, locked=locked)
        if outcome.error is not None and not session.host.is_stopped:
            tell_failure(str(outcome.target), outcome.error)
        return outcome

    futures: list[Future[Outcome]] = []
    try:
        futures.extend(_started(partial(built, session), str(session.selection)) for session in sessions)
        for future in wait(futures, return_when=FIRST_EXCEPTION).done:
            future.result()
    except BaseException:
        for session in sessions:
            session.stop()
        # So that each removes what it has on disk. What waits for a silent server is left: the next run removes that.
        wait(futures, timeout=_PATIENCE_S)
        raise
    return tuple(_kept(future.result(), futures, tell_failure) for future in futures)


def _kept(
    outcome: Outcome, futures: Sequence[Future[Outcome]], tell_failure: Callable[[str, VenvpkgError], None]
) -> Outcome:
    """Return an outcome; a failure, and told, where another target has another package of the same name.

    Releases that are to be compatible, such as EL 9's rebuilds, have one mark; of their packages only the one that was
    written last is there.
    """
    artifact = outcome.artifact
    made = [each for future in futures if (each := future.result().artifact) is not None]
    if artifact is None or all(each.sha256 == artifact.sha256 for each in made if each.path == artifact.path):
        return outcome
    error = AssembleError(
        f"Another target of this call has another package of the same name, {artifact.path.name}.",
        resolution="Build for them one by one, each with an --out of its own.",
    )
    tell_failure(str(outcome.target), error)
    return replace(outcome, artifact=None, error=error)


def _started(work: Callable[[], Outcome], name: str) -> Future[Outcome]:
    """Return what will come of work in a thread that does not hold up the end of the program."""
    future: Future[Outcome] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def _outcome(project: Project, destination: Path, session: Session, *, locked: bool) -> Outcome:
    target, start = session.selection, time.monotonic()
    session.reporter.step("building")
    try:
        artifact = pipeline.build(project, destination, session, locked=locked).artifact
    except VenvpkgError as error:
        return Outcome(target, time.monotonic() - start, error=error)
    except OSError as error:
        if is_our_mistake(error):
            raise
        return Outcome(target, time.monotonic() - start, error=MachineError.of(error))
    return Outcome(target, time.monotonic() - start, artifact)


def require_all(outcomes: Sequence[Outcome]) -> None:
    """Raise when a target failed.

    Raises:
        SeveralTargetsError: with a line for each target, those that were built too.
    """
    failed = [each for each in outcomes if each.error is not None]
    if failed:
        raise SeveralTargetsError(
            f"{len(failed)} of {len(outcomes)} targets failed.",
            details="\n".join(
                f"  {each.target}: {each.artifact.path if each.artifact else each.summary}" for each in outcomes
            ),
            resolution="Correct what is named above for each, and build for them again; what was built is kept.",
        )
