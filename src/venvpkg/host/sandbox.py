"""A command in namespaces of its own: what it is shown, what is hidden from it, which filesystem it takes for ``/``.

Pure: everything happens in the processes that the argument vector describes, and ends with them.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.errors import ConfigurationError
from venvpkg.host.layers import LayeredRoot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvpkg.host.runner import Bind, Command


# What to do where the kernel makes none; the last is Ubuntu's, since 24.04.
WAY_TO_NAMESPACES: Final = (
    "Run as root, or let ordinary users make namespaces (sysctl: user.max_user_namespaces above 0,"
    " kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0; in a container: the"
    " capability SYS_ADMIN)."
)

# A shell keeps what it is to show open as 3 to 8; 9 is the root.
MOST_BINDS = 6


def isolated_argv(
    command: Command, root: Path | None = None, *, lasting: bool = False, elsewhere: PurePosixPath | None = None
) -> tuple[str, ...]:
    """Return the argument vector that runs ``command`` in its own mount, pid, ipc and uts namespaces.

    The mounts are made by a constant shell text inside the new mount namespace; every value reaches it as a positional
    parameter, so that no path is ever parsed as shell. They are gone when the last process in the namespace is:
    ``--kill-child`` ends the job with unshare, which the runner ends with venvpkg itself. The environment is the
    command's own, but for ``PATH``, which the mounts are made without.

    Args:
        command: with at most ``MOST_BINDS`` directories or files to show.
        root: the directory that the command takes for ``/``, below a layer that takes its writes and vanishes with it;
            None for this machine's own. There, what is shown at a place that does not exist makes the nearest directory
            above it an empty one, because nothing may be written.
        lasting: let what the command writes stay in ``root``, instead of the layer.
        elsewhere: where the root is on another machine, whose administrator runs the command; ``root`` is then a copy
            that tells what is a link there, and what is shown has the paths of that machine.

    Source:
        unshare(1), mount_namespaces(7); the kernel's Documentation/filesystems/overlayfs.rst.
    """
    shown = [(bind, _resolved(bind.mountpoint, root)) for bind in command.binds]
    masked = [_resolved(path, root) for path in command.masked]
    if root is None:
        masked += _hidden_parents([place for _, place in shown], masked)
        shown = [(bind, place) for bind, place in shown if str(bind.source) != place or _below(place, masked)]
    if len(shown) > MOST_BINDS:
        raise ValueError(f"more than {MOST_BINDS} things to show to {command}")
    user = () if elsewhere else _mapping(command)
    net = () if command.network else ("--net",)
    etc = _resolved(PurePosixPath("/etc"), root) if root is not None and command.network else ""
    return (
        "/usr/bin/unshare", *user, "--mount", *net, "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--",
        "/bin/sh", "-euc", _ENTER, "sh",
        str(elsewhere or root or ""), etc, str(command.cwd or "/"),
        "lasting" if lasting else "userxattr" if user else "",
        str(len(shown)), *(part for bind, place in shown for part in (str(bind.source), place, _mode(bind))),
        str(len(masked)), *masked,
        *command.argv,
    )  # fmt: skip


def _mapping(command: Command) -> tuple[str, ...]:
    """Return how users are mapped: root needs nothing, an ordinary user is root inside, with others where it must be.

    Source:
        unshare(1), user_namespaces(7), subuid(5).
    """
    if os.geteuid() == 0:
        return ()
    return ("--map-root-user", "--map-auto") if command.many_users else ("--map-root-user",)


def _mode(bind: Bind) -> str:
    return "rw" if bind.writable else "ro"


def _resolved(path: PurePosixPath, root: Path | None) -> str:
    """Return the path as it is inside ``root`` without links: one to ``/etc`` must not lead to this machine's.

    Raises:
        ConfigurationError: it leads to a place that does not exist in the root.
    """
    if root is None:
        return str(path)
    view = LayeredRoot(root)
    missing: list[str] = []
    for parent in (path, *path.parents):
        place = view.find(str(parent))
        if place is not None:
            inside = PurePosixPath(place.path, *reversed(missing))
            if missing and (root / place.path.lstrip("/") / missing[-1]).is_symlink():
                raise ConfigurationError(
                    root,
                    [f"{parent / missing[-1]} is a link to a place that is not there"],
                    resolution="Repair the root, or make it again.",
                )
            return str(inside)
        missing.append(parent.name)
    return str(path)


def _hidden_parents(places: Iterable[str], masked: Iterable[str]) -> Iterator[str]:
    """Yield the nearest directory that exists above each place that does not: nothing may be written to this machine.

    Raises:
        ValueError: there is none but ``/``, which cannot be hidden.
    """
    hidden = list(masked)
    for place in places:
        if not _below(place, hidden):
            hidden.append(place)
            if not os.path.lexists(place):
                parent = next(str(each) for each in PurePosixPath(place).parents if os.path.lexists(each))
                if parent == "/":
                    raise ValueError(f"nothing can be shown at {place}: this machine has no directory there")
                hidden.append(parent)
                yield parent


def _below(place: str, parents: Iterable[str]) -> bool:
    return any(PurePosixPath(parent) in PurePosixPath(place).parents for parent in parents)


# What is to be shown is opened first, since a mask may hide it, and through /proc/self/fd its path is never looked up
# again. What is made for the root is made in an empty filesystem mounted over the root itself: so there is no place to
# choose, nothing to remove, and the layers need no names, which the options of a mount cannot quote. What programs need
# to write in, and what is mounted on, is made in the layer before it is laid over the root: an ordinary user can write
# to no directory of a root whose owner has no number in the user's namespace, not even in a layer (EOVERFLOW).
# userxattr is what lets a directory of the layer be removed and made again without the capability for trusted.overlay.
_ENTER = """\
root=$1 etc=$2 cwd=$3 layer=$4 path=$PATH
PATH=/usr/sbin:/usr/bin:/sbin:/bin
shift 4
new='' left=$1 fd=2
shift
while test "$left" -gt 0; do
    fd=$((fd + 1)) left=$((left - 1))
    eval "exec $fd<\\"\\$1\\"; place$fd=\\$2 mode$fd=\\$3"
    shift 3
