"""What the machine refuses is error as such, and never taken for damage."""

from __future__ import annotations

import errno
import gzip
import os
import signal

import pytest

from venvpkg.errors import MachineError
from venvpkg.host.oserrors import (
    death_notice,
    environment_error_in,
    is_environment_error,
    require_no_environment_error,
    require_utf8_names,
)


def refused(code: int, *names: str) -> OSError:
    return OSError(code, os.strerror(code), names[0] if names else None, None, names[1] if len(names) > 1 else None)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EMFILE, errno.EIO])
def test_the_machine_is_at_fault(code: int) -> None:
    assert is_environment_error(refused(code))


@pytest.mark.parametrize(
    "error", [refused(errno.ENAMETOOLONG), refused(errno.ENOENT), gzip.BadGzipFile("not gzip"), ValueError("x")]
)
def test_the_content_of_a_file_is_no_fault_of_the_machine(error: Exception) -> None:
    assert not is_environment_error(error)


@pytest.mark.parametrize(
    ("error", "brief", "way_out"),
    [
        (refused(errno.ENOSPC, "/srv/a"), "/srv/a cannot be used: No space left on device.", "Free some space"),
        (
            refused(errno.ENOSPC, "/srv/a", "/srv/b"),
            "/srv/b cannot be used: No space left on device.",
            "Free some space",
        ),
        (refused(errno.EROFS, "/srv/a"), "/srv/a cannot be used: Read-only file system.", "permission"),
        (refused(errno.EFBIG, "/srv/a"), "/srv/a cannot be used: File too large.", "ulimit -f"),
        (refused(errno.EMFILE), "system error: Too many open files.", "ulimit -n"),
        (refused(errno.ENOENT), "system error: No such file or directory.", "removed"),
    ],
)
def test_a_refusal_tells_where_and_what_to_do(error: OSError, brief: str, way_out: str) -> None:
    refusal = MachineError.of(error)

    assert refusal.brief == brief
    assert way_out in refusal.resolution


def test_a_program_that_had_no_space_is_understood() -> None:
    refusal = environment_error_in(
        "dpkg-deb: building\ndpkg-deb: error: failed to write /srv/x: No space left on device\n"
    )

    assert refusal is not None
    assert "failed to write /srv/x" in refusal.details
    assert "Free some space" in refusal.resolution


def test_a_program_that_was_killed_for_its_large_file_is_understood() -> None:
    notice = death_notice("dpkg-deb", -signal.SIGXFSZ)

    with pytest.raises(MachineError, match="dpkg-deb: File size limit exceeded") as caught:
        require_no_environment_error(f"packing\n{notice.decode()}")

    assert "ulimit -f" in caught.value.resolution
    assert death_notice("dpkg-deb", -signal.SIGKILL) == b""


def test_a_program_that_failed_otherwise_is_not() -> None:
    assert environment_error_in("dpkg-deb: error: no such directory\n") is None


def test_file_names_in_another_encoding_than_that_of_packages_are_refused() -> None:
    require_utf8_names("utf-8")

    with pytest.raises(MachineError, match="iso8859-1") as caught:
        require_utf8_names("iso8859-1")

    assert "PYTHONUTF8=1" in caught.value.resolution
