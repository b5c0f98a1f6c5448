"""The stages in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvpkg.console import Report
    from venvpkg.host.places import Places
    from venvpkg.host.runner import SubprocessRunner


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every stage works with.

    Attributes:
        runner: the door to other programs.
        report: hears what happens.
        places: directories that outlive the run.
        environment: venvpkg's own environment variables.
        jobs: how many things may run at once.
        offline: use nothing from the network.
    """

    runner: SubprocessRunner
    report: Report
    places: Places
    environment: Mapping[str, str]
    jobs: int
    offline: bool
