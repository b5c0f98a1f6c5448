"""Export the filesystem of a container image from podman or docker, as a root that is kept under the image's id.

Programs do not run in a container, but as in every other root. So an image is isolated like a directory, with docker
as with podman, and nothing survives venvpkg. A container would: it is a child of conmon or dockerd, and keeps running
when venvpkg is killed. The environment, user and entry point of an image are meant for its services, and are ignored.
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
# Prefixes of the variables by which podman and docker find their images, registries and daemon.
_PASSED_ON: Final = ("CONTAINER", "DOCKER_", "REGISTRY_AUTH_FILE", "STORAGE_", "XDG_")


def image_root(selection: Selection, host: Runner, environ: Mapping[str, str], images: Path) -> Path:
    """Return the directory with the filesystem of an image; it must not be changed.

    Args:
        selection: target whose kind is the program that has the image, and whose place is the image's name or id.
        host: runs programs on this machine.
        environ: venvpkg's own environment variables.
        images: directory for the filesystems of images; those unused for 90 days are removed.

    Raises:
        ConfigurationError: the image does not exist on this machine. None is pulled, so that a build does not depend on
            what a registry currently has under a name.
        MissingToolError: the program is not installed.
        MachineError: the image could not be exported.
    """
    tool = str(selection.kind)
    env = {key: value for key, value in environ.items() if key.startswith(_PASSED_ON)}
    inspected = host.run(Command((tool, "image", "inspect", "--format", "{{.Id}}", "--", selection.place), env=env))
    if inspected.not_found:
        raise MissingToolError(
            [f"the program {tool}, for --target {selection}"], install=[tool], installer=installer_here()
        )
    image_id = _ID.fullmatch(inspected.text.strip())
    if not inspected.ok or image_id is None:
        raise ConfigurationError(
            f"--target {selection}",
            [inspected.errors.strip()[-300:] or f"{tool} does not print the id of the image"],
            resolution=f"Pull or build the image first: {tool} pull {selection.place}",
        )
    root = images / image_id[1]
    remove_unused(images, keep=root)
    images.mkdir(parents=True, exist_ok=True)
    argv = ("setsid", "--wait", "bash", "-euc", _EXPORT, "bash", tool, image_id[1], str(root))
    done = host.run(Command(argv, env=env))
    if not done.ok:
        raise MachineError(
            f"{tool} could not export the image {selection.place}: {done.outcome()}.",
            details=done.errors.strip()[-1000:],
        )
    return root


# The script runs in a session of its own, so that it survives when venvpkg is killed. It finishes within seconds, and
# removes the container that docker and podman need for an export, which is never started. It must not depend on
# venvpkg: it takes the lock itself with flock(1), on the file that store/locks.py would lock, and creates and renames
# the directory as store/directories.py would.
# The export is not piped, because that of podman 4.3 hangs if its reader ends early. Device nodes are left out, because
# ordinary users cannot create them; a root gets the devices of this machine.
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
