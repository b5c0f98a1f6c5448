"""Copy a machine's filesystem, to read its libraries and package database; recopied when the machine changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from venvpkg.errors import TargetError
from venvpkg.families.registry import FAMILIES
from venvpkg.host.command import Command
from venvpkg.store.directories import remove_unused

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.host.command import Completed
    from venvpkg.targets.machine.connection import Connection


def machine_root(connection: Connection, machines: Path) -> Path:
    """Return a copy of a machine's programs, libraries, settings and package database.

    Files are read as the user that ssh logs in, so that those that only the administrator may read stay on the machine.

    Args:
        connection: connection to the machine.
        machines: directory for such copies, each named after a hash of the machine's state; those unused for 90 days
            are removed.

    Raises:
        TargetError: the filesystem could not be copied.
    """
    state = connection.host.run(Command(connection.by_user(_STATE)))
    digest = re.fullmatch(r"([0-9a-f]{64})  -", state.text.strip())
    if not state.ok or digest is None:
        raise _copy_error(connection, state)
    root = machines / digest[1]
    remove_unused(machines, keep=root)
    machines.mkdir(parents=True, exist_ok=True)
    argv = ("setsid", "--wait", "bash", "-euo", "pipefail", "-c", _COPY, "bash", str(root))
    done = connection.host.run(Command((*argv, *connection.by_user(_PACK))))
    if not done.ok:
        raise _copy_error(connection, done)
    return root


def _copy_error(connection: Connection, done: Completed) -> TargetError:
    connection.require()
    return TargetError(
        f"the filesystem of {connection.selection} could not be copied: {done.outcome()}.",
        details=done.errors.strip()[-1000:],
        resolution="Check that it has find, sort, sha256sum and tar, and that there is free space for the cache.",
    )


_PARTS: Final = " ".join(
    (
        "bin sbin lib lib32 lib64 libx32 etc opt usr",
        *(path.lstrip("/") for family in FAMILIES.values() for path in family.state_directories),
    )
)
# Includes the ctime, which cannot be set by programs that unpack or copy files. Files that the user may not read are
# left out of the hash and of the copy.
_STATE: Final = f"""\
cd /
find {_PARTS} -printf '%y %m %s %T@ %C@ %l %p\\n' 2> /dev/null | LC_ALL=C sort | sha256sum
"""
# Exit status 1 means that a file changed while it was read; the next run will see another hash.
_PACK: Final = f"""\
cd /
set --
for part in {_PARTS}; do
    test ! -e "$part" || set -- "$@" "$part"
done
tar -cf - --ignore-failed-read "$@" || test "$?" = 1
"""
# Runs in a session of its own, with its own flock(1), as for an image: it survives when venvpkg is killed, ends when
# ssh does, and leaves no incomplete copy.
_COPY: Final = """\
root=$1
shift
exec 9>>"$root.lock"
flock 9
touch "$root.lock"
test ! -d "$root" || exit 0
trap 'rm -rf "$root.part"' EXIT
rm -rf "$root.part"
mkdir "$root.part"
"$@" 9>&- </dev/null | tar -x -C "$root.part" --no-same-owner --no-same-permissions 9>&-
mv "$root.part" "$root"
"""
