"""Compose the command line that runs a command in namespaces of its own, with bind mounts, masks and another root.

Pure: everything happens in the processes that the argument vector starts, and ends with them.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.errors import ConfigurationError
from venvpkg.host.layers import LayeredRoot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvpkg.host.command import Bind, Command


# What to do if the kernel does not allow namespaces; the last setting is Ubuntu's, since 24.04.
NAMESPACES_RESOLUTION: Final = (
    "Run as root, or let ordinary users create namespaces (sysctl: user.max_user_namespaces above 0,"
    " kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0; in a container: the"
    " capability SYS_ADMIN)."
)

# The shell keeps the sources of bind mounts open as descriptors 3 to 8; 9 is the root.
MOST_BINDS = 6


def isolated_argv(
    command: Command, root: Path | None = None, *, lasting: bool = False, elsewhere: PurePosixPath | None = None
) -> tuple[str, ...]:
    """Return the argument vector that runs ``command`` in its own mount, pid, ipc and uts namespaces.

    A constant shell script inside the new mount namespace sets up the mounts. Every value reaches it as a positional
    parameter, so that no path is ever parsed as shell. The mounts disappear with the last process in the namespace:
    ``--kill-child`` kills the job with unshare, and unshare is killed with venvpkg itself. The command's variables are
    passed on unchanged; only while the mounts are set up, ``PATH`` is another one.

    Args:
        command: has at most ``MOST_BINDS`` bind mounts.
        root: root directory of the command, under an overlay that takes its writes and disappears with it; None for
            this machine's own. In that case, a mountpoint that does not exist makes its nearest existing parent appear
            empty, because nothing may be written to the machine.
        lasting: write to ``root`` itself instead of an overlay.
        elsewhere: path of the root on another machine, whose administrator runs the command. ``root`` is then a local
            copy that shows which paths are links there, and the sources of bind mounts are paths of that machine.

    Source:
        unshare(1), mount_namespaces(7); the kernel's Documentation/filesystems/overlayfs.rst.
    """
    mounts = [(bind, _resolve(bind.mountpoint, root)) for bind in command.binds]
    masked = [_resolve(path, root) for path in command.masked]
    if root is None:
        masked += _parents_to_mask([path for _, path in mounts], masked)
        mounts = [(bind, path) for bind, path in mounts if str(bind.source) != path or _is_below(path, masked)]
    if len(mounts) > MOST_BINDS:
        raise ValueError(f"more than {MOST_BINDS} bind mounts for {command}")
    user = () if elsewhere else _user_options(command)
    net = () if command.network else ("--net",)
    etc = _resolve(PurePosixPath("/etc"), root) if root is not None and command.network else ""
    return (
        "/usr/bin/unshare", *user, "--mount", *net, "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--",
        "/bin/sh", "-euc", _ENTER, "sh",
        str(elsewhere or root or ""), etc, str(command.cwd or "/"),
        "lasting" if lasting else "userxattr" if user else "",
        str(len(mounts)), *(part for bind, path in mounts for part in (str(bind.source), path, _mount_mode(bind))),
        str(len(masked)), *masked,
        *command.argv,
    )  # fmt: skip


def _user_options(command: Command) -> tuple[str, ...]:
    """Return unshare's options to map users: none for root; else the user becomes root inside.

    The user's subordinate ids are mapped as well if the command needs several users.

    Source:
        unshare(1), user_namespaces(7), subuid(5).
    """
    if os.geteuid() == 0:
        return ()
    return ("--map-root-user", "--map-auto") if command.many_users else ("--map-root-user",)


def _mount_mode(bind: Bind) -> str:
    return "rw" if bind.writable else "ro"


def _resolve(path: PurePosixPath, root: Path | None) -> str:
    """Return the path with links resolved inside ``root``: a link to ``/etc`` must not lead to this machine's.

    Raises:
        ConfigurationError: the path is a link whose destination does not exist in the root.
    """
    if root is None:
        return str(path)
    view = LayeredRoot(root)
    missing: list[str] = []
    for parent in (path, *path.parents):
        resolved = view.find(str(parent))
        if resolved is not None:
            inside = PurePosixPath(resolved.path, *reversed(missing))
            if missing and (root / resolved.path.lstrip("/") / missing[-1]).is_symlink():
                raise ConfigurationError(
                    root,
                    [f"{parent / missing[-1]} is a dangling link"],
                    resolution="Repair the root, or recreate it.",
                )
            return str(inside)
        missing.append(parent.name)
    return str(path)


def _parents_to_mask(mountpoints: Iterable[str], masked: Iterable[str]) -> Iterator[str]:
    """Yield the nearest existing parent of each missing mountpoint: nothing may be written to this machine.

    Raises:
        ValueError: the only existing parent is ``/``, which cannot be masked.
    """
    covered = list(masked)
    for path in mountpoints:
        if not _is_below(path, covered):
            covered.append(path)
            if not os.path.lexists(path):
                parent = next(str(each) for each in PurePosixPath(path).parents if os.path.lexists(each))
                if parent == "/":
                    raise ValueError(f"cannot mount anything at {path}: this machine has no directory there")
                covered.append(parent)
                yield parent


def _is_below(path: str, parents: Iterable[str]) -> bool:
    return any(PurePosixPath(parent) in PurePosixPath(path).parents for parent in parents)


# The sources of bind mounts are opened first, because a mask may hide them; through /proc/self/fd their paths are never
# looked up again. Directories for the overlay are created in a tmpfs that is mounted over the root itself: no location
# needs to be chosen, nothing needs to be removed, and the overlay's options, which have no quoting, contain no paths.
# Directories that programs write to, and mountpoints, are created in the upper layer before the overlay is mounted: in
# a root whose owner has no id in the user namespace, an ordinary user cannot write to any directory, not even through
# the overlay (EOVERFLOW). With userxattr, a directory of the overlay can be removed and created again without the
# capability that trusted.overlay needs.
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
        # Not canonicalized: looked up again, the path would lead to the tmpfs just mounted over it.
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
    # Not canonicalized: looked up again, a masked path would lead to the empty directory just created there.
    mount --no-canonicalize --bind "/proc/self/fd/$fd" "$place"
    eval "exec $fd<&-"
    if test "$mode" = ro; then
        # Without root privileges, a remount must repeat the options that the filesystem was mounted with.
        mount -o remount,bind,ro "$place" 2>/dev/null || mount -o remount,bind,ro,nosuid,nodev "$place"
    fi
    fd=$((fd + 1))
done
hostname venvpkg
test -z "$new" || exec chroot "$new" /usr/bin/env -u OLDPWD --chdir="$cwd" PWD="$cwd" PATH="$path" "$@"
exec env -u OLDPWD --chdir="$cwd" PWD="$cwd" PATH="$path" "$@"
"""
