"""The filesystem of a container image as a root: taken out of podman or docker once, kept by the image's own id.

Programs do not run in a container of podman's or docker's, but as in every other root. So an image is isolated just as
a directory is, with docker as with podman, and nothing survives venvpkg: a container is no child of whoever starts it
but of conmon or dockerd, and goes on when venvpkg is killed. What an image says of environment, user and entry point
is for its services, and plays no part in a compile.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from venvpkg.errors import ConfigurationError, MachineError, MissingToolError
from venvpkg.host.command import Command
from venvpkg.store.directories import remove_unused
from venvpkg.targets.host import installer_here

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvpkg.host.command import Runner
    from venvpkg.targets.selection import Selection


_ID: Final = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
# Where podman and docker find their images, registries and daemon.
_PASSED_ON: Final = ("CONTAINER", "DOCKER_", "REGISTRY_AUTH_FILE", "STORAGE_", "XDG_")


def image_root(selection: Selection, host: Runner, environment: Mapping[str, str], images: Path) -> Path:
    """Return the directory with the filesystem of an image, which nobody may change.

    Args:
        selection: whose kind is the program that has the image, and whose place is the image's name or id.
        host: runs programs of this machine.
        environment: venvpkg's own variables.
        images: directory for the filesystems of images; what was not used for 90 days is removed.

    Raises:
        ConfigurationError: there is no such image on this machine; none is downloaded, so that a build does not depend
            on what a registry has under a name today.
        MissingToolError: the program is not there.
        MachineError: the image cannot be taken out of it.
    """
    tool = str(selection.kind)
    env = {key: value for key, value in environment.items() if key.startswith(_PASSED_ON)}
    ask = Command((tool, "image", "inspect", "--format", "{{.Id}}", "--", selection.place), env=env)
    asked = host.run(ask)
    if asked.not_found:
        raise MissingToolError(
            [f"the program {tool}, for --target {selection}"], install=[tool], installer=installer_here()
        )
    known = _ID.fullmatch(asked.text.strip())
    if not asked.ok or known is None:
        raise ConfigurationError(
            f"--target {selection}",
            [asked.errors.strip()[-300:] or f"{tool} tells no id of the image"],
            resolution=f"Fetch or build the image first: {tool} pull {selection.place}",
        )
    root = images / known[1]
    remove_unused(images, keep=root)
    images.mkdir(parents=True, exist_ok=True)
    argv = ("setsid", "--wait", "bash", "-euc", _EXPORT, "bash", tool, known[1], str(root))
    done = host.run(Command(argv, env=env))
    if not done.ok:
        raise MachineError(
            f"{tool} does not hand over the image {selection.place}: {done.outcome()}.",
            details=done.errors.strip()[-1000:],
        )
    return root


# In a session of its own, and with the lock in its own hands: whoever kills venvpkg does not kill this, which goes on
# to the end, a few seconds, and removes the container that docker and podman want for an export. It is never started.
# So it takes the lock with flock(1), on the file that store/locks.py would lock, and makes and renames the directory
# itself as store/directories.py would: neither could be called once venvpkg is gone.
# Not through a pipe: podman 4.3's export waits for ever when nobody reads to the end. Device nodes are left out, which
# ordinary users cannot make; a root gets the devices of this machine.
_EXPORT: Final = """\
tool=$1 image=$2 root=$3
exec 9>>"$root.lock"
flock 9
touch "$root.lock"
test ! -d "$root" || exit 0
container=
trap 'test -z "$container" || "$tool" rm -f "$container" >/dev/null 9>&-; rm -rf "$root.part"' EXIT
rm -rf "$root.part"
mkdir -p "$root.part/root"
container=$("$tool" create --network none "$image" /bin/true 9>&-)
"$tool" export -o "$root.part/image.tar" "$container" 9>&-
tar -xf "$root.part/image.tar" -C "$root.part/root" --numeric-owner --anchored --exclude='dev/*' --exclude='./dev/*'
mv "$root.part/root" "$root"
"""
