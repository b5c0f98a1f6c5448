"""What is told of errors is what their reader can use."""

from __future__ import annotations

import errno

import pytest

from venvpkg.errors import is_our_mistake


@pytest.mark.parametrize("code", [errno.EBADF, errno.EFAULT, errno.EINVAL])
def test_an_error_that_only_a_wrong_call_gets_is_a_bug(code: int) -> None:
    assert is_our_mistake(OSError(code, "x"))


def test_an_error_without_a_number_is_a_bug_and_a_full_disk_is_none() -> None:
    assert is_our_mistake(OSError("x"))
    assert not is_our_mistake(OSError(errno.ENOSPC, "No space left on device"))