done
if test -n "$root"; then
    cd "$root"
    exec 9<.
    mount -t tmpfs -o mode=0755 tmpfs "$root"
    cd "$root"
    mkdir upper work new
    if test "$layer" = lasting; then
        # As it is: looked up again, the path would lead to what was just mounted over it.
        mount --no-canonicalize --bind /proc/self/fd/9 new
        into=new
    else
        into=upper
    fi
    mkdir -p -m 0755 "$into/proc" "$into/sys" "$into/dev"
    if test -n "$etc"; then
        mkdir -p -m 0755 "$into$etc"
        for name in resolv.conf hosts; do
            rm -f "$into$etc/$name"
            test ! -e "/etc/$name" || cp "/etc/$name" "$into$etc/$name"
        done
    fi
    if test "$layer" = userxattr; then
        mkdir -p -m 1777 upper/tmp upper/var/tmp upper/run upper/root
        last=$fd
        while test "$fd" -gt 2; do
            eval "place=\\$place$fd"
            test -d "/proc/self/fd/$fd" || place=${place%/*}
            test -d "/proc/self/fd/9$place" || mkdir -p "upper$place"
            fd=$((fd - 1))
        done
        fd=$last
    fi
    if test "$layer" != lasting; then
        options=lowerdir=/proc/self/fd/9,upperdir=upper,workdir=work${layer:+,$layer}
        mount -t overlay -o "$options" overlay new
    fi
    exec 9<&-
    new=$root/new
    mount --rbind /dev new/dev
    mount --rbind /sys new/sys
fi
mount -t proc proc "$new/proc"
left=$1
shift
while test "$left" -gt 0; do
    left=$((left - 1))
    test ! -d "$new$1" || mount -t tmpfs -o mode=1777 tmpfs "$new$1"
    shift
done
last=$fd fd=3
while test "$fd" -le "$last"; do
    eval "place=\\$new\\$place$fd mode=\\$mode$fd"
    if test -d "/proc/self/fd/$fd"; then
        mkdir -p "$place"
    else
        mkdir -p "${place%/*}"
        test -e "$place" || : >"$place"
    fi
    # As it is: looked up again, it would be the empty directory that was just made where a mask hides it.
    mount --no-canonicalize --bind "/proc/self/fd/$fd" "$place"
    eval "exec $fd<&-"
    if test "$mode" = ro; then
        # Not root: the kernel keeps what the filesystem was mounted with, and wants to hear it again.
        mount -o remount,bind,ro "$place" 2>/dev/null || mount -o remount,bind,ro,nosuid,nodev "$place"
    fi
    fd=$((fd + 1))
done
hostname venvpkg
test -z "$new" || exec chroot "$new" /usr/bin/env -u OLDPWD --chdir="$cwd" PWD="$cwd" PATH="$path" "$@"
exec env -u OLDPWD --chdir="$cwd" PWD="$cwd" PATH="$path" "$@"
"""
