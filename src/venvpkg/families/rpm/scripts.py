"""The scriptlets of a package: only where the project declares one, or its payload has units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from venvpkg.families.common.units import units_of
from venvpkg.templates import render

if TYPE_CHECKING:
    from venvpkg.model.package import PackageSpec


class Scriptlet(NamedTuple):
    """A scriptlet as it stands in the spec file, not yet made literal.

    Attributes:
        section: of the spec file, without its percent sign.
        text: shell.
    """

    section: str
    text: str


class _Call(NamedTuple):
    """How rpm calls a scriptlet, and what that means where packages are Debian's.

    Attributes:
        section: of the spec file.
        comparison: of the number that rpm gives; for test(1).
        first: words for when it is true.
        otherwise: words for when it is not.
    """

    section: str
    comparison: str
    first: str
    otherwise: str


# rpm gives the number of packages of the name that are there when the transaction has ended; it has no purge, and does
# not tell which version was there before. Source: rpm's manual, "Scriptlets"; Debian Policy 6.5.
_CALLS: Final = {
    "preinst": _Call("pre", "-gt 1", "upgrade", "install"),
    "postinst": _Call("post", "-gt 1", "configure previous", "configure"),
    "prerm": _Call("preun", "-gt 0", "upgrade", "remove"),
    "postrm": _Call("postun", "-gt 0", "upgrade", "remove"),
}


def scriptlets(spec: PackageSpec) -> tuple[Scriptlet, ...]:
    """Return each scriptlet; none when nothing asks for one.

    Units are enabled, stopped and restarted as systemd's macros for spec files do it, and Fedora's packages: by the
    release's presets, and not started. What the macros expand to differs with the package of macros that happens to be
    installed where rpmbuild runs, or is nothing; these lines are the same everywhere, and work wherever systemctl does.
    Accounts are made in %post, not in %pre: no file of the payload is theirs, and the table is there by then.

    Source:
        systemd's daemon(7), "Installing systemd Service Files"; Fedora Packaging Guidelines, "Scriptlets".
    """
    units = units_of(spec.staged)
    wanted = units.scripts()
    snippets = dict(spec.project_files.scripts)
    return tuple(
        Scriptlet(
            call.section,
            render(
                "rpm",
                "scriptlet.j2",
                {
                    "name": name,
                    "package": spec.name,
                    "comparison": call.comparison,
                    "first": call.first,
                    "otherwise": call.otherwise,
                    "snippet": snippets.get(name, "").rstrip("\n"),
                    "units": units.words(),
                },
                spec.project_files.templates,
            ).rstrip("\n"),
        )
        for name, call in _CALLS.items()
        if name in {*snippets, *wanted}
    )
