"""A copy of a machine's filesystem, where libraries and the package database are read: made anew when it changed."""

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
    """Return the copy of what a machine's packages consist of: programs, libraries, settings and package database.

    It is read as the user that ssh logs in, so that what only the administrator may see stays in the machine.

    Args:
        connection: to the machine.
        machines: directory for such copies, each named for what it is a copy of; what was not used for 90 days is
            removed.

    Raises:
        TargetError: the machine does not hand it over.
    """
    asked = connection.host.run(Command(connection.by_user(_STATE)))
    known = re.fullmatch(r"([0-9a-f]{64})  -", asked.text.strip())
    if not asked.ok or known is None:
        raise _refused(connection, asked)
    root = machines / known[1]
    remove_unused(machines, keep=root)
    machines.mkdir(parents=True, exist_ok=True)
    argv = ("setsid", "--wait", "bash", "-euo", "pipefail", "-c", _COPY, "bash", str(root))
    done = connection.host.run(Command((*argv, *connection.by_user(_PACK))))
    if not done.ok:
        raise _refused(connection, done)
    return root


def _refused(connection: Connection, done: Completed) -> TargetError:
    connection.require()
    return TargetError(
        f"{connection.selection} does not hand over its filesystem: {done.outcome()}.",
        details=done.errors.strip()[-1000:],
        resolution="See whether it has find, sort, sha256sum and tar, and whether there is space in the cache.",
    )


_PARTS: Final = " ".join(
    (
        "bin sbin lib lib32 lib64 libx32 etc opt usr",
        *(path.lstrip("/") for family in FAMILIES.values() for path in family.state_directories),
    )
)
# By the time of the last change, which nothing that unpacks or copies files can set. What the user may not read is
# left out of both.
_STATE: Final = f"""\
cd /
find {_PARTS} -printf '%y %m %s %T@ %C@ %l %p\\n' 2> /dev/null | LC_ALL=C sort | sha256sum
"""
# 1: a file changed meanwhile; the next call sees that.
_PACK: Final = f"""\
cd /
set --
for part in {_PARTS}; do
    test ! -e "$part" || set -- "$@" "$part"
done
tar -cf - --ignore-failed-read "$@" || test "$?" = 1
"""
# In a session of its own and with its own flock(1), as for an image: whoever kills venvpkg does not kill this, which
# ends when ssh does, and leaves nothing half copied.
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
