"""The package's timestamp: derived from the sources, so that every build of them has the same one."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING

from venvpkg.errors import ConfigurationError
from venvpkg.host.command import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvpkg.host.command import Runner
    from venvpkg.model.lock import Lock
    from venvpkg.model.project import Project


# 1980-01-01, the earliest time that a zip archive can hold, and the usual fallback of reproducible wheels.
NO_TIME = 315532800
# 2106-02-07: an rpm header and a gzip file have 32 bits for a time, a ustar header has 33.
_LATEST = 2**32 - 1
_VARIABLE = "SOURCE_DATE_EPOCH"


def source_date_epoch(project: Project, lock: Lock, variables: Mapping[str, str], runner: Runner) -> int:
    """Return the time of the sources in seconds since 1970 UTC.

    That is ``SOURCE_DATE_EPOCH``, else the time of the commit checked out in the project's directory, else the time of
    the newest upload in the lock, else 1980-01-01.

    Args:
        project: its directory is asked for the commit.
        lock: has the upload times.
        variables: environment variables of the user.
        runner: runs git.

    Raises:
        ConfigurationError: ``SOURCE_DATE_EPOCH`` is set but not a valid time.

    Source:
        https://reproducible-builds.org/specs/source-date-epoch/
    """
    given = variables.get(_VARIABLE, "")
    if given:
        if not re.fullmatch(r"[0-9]{1,12}", given) or int(given) > _LATEST:
            raise ConfigurationError(
                "environment variables",
                [f"{_VARIABLE}: {given[:40]!r} is not a number of seconds from 0 to {_LATEST}"],
                resolution=f"Unset {_VARIABLE}, or give the seconds since 1970 UTC.",
            )
        return int(given)
    for seconds in (_commit_time(project, runner), _newest_upload(lock)):
        if seconds is not None and 0 <= seconds <= _LATEST:
            return seconds
    return NO_TIME


def _commit_time(project: Project, runner: Runner) -> int | None:
    if project.directory is None:
        return None
    # rev-list is plumbing: unlike log, it starts neither a pager nor gpg, whatever the repository configures.
    # A packaging job often runs as a different user than the checkout did; reading a time is safe then.
    done = runner.run(
        Command(
            (
                "git", "-c", "safe.directory=*", "-C", str(project.directory),
                "rev-list", "--max-count=1", "--timestamp", "HEAD",
            ),
            env={"GIT_OPTIONAL_LOCKS": "0"},
            timeout_s=60,
        )
    )  # fmt: skip
    seconds = done.text.partition(" ")[0]
    return int(seconds) if done.ok and re.fullmatch(r"[0-9]{1,12}", seconds) else None


def _newest_upload(lock: Lock) -> int | None:
    uploads = (
        file.uploaded
        for distribution in lock.distributions
        for file in (*distribution.wheels, *((distribution.sdist,) if distribution.sdist else ()))
        if file.uploaded is not None
    )
    # A time without a zone is UTC; the zone of this machine must not matter.
    times = [int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()) for time in uploads]
    return max(times, default=None)
