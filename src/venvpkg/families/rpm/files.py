"""Outside values and file lists in a spec file, so that rpm reads them as they are. Pure."""

from __future__ import annotations

import re
import textwrap
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.model.staged import PathKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvpkg.model.package import StatePath
    from venvpkg.model.staged import PayloadPath


_WIDTH: Final = 78
# Line breaks and controls of every reader.
UNFIT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PLAIN: Final = re.compile(r"[^A-Za-z0-9._+@,:=~/\x80-\U0010ffff-]")


def literal(text: str) -> str:
    """Return text that no macro is expanded in: neither ``%{lua:…}`` nor ``%(…)``."""
    return text.replace("%", "%%")


def prose(paragraphs: str) -> str:
    """Return wrapped paragraphs as they stand in a %description, still to be made ``literal``.

    rpm looks for directives (``%if``, ``%include``, ``%files``) in what a line is after macros were expanded, where
    ``%%include`` is ``%include``, and leaves lines out that begin with ``#``. No line begins so here: words that do are
    kept on the line of the word before, and a paragraph that does is made an item of a list.
    """
    blocks = []
    for paragraph in re.split(r"\n\s*\n", paragraphs):
        text = " ".join(paragraph.split())
        if text:
            text = f"- {text}" if text[0] in "%#" else text
            # A no-break space is no place to wrap at.
            held = re.sub(r" (?=[%#])", "\u00a0", text)
            blocks.append("\n".join(_wrapped(held)).replace("\u00a0", " "))
    return "\n\n".join(blocks)


def _wrapped(text: str) -> list[str]:
    # Not break_on_hyphens: a line could begin with what follows one.
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def pattern(path: PurePosixPath) -> str:
    """Return a pattern for %files that matches ``path``, whatever characters are in it.

    How quotes, backslashes and brackets are read there has changed from release to release of rpm; that a question
    mark stands for one character has not. A pattern that matches a second path does no harm: everything in the
    buildroot is packed anyway, and what was packed is compared with what was to be.
    """
    return _PLAIN.sub("?", str(path))


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
