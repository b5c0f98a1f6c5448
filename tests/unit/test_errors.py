"""What is told of errors is what their reader can use."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

import venvpkg
from venvpkg.errors import MachineError, MissingToolError, machine_errors


@pytest.mark.parametrize("code", [errno.EBADF, errno.EFAULT, errno.EINVAL])
def test_an_error_that_only_a_wrong_call_gets_is_a_bug(code: int) -> None:
    with pytest.raises(OSError, match="x"), machine_errors():
        raise OSError(code, "x")


def test_an_error_without_a_number_is_a_bug_and_a_full_disk_is_none() -> None:
    with pytest.raises(OSError, match="x"), machine_errors():
        raise OSError("x")
    with pytest.raises(MachineError, match="No space left on device"), machine_errors():
        raise OSError(errno.ENOSPC, "No space left on device")


def test_packages_are_named_without_a_command_where_nobody_knows_what_installs_them() -> None:
    assert MissingToolError(["rpm"], install=["rpm", "rpm-build"]).resolution == "Install rpm, rpm-build."


def test_the_installer_that_is_given_is_the_one_that_is_told() -> None:
    error = MissingToolError(["x"], install=["a b"], installer="dnf install", resolution="Or not.")

    assert error.resolution == "Run: dnf install 'a b'\nOr not."


def test_only_the_family_of_deb_tells_people_to_use_apt() -> None:
    sources = Path(venvpkg.__file__).parent
    told = [path for path in sources.rglob("*.py") if "apt-get install" in path.read_text("utf-8")]

    assert [path.relative_to(sources).parts[:2] for path in told] == [("families", "deb")]
