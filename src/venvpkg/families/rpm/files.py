"""Escape values and file lists for a spec file, so that rpm reads them literally. Pure."""

from __future__ import annotations

import re
import textwrap
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.model.staged import PathKind

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from venvpkg.model.staged import PayloadPath


_WIDTH: Final = 78
# Characters that some reader takes for a line break or a control character.
UNFIT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PLAIN: Final = re.compile(r"[^A-Za-z0-9._+@,:=~/\x80-\U0010ffff-]")
_SPECIAL: Final = "[!A-Za-z0-9._+@,:=~[:blank:]-]"


def literal(text: str) -> str:
    """Escape a text so that rpm expands no macros in it, neither ``%{lua:…}`` nor ``%(…)``.

    rpm counts brackets to find the end of a macro that spans several lines. While it counts, but not while it expands
    macros, a backslash hides the next character: it would take a backslash, ``%%`` and ``{`` for the beginning of a
    macro. So each such backslash is followed by a macro that expands to nothing.

    Source:
        rpm, build/parseSpec.c, ``copyNextLineFromOFI``.
    """
    return text.replace("%", "%%").replace("\\%%", "\\%{nil}%%")


def prose(paragraphs: str) -> str:
    """Return wrapped paragraphs for a %description, not yet escaped with ``literal``.

    rpm looks for directives (``%if``, ``%include``, ``%files``) after it has expanded macros, when ``%%include`` has
    become ``%include``, and drops lines that begin with ``#``. So no line begins with either: such a word stays on the
    line of the word before it, and such a paragraph becomes a list item.
    """
    blocks = []
    for paragraph in re.split(r"\n\s*\n", paragraphs):
        text = " ".join(paragraph.split())
        if text:
            text = f"- {text}" if text[0] in "%#" else text
            # Text is never wrapped at a no-break space.
            held = re.sub(r" (?=[%#])", "\u00a0", text)
            blocks.append("\n".join(_wrap(held)).replace("\u00a0", " "))
    return "\n\n".join(blocks)


def _wrap(text: str) -> list[str]:
    # Without break_on_hyphens, because "%" or "#" could follow a hyphen.
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def pattern(path: PurePosixPath, *, is_ambiguous: bool = False) -> str:
    """Return a pattern for %files that matches ``path``, whatever characters it contains.

    rpm's rules for quotes, backslashes and brackets have changed over time, but a question mark has always stood for
    one character. A pattern that also matches another path is harmless if that path is listed with the same directive:
    everything in the buildroot is packed anyway, and the packed files are compared with the payload. Otherwise it is
    ambiguous, and character classes distinguish blanks, other special characters and plain ones.
    """
    if is_ambiguous:
        return _PLAIN.sub(lambda special: "[[:blank:]]" if special[0] in " \t" else _SPECIAL, str(path))
    return _PLAIN.sub("?", str(path))


def _matches_any(path: PurePosixPath, others: Iterable[PurePosixPath]) -> bool:
    text = str(path)
    if not _PLAIN.search(text):
        return False
    matching = re.compile("".join("[^/]" if _PLAIN.match(each) else re.escape(each) for each in text))
    return any(matching.fullmatch(str(other)) for other in others)


LICENSES: Final = PurePosixPath("/usr/share/licenses")
_ETC: Final = PurePosixPath("/etc")

# Directories that belong to the release, or to a program that other packages add files for. A package that owned them
# as well would change their mode, and remove them with their last file. Where the target knows the owners of others
# (``collisions.py``), these are left out, too.
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
_MANUAL: Final = PurePosixPath("/usr/share/man")


def is_owned(directory: PurePosixPath) -> bool:
    """Whether the package owns a directory of its files."""
    return directory not in _SHARED and not directory.is_relative_to(_MANUAL)


def owned_paths(paths: Iterable[PayloadPath], of_others: Container[PurePosixPath] = ()) -> tuple[PayloadPath, ...]:
    """Return the paths that the package lists, sorted: all except the directories that it does not own.

    Args:
        paths: the payload.
        of_others: further directories that other packages own.
    """
    found = (
        each
        for each in paths
        if each.kind is not PathKind.DIRECTORY or (is_owned(each.path) and each.path not in of_others)
    )
    return tuple(sorted(found, key=lambda each: str(each.path)))


def is_configuration(path: PayloadPath) -> bool:
    """Whether rpm keeps an administrator's changes to a file."""
    return path.kind is PathKind.FILE and path.path.is_relative_to(_ETC)


def file_list(
    paths: Iterable[PayloadPath], prefix: PurePosixPath, of_others: Container[PurePosixPath] = ()
) -> Iterator[str]:
    """Yield the lines of %files; the prefix stands for everything below it, and modes are those of the buildroot.

    Source:
        rpm's manual, "Spec file format", %files.
    """
    yield pattern(prefix)
    paths = tuple(each for each in paths if not each.path.is_relative_to(prefix))
    directives = {each.path: _directive(each) for each in owned_paths(paths, of_others)}
    unlisted = tuple(each.path for each in paths if each.path not in directives)
    rivals = {
        directive: (*unlisted, *(path for path, another in directives.items() if another != directive))
        for directive in set(directives.values())
    }
    for path, directive in directives.items():
        yield f"{directive}{pattern(path, is_ambiguous=_matches_any(path, rivals[directive]))}"


def _directive(path: PayloadPath) -> str:
    """Return the directive that precedes a path's pattern in %files."""
    if path.kind is PathKind.DIRECTORY:
        return "%dir "
    if is_configuration(path):
        return "%config(noreplace) "
    if path.kind is PathKind.FILE and path.path.is_relative_to(LICENSES):
        return "%license "
    return ""
