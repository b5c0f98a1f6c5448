"""The maintainer scripts of a binary package: only where the project declares one, or its payload has units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from venvpkg.backends.units import units_of
from venvpkg.model.target import Family
from venvpkg.templates import render

if TYPE_CHECKING:
    from venvpkg.model.package import PackageSpec

_SCRIPTS: Final = ("preinst", "postinst", "prerm", "postrm")


def maintainer_scripts(spec: PackageSpec) -> tuple[tuple[str, bytes], ...]:
    """Return name and content of each; none when nothing asks for one.

    Units are enabled, started, restarted and stopped as those of the release's own packages are: debhelper's
    defaults. Accounts and directories are there before the project's own postinst runs, and units run after it.

    Source:
        Debian Policy 6.1: fail on errors, so ``set -e``; 6.5 for what each is called with; 9.3 for services.
        deb-systemd-helper(1p), deb-systemd-invoke(1p); dh_installsystemd(1), dh_installsysusers(1), for what is done
        when.
    """
    units = units_of(spec.staged)
    wanted = units.scripts()
    snippets = dict(spec.inclusions.scripts)
    return tuple(
        (
            name,
            render(
                Family.DEB,
                "maintainer-script.j2",
                {
                    "name": name,
                    "package": spec.name,
                    "snippet": snippets.get(name, "").rstrip("\n"),
                    "units": units.words(),
                },
                spec.inclusions.templates,
            ).encode(),
        )
        for name in _SCRIPTS
        if name in {*snippets, *wanted}
    )
