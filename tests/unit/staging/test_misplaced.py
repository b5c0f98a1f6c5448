"""Files of wheels that were meant for absolute paths."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from unit.samples import SITE
from venvpkg.model.wheels import Action, ReadyWheel
from venvpkg.staging.installed_paths import InstalledWheel, misplaced_warnings

CONFIGURATION = PurePosixPath("/etc/app/app.conf")


def warnings(*files: str, targets: frozenset[PurePosixPath] = frozenset()) -> list[str]:
    wheel = ReadyWheel("app", "1.0", Path("app.whl"), "", Action.COMPILE)
    installed = InstalledWheel(wheel, SITE / "app-1.0.dist-info", tuple(SITE / each for each in files))
    return list(misplaced_warnings([installed], SITE, targets))


def test_each_distribution_with_data_files_at_absolute_paths_is_named_with_the_key_that_puts_them_there() -> None:
    (warning,) = warnings("app/__init__.py", "etc/app/app.conf", "lib/systemd/system/app.service")

    assert "absolute paths (/etc/app/app.conf, /usr/lib/systemd/system/app.service), where" in warning
    assert warning.endswith('[tool.venvpkg] files: { source = "app.conf", target = "/etc/app/app.conf" }')


def test_many_files_are_counted() -> None:
    (warning,) = warnings(*(f"var/lib/app/{number}" for number in range(7)))

    assert "/var/lib/app/4 and 2 more)" in warning


def test_files_that_the_configuration_puts_there_are_not_named() -> None:
    assert warnings("etc/app/app.conf", targets=frozenset({CONFIGURATION})) == []


def test_a_package_with_modules_may_be_called_so() -> None:
    assert warnings("etc/__init__.py", "etc/data/x.conf", "opt/tool.py", "usr.py", "share/x") == []
