"""Connect to a running machine of a Vagrantfile; no machine is started."""

from __future__ import annotations

import contextlib
import os
import shlex
import weakref
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.errors import ConfigurationError, MissingToolError, TargetError
from venvpkg.host.command import Command
from venvpkg.host.runner import StoppedError
from venvpkg.store.directories import private_directory
from venvpkg.targets.host import installer_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from venvpkg.host.command import Completed, Runner, Stream, Streamer
    from venvpkg.targets.selection import Selection


# Vagrant loads its plug-ins and the Vagrantfile at each call, and asks the provider.
_TIMEOUT_S: Final = 300.0


def ssh_settings(selection: Selection, host: Runner, environ: Mapping[str, str]) -> str:
    """Return the ssh_config(5) of a running machine, with the host ``ALIAS``.

    A stopped machine is not started: it would keep running when venvpkg ends, and creating one, with its provider,
    network and minutes of provisioning, is the user's decision.

    Args:
        selection: target whose place is the machine's name in the Vagrantfile that Vagrant finds.
        host: runs programs on this machine.
        environ: venvpkg's own environment variables, all of which a Vagrantfile may read.

    Raises:
        MissingToolError: Vagrant is not installed.
        ConfigurationError: the Vagrantfile or the machine does not exist, or the machine is not running.

    Source:
        Vagrant's documentation, "Machine Readable Output".
    """
    done = _run_vagrant(("ssh-config", "--host", ALIAS, selection.place), host, environ)
    if done.not_found:
        raise MissingToolError(
            [f"the program vagrant, for --target {selection}"], install=["vagrant"], installer=installer_here()
        )
    fields = {words[0]: words[1:] for words in _parse_machine_readable(done)}
    settings = "".join(fields.get("ssh-config", ()))
    if done.ok and settings:
        return settings
    error, message = (*fields.get("error-exit", ()), "", done.errors.strip()[-1000:] or done.outcome())[:2]
    up = f"vagrant up {selection.place}"
    match error:
        case "Vagrant::Errors::NoEnvironmentError":
            problem = "no Vagrantfile in this directory or in a parent directory"
            resolution = "Change to the directory of the Vagrantfile, or set VAGRANT_CWD to it."
        case "Vagrant::Errors::MachineNotFound":
            problem = "the Vagrantfile has no machine of this name"
            resolution = "List its machines: vagrant status"
        case "Vagrant::Errors::SSHNotReady":
            problem = f"the machine is {_machine_state(selection, host, environ)}; venvpkg does not start it"
            resolution = f"Start it, or create it if it does not exist yet: {up}"
        case _:
            problem = f"Vagrant does not report how to reach it: {message}"
            resolution = f"Fix the error that Vagrant reports, and check that this works: vagrant ssh {selection.place}"
    raise ConfigurationError(f"--target {selection}", [problem], resolution=resolution)


def _machine_state(selection: Selection, host: Runner, environ: Mapping[str, str]) -> str:
    """Return the state of a machine that is not running, as Vagrant calls it: ``not created``, ``poweroff``."""
    for words in _parse_machine_readable(_run_vagrant(("status", selection.place), host, environ)):
        if words[0] == "state-human-short" and len(words) > 1:
            return words[1]
    return "not ready"


def _run_vagrant(words: tuple[str, ...], host: Runner, environ: Mapping[str, str]) -> Completed:
    env = {**environ, "LC_ALL": "C.UTF-8", "VAGRANT_CHECKPOINT_DISABLE": "1"}
    return host.run(Command(("vagrant", "--machine-readable", *words), env=env, clean=True, timeout_s=_TIMEOUT_S))


def _parse_machine_readable(done: Completed) -> Iterator[list[str]]:
    """Yield type and data of each machine-readable line, which starts with a time and the name of a machine."""
    for line in done.text.splitlines():
        time, *words = line.split(",")
        if time.isdecimal() and len(words) > 1:
            yield [
                word.replace("%!(VAGRANT_COMMA)", ",").replace("\\n", "\n").replace("\\r", "\r") for word in words[1:]
            ]


# The machine's host name in our ssh settings.
ALIAS: Final = "venvpkg"
# ssh's own exit status, for a machine that it cannot reach or has lost; ssh(1).
LOST: Final = 255
_GREETING: Final = "venvpkg-machine"
_OPTIONS: Final = (
    "BatchMode=yes", "ClearAllForwardings=yes", "ConnectTimeout=30", "ForwardAgent=no", "ForwardX11=no",
    "ServerAliveInterval=15",
)  # fmt: skip


