"""One build for several targets: a target that fails does not stop the others."""

from __future__ import annotations

import errno
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvpkg import pipeline
from venvpkg.errors import MachineError, SeveralTargetsError, VenvpkgError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from venvpkg.model.package import Artifact
    from venvpkg.model.project import Project
    from venvpkg.pipeline import Session
    from venvpkg.targets.selection import Selection

_OURS = {None, errno.EBADF, errno.EFAULT, errno.EINVAL}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one target: a package, or an error."""

    target: Selection
    elapsed_s: float
    artifact: Artifact | None = None
    error: VenvpkgError | None = None

    @property
    def row(self) -> tuple[str, str]:
        """Return a line of the summary."""
        if self.artifact is not None:
            size = f"{self.artifact.size_bytes / 1e6:.1f} MB"
            return str(self.target), f"{self.artifact.path.name}, {size}, {self.elapsed_s:.1f} s"
        if self.error is None:
            raise ValueError("neither a package nor an error")
        return str(self.target), f"failed with {self.error.exit_code}: {self.error.brief}"


def build_for_each(
    project: Project,
    destination: Path,
    sessions: Sequence[Session],
    tell_failure: Callable[[str, VenvpkgError], None],
    *,
    locked: bool,
) -> tuple[Outcome, ...]:
    """Build for one target after the other, each with all the jobs of its session, and return what came of each.

    One after the other, because the compile jobs of one target fill the cores already, and because all of them read
    and write one ``venvpkg.lock``.
    """
    outcomes = []
    for session in sessions:
        target, start = session.target, time.monotonic()
        session.report.step(f"building for {target}")
        try:
            artifact = pipeline.build(project, destination, session, locked=locked)
            outcomes.append(Outcome(target, time.monotonic() - start, artifact))
        except VenvpkgError as error:
            outcomes.append(Outcome(target, time.monotonic() - start, error=error))
            tell_failure(str(target), error)
        except OSError as error:
            if error.errno in _OURS:
                raise
            refused = MachineError.of(error)
            outcomes.append(Outcome(target, time.monotonic() - start, error=refused))
            tell_failure(str(target), refused)
    return tuple(outcomes)


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
                f"  {each.target}: {each.artifact.path}" if each.artifact else f"  {': '.join(each.row)}"
                for each in outcomes
            ),
            resolution="Correct what is named above for each, and build for them again; what was built is kept.",
        )
