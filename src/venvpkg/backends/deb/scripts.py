"""The maintainer scripts of a binary package: where the project declares one, or state, or its payload has units."""

from __future__ import annotations

import shlex
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
    defaults. Accounts and directories are there before the project's own postinst runs, and units run after it. At
    purge the application's state goes after the project's own postrm, which may want to read it.

    Source:
        Debian Policy 6.1: fail on errors, so ``set -e``; 6.5 for what each is called with; 6.8 and 10.8 for what goes
        at purge; 9.3 for services.
        deb-systemd-helper(1p), deb-systemd-invoke(1p); dh_installsystemd(1), dh_installsysusers(1), for what is done
        when.
    """
    units = units_of(spec.staged)
    wanted = {*units.scripts(), *(("postrm",) if spec.state else ())}
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
                    "files": shlex.join(str(each.path) for each in spec.state if not each.is_directory),
                    # What is in a directory is listed behind it.
                    "directories": shlex.join(str(each.path) for each in reversed(spec.state) if each.is_directory),
                },
                spec.inclusions.templates,
            ).encode(),
        )
        for name in _SCRIPTS
        if name in {*snippets, *wanted}
    )
