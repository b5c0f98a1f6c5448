"""The list of files in a spec file, with what rpm is to know of each. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.backends.rpm.escape import pattern
from venvpkg.model.staged import PathKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvpkg.model.package import StatePath
    from venvpkg.model.staged import PayloadPath

LICENSES: Final = PurePosixPath("/usr/share/licenses")
_ETC: Final = PurePosixPath("/etc")

# Directories that belong to the release or to a program whose files are put there, however many packages do so. A
# package that owned them too would change their mode, and remove them with the last file.
_DIRECTORIES: Final = """
/ /etc /opt /srv /usr /var
/etc/cron.d /etc/cron.daily /etc/cron.hourly /etc/cron.monthly /etc/cron.weekly /etc/default /etc/init.d
/etc/logrotate.d /etc/pam.d /etc/polkit-1 /etc/polkit-1/rules.d /etc/profile.d /etc/rsyslog.d /etc/security
/etc/sudoers.d /etc/sysconfig /etc/sysctl.d /etc/systemd /etc/systemd/system /etc/tmpfiles.d /etc/udev
/etc/udev/rules.d /etc/xdg
/usr/bin /usr/include /usr/lib /usr/lib/debug /usr/lib64 /usr/libexec /usr/local /usr/sbin /usr/share /usr/src
/usr/lib/firewalld /usr/lib/firewalld/services /usr/lib/sysctl.d /usr/lib/systemd /usr/lib/systemd/system
/usr/lib/systemd/user /usr/lib/sysusers.d /usr/lib/tmpfiles.d /usr/lib/udev /usr/lib/udev/rules.d
/usr/share/applications /usr/share/bash-completion /usr/share/bash-completion/completions /usr/share/dbus-1
/usr/share/dbus-1/system.d /usr/share/doc /usr/share/fish /usr/share/fish/vendor_completions.d /usr/share/icons
/usr/share/info /usr/share/licenses /usr/share/locale /usr/share/man /usr/share/metainfo /usr/share/pixmaps
/usr/share/polkit-1 /usr/share/polkit-1/actions /usr/share/zsh /usr/share/zsh/site-functions
/var/cache /var/lib /var/log /var/opt /var/spool
"""
_SHARED: Final = frozenset(map(PurePosixPath, _DIRECTORIES.split()))
# Without a mode of its own, what is not in the buildroot has none at all (000), which rpmlint takes for an error.
_GHOST_MODES: Final = {True: "%attr(0755, root, root) %dir", False: "%attr(0644, root, root)"}
_UNVERIFIED: Final = "%verify(not user group mode mtime size filedigest link rdev)"
_MANUAL: Final = PurePosixPath("/usr/share/man")


def is_owned(directory: PurePosixPath) -> bool:
    """Whether the package owns a directory that it has files in."""
    return directory not in _SHARED and not directory.is_relative_to(_MANUAL)


def owned(paths: Iterable[PayloadPath]) -> tuple[PayloadPath, ...]:
    """Return what the package will list, sorted: everything but the directories that are not its own."""
    found = (each for each in paths if each.kind is not PathKind.DIRECTORY or is_owned(each.path))
    return tuple(sorted(found, key=lambda each: str(each.path)))


def is_configuration(path: PayloadPath) -> bool:
    """Whether rpm keeps the administrator's changes of a file."""
    return path.kind is PathKind.FILE and path.path.is_relative_to(_ETC)


def file_list(paths: Iterable[PayloadPath], prefix: PurePosixPath, state: Iterable[StatePath] = ()) -> Iterator[str]:
    """Yield the lines of %files; what is below the prefix is listed with it, modes are those of the buildroot.

    What the application makes is a ghost: it is nowhere in the payload, belongs to the package all the same, and goes
    with it. Whose it is and what is in it, the application decides, so that verifying the package does not ask.

    Source:
        rpm's manual, "Spec file format", %files.
    """
    yield pattern(prefix)
    for each in owned(paths):
        if each.path.is_relative_to(prefix):
            continue
        match each.kind:
            case PathKind.DIRECTORY:
                yield f"%dir {pattern(each.path)}"
            case PathKind.FILE if is_configuration(each):
                yield f"%config(noreplace) {pattern(each.path)}"
            case PathKind.FILE if each.path.is_relative_to(LICENSES):
                yield f"%license {pattern(each.path)}"
            case _:
                yield pattern(each.path)
    for ghost in state:
        yield f"%ghost {_GHOST_MODES[ghost.is_directory]} {_UNVERIFIED} {pattern(ghost.path)}"
