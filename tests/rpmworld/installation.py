"""A root of an rpm world: real dnf installs it from the repository, without leaving a trace of this machine."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rpmworld.flavours import REPOSITORY_IN_ROOT
from rpmworld.tools import output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rpmworld.flavours import Identity

_DEVICES = (("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0))


def install(repository: Path, packages: Sequence[str], who: Identity, python: str, root: Path) -> None:
    """Install packages of a repository, and what they require, into an empty directory.

    The root has the repository too, under names that its own package manager knows: hard links, so whoever writes into
    its files changes the world.
    """
    _make_devices(root / "dev")
    with tempfile.TemporaryDirectory(prefix="rpmworld-") as name:
        home = Path(name)
        (home / ".rpmmacros").write_text(f"%_dbpath /{who.database}\n%_db_backend sqlite\n")
        (home / "dnf.conf").write_text("[main]\n")
        (home / "log").mkdir()
        options = {
            "reposdir": "/dev/null",
            "cachedir": f"{name}/cache",
            "persistdir": f"{name}/persist",
            "logdir": f"{name}/log",
            "install_weak_deps": "False",
            "gpgcheck": "False",
        }
        output(
            *(
                "dnf",
                "--assumeyes",
                "--quiet",
                f"--config={name}/dnf.conf",
                "--noplugins",
                f"--releasever={who.version}",
            ),
            *(f"--setopt={option}={value}" for option, value in options.items()),
            *(f"--repofrompath=rpm-world,{repository.as_uri()}", "--repo=rpm-world"),
            *(f"--installroot={root}", "install", *packages),
            environment={"HOME": name},
        )
    # Else each run would compile again what its package manager imports.
    output("chroot", root, "/usr/bin/python3", "-m", "compileall", "-q", f"/usr/lib/python{python}")
    inside = root / REPOSITORY_IN_ROOT.lstrip("/")
    inside.parent.mkdir(parents=True)
    shutil.copytree(repository, inside, copy_function=os.link)


def _make_devices(directory: Path) -> None:
    """Make the device files that scriptlets and a plain chroot need."""
    directory.mkdir()
    for name, major, minor in _DEVICES:
        os.mknod(directory / name, stat.S_IFCHR, os.makedev(major, minor))
        (directory / name).chmod(0o666)
    (directory / "fd").symlink_to("/proc/self/fd")
    (directory / "shm").mkdir()
    (directory / "shm").chmod(0o1777)