class Connection:
    """A connection to a machine, which lasts as long as this object or this process.

    On the machine, a keeper process holds mount and pid namespaces, in which all programs of this run are started, and
    a directory for copied files. It ends when its standard input does, which is when ssh ends on this machine for
    whatever reason. Then the kernel kills everything in the namespaces, their mounts vanish, and the directory is
    removed.

    Args:
        selection: the machine as the user names it.
        settings: ssh_config(5); see ``ssh_settings``.
        host: runs programs on this machine.
        cache: directory for files that can be recreated; the socket of the connection is below it.

    Raises:
        TargetError: the login fails, or the user cannot become administrator.
    """

    def __init__(self, selection: Selection, settings: str, host: Streamer, cache: Path) -> None:
        self.selection = selection
        self.host = host
        with contextlib.ExitStack() as stack:
            directory = stack.enter_context(private_directory(cache / "work"))
            (directory / "config").write_text(settings, "utf-8")
            handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            stack.callback(os.close, handle)
            # Through our descriptor, because the path of the cache may be too long for the name of a socket (unix(7)).
            socket = f"ControlPath=/proc/{os.getpid()}/fd/{handle}/socket"
            options = (word for option in (*_OPTIONS, socket) for word in ("-o", option))
            ssh = ("ssh", "-T", "-F", str(directory / "config"), *options)
            # If sshd allows no more sessions in one connection, ssh opens another one; the program enters the same
            # namespaces there. FATAL hides ssh's message, which would be mixed with the program's output.
            self._ssh = (*ssh, "-o", "LogLevel=FATAL")
            master = ("-o", "ControlMaster=yes", "-o", "LogLevel=ERROR")
            # With stdin set, a stream keeps standard input open until its end.
            keeper = Command((*ssh, *master, ALIAS, _by_administrator(("sh", "-c", _KEEP, "sh"))), stdin=b"")
            stream = stack.enter_context(host.stream(keeper))
            self._keeper, place = _read_greeting(stream, selection)
            self.place = PurePosixPath(place)
            weakref.finalize(self, _close, stack.pop_all())

    @property
    def root(self) -> PurePosixPath:
        """The machine's own filesystem as a root, without the filesystems mounted in it."""
        return self.place / "root"

    def by_user(self, script: str) -> tuple[str, ...]:
        """Return the command that runs a shell script on the machine, as the user that ssh logs in."""
        return (*self._ssh, ALIAS, shlex.join(("sh", "-c", script)))

    def inside(self, *argv: str) -> tuple[str, ...]:
        """Return the command that runs a program on the machine, as administrator in the keeper's namespaces."""
        # With the keeper's root and directory: if sshd confines users to a directory, the namespace has another root.
        enter = ("nsenter", f"--target={self._keeper}", "--mount", "--pid", "--root", "--wd", "--")
        return (*self._ssh, ALIAS, _by_administrator((*enter, *argv)))

    def require(self) -> None:
        """Check that the connection still exists.

        Raises:
            TargetError: it was lost.
        """
        if not self.host.run(Command((*self._ssh, "-O", "check", ALIAS))).ok:
            raise TargetError(
                f"the connection to {self.selection} was lost.",
                resolution="Check that the machine is still running, and run the command again.",
            )


def _close(stack: contextlib.ExitStack) -> None:
    with contextlib.suppress(StoppedError):  # the runner was stopped, so ssh has already ended
        stack.close()


def _by_administrator(argv: tuple[str, ...]) -> str:
    """Return the command line for the user's login shell, valid in any shell, that runs a program as administrator."""
    return shlex.join(("sh", "-c", 'test "$(id -u)" = 0 || set -- sudo -n -- "$@"; exec "$@"', "sh", *argv))


def _read_greeting(stream: Stream, selection: Selection) -> tuple[str, str]:
    """Return process and directory of the keeper; earlier output of the login shell is skipped.

    Raises:
        TargetError: the keeper could not start.
    """
    line = b""
    while piece := stream.read(1):
        line += piece
        if piece == b"\n":
            match line.decode("utf-8", "replace").split():
                case [word, keeper, place] if word == _GREETING:
                    return keeper, place
            line = b""
    done = stream.finish()
    if done.returncode == LOST:
        raise TargetError(
            f"could not log in to {selection}.",
            details=done.errors.strip()[-1000:],
            resolution=f"Check that this works: vagrant ssh {selection.place}",
        )
    raise TargetError(
        f"{selection} could not be prepared for builds: {done.outcome()}.",
        details=done.errors.strip()[-1000:],
        resolution="It needs util-linux and coreutils, a user with passwordless sudo, and permission to mount and to"
        " create namespaces (with Vagrant's docker provider, create_args = ['--cap-add', 'SYS_ADMIN']).",
    )


# The keeper reads its process number in the outer namespace from the old /proc. A separate filesystem would be empty in
# an overlay over /. With a no-op trap for signals, the shell waits for its child and then cleans up.
_KEEP: Final = f"""\
set -eu
umask 022
for each in /etc /usr /var; do
    if mountpoint -q "$each"; then
        echo "$each is a separate filesystem, which cannot be in one overlay with /" >&2
        exit 1
    fi
done
place=$(mktemp -d /var/tmp/venvpkg-XXXXXXXX)
trap 'rm -rf "$place"' EXIT
trap : HUP INT TERM PIPE
mkdir "$place/root"
unshare --mount --pid --fork --kill-child -- sh -euc '
    read -r keeper rest < /proc/self/stat
    mount --bind / "$1/root"
    mount -t proc proc /proc
    echo {_GREETING} "$keeper" "$1"
    exec cat > /dev/null
' sh "$place"
"""
