"""Build for several targets in parallel; a target that fails does not stop the others."""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from venvpkg import pipeline
from venvpkg.errors import AssembleError, SeveralTargetsError, VenvpkgError, machine_errors
from venvpkg.record.file import remove_outputs

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
    """The outcome of one target: a package, or an error."""

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


def build_for_target(project: Project, destination: Path, session: Session, *, locked: bool) -> Outcome:
    """Build for one target, and return the outcome."""
    target, start = session.selection, time.monotonic()
    try:
        with machine_errors():
            artifact = pipeline.build(project, destination, session, locked=locked).artifact
    except VenvpkgError as error:
        return Outcome(target, time.monotonic() - start, error=error)
    return Outcome(target, time.monotonic() - start, artifact)


def build_for_each(
    project: Project,
    destination: Path,
    sessions: Sequence[Session],
    on_failure: Callable[[str, VenvpkgError], None],
    *,
    locked: bool,
) -> tuple[Outcome, ...]:
    """Build for all targets in parallel, and return their outcomes in order.

    Each target has a thread. It mostly waits: for the lockfiles, for its build root, and for its wheels, which are
    compiled in the one pool that all sessions share. An interrupt or a bug ends all builds.
    """

    def build_and_report(session: Session) -> Outcome:
        session.reporter.step("building")
        outcome = build_for_target(project, destination, session, locked=locked)
        if outcome.error is not None and not session.host.is_stopped:
            on_failure(str(outcome.target), outcome.error)
        return outcome

    futures: list[Future[Outcome]] = []
    try:
        futures.extend(_start_thread(partial(build_and_report, each), str(each.selection)) for each in sessions)
        for future in wait(futures, return_when=FIRST_EXCEPTION).done:
            future.result()
    except BaseException:
        for session in sessions:
            session.stop()
        # Lets each build remove its files. One that waits for a silent server is left to the cleanup of the next run.
        wait(futures, timeout=_PATIENCE_S)
        raise
    return _refuse_name_conflicts([future.result() for future in futures], on_failure)


def _refuse_name_conflicts(
    outcomes: Sequence[Outcome], on_failure: Callable[[str, VenvpkgError], None]
) -> tuple[Outcome, ...]:
    """Return the outcomes; different packages with the same name become failures, and are reported.

    Compatible releases, such as EL 9's rebuilds, have the same mark in the version. Only the package that was written
    last exists, and which one that is depends on chance. So it is removed with its record: a job that uploads the whole
    directory must not find a package of a target that failed.
    """
    packages: dict[Path, set[str]] = {}
    for each in outcomes:
        if each.artifact is not None:
            packages.setdefault(each.artifact.path, set()).add(each.artifact.sha256)
    kept = []
    for outcome in outcomes:
        artifact = outcome.artifact
        if artifact is None or len(packages[artifact.path]) == 1:
            kept.append(outcome)
            continue
        remove_outputs(artifact.path, artifact.debug_packages)
        error = AssembleError(
            f"another target of this run has built a different package of the same name, {artifact.path.name};"
            " neither is kept.",
            resolution="Build for these targets one by one, with a different --out for each:"
            f" --target {outcome.target} --out DIRECTORY.",
        )
        on_failure(str(outcome.target), error)
        kept.append(replace(outcome, artifact=None, error=error))
    return tuple(kept)


def _start_thread(work: Callable[[], Outcome], name: str) -> Future[Outcome]:
    """Start work in a thread that does not keep the program from ending, and return its future result."""
    future: Future[Outcome] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again by Future.result
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def require_all(outcomes: Sequence[Outcome]) -> None:
    """Raise if a target failed.

    Raises:
        SeveralTargetsError: with a line for each target, including those that were built.
    """
    failed = [each for each in outcomes if each.error is not None]
    if failed:
        raise SeveralTargetsError(
            f"{len(failed)} of {len(outcomes)} targets failed.",
            details="\n".join(
                f"  {each.target}: {each.artifact.path if each.artifact else each.summary}" for each in outcomes
            ),
            resolution="Fix the errors above and build for these targets again; the other packages are kept.",
        )
