"""How a machine of a Vagrantfile is reached: Vagrant is asked, and starts nothing."""

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


def ssh_settings(selection: Selection, host: Runner, environment: Mapping[str, str]) -> str:
    """Return what ssh has to know of a running machine: an ssh_config(5) with the host ``ALIAS``.

    A machine that does not run is not started: it would go on when venvpkg ends, however that ends, and to make one is
    the user's decision, with provider, network and minutes of provisioning.

    Args:
        selection: whose place is the machine's name in the Vagrantfile, which is looked for as Vagrant does it.
        host: runs programs of this machine.
        environment: venvpkg's own variables, all of which a Vagrantfile may read.

    Raises:
        MissingToolError: there is no Vagrant.
        ConfigurationError: there is no Vagrantfile or no such machine, or it does not run.

    Source:
        Vagrant's documentation, "Machine Readable Output".
    """
    asked = _ask(("ssh-config", "--host", ALIAS, selection.place), host, environment)
    if asked.not_found:
        raise MissingToolError(
            [f"the program vagrant, for --target {selection}"], install=["vagrant"], installer=installer_here()
        )
    told = {words[0]: words[1:] for words in _told(asked)}
    settings = "".join(told.get("ssh-config", ()))
    if asked.ok and settings:
        return settings
    error, said = (*told.get("error-exit", ()), "", asked.errors.strip()[-1000:] or asked.outcome())[:2]
    up = f"vagrant up {selection.place}"
    match error:
        case "Vagrant::Errors::NoEnvironmentError":
            problem = "there is no Vagrantfile here, nor in a directory above"
            resolution = "Go to the directory of the Vagrantfile, or name it in VAGRANT_CWD."
        case "Vagrant::Errors::MachineNotFound":
            problem = "the Vagrantfile has no machine of this name"
            resolution = "See which it has: vagrant status"
        case "Vagrant::Errors::SSHNotReady":
            problem = f"the machine is {_state(selection, host, environment)}; venvpkg does not start it"
            resolution = f"Start it, which makes it first where it was never made: {up}"
        case _:
            problem = f"Vagrant does not tell how to reach it: {said}"
            resolution = (
                f"Repair what Vagrant complains about, and see whether this works: vagrant ssh {selection.place}"
            )
    raise ConfigurationError(f"--target {selection}", [problem], resolution=resolution)


def _state(selection: Selection, host: Runner, environment: Mapping[str, str]) -> str:
    """Return in Vagrant's words what a machine does instead of answering: ``not created``, ``poweroff``."""
    for words in _told(_ask(("status", selection.place), host, environment)):
        if words[0] == "state-human-short" and len(words) > 1:
            return words[1]
    return "not ready"


def _ask(words: tuple[str, ...], host: Runner, environment: Mapping[str, str]) -> Completed:
    env = {**environment, "LC_ALL": "C.UTF-8", "VAGRANT_CHECKPOINT_DISABLE": "1"}
    return host.run(Command(("vagrant", "--machine-readable", *words), env=env, clean=True, timeout_s=_TIMEOUT_S))


def _told(asked: Completed) -> Iterator[list[str]]:
    """Yield type and data of each line that is for machines: it begins with a time and a machine's name."""
    for line in asked.text.splitlines():
        time, *words = line.split(",")
        if time.isdecimal() and len(words) > 1:
            yield [
                word.replace("%!(VAGRANT_COMMA)", ",").replace("\\n", "\n").replace("\\r", "\r") for word in words[1:]
            ]


# What ssh calls the machine in our settings.
ALIAS: Final = "venvpkg"
# An exit status of ssh's own, when it cannot reach the machine or has lost it; ssh(1).
LOST: Final = 255
_GREETING: Final = "venvpkg-machine"
_OPTIONS: Final = (
    "BatchMode=yes", "ClearAllForwardings=yes", "ConnectTimeout=30", "ForwardAgent=no", "ForwardX11=no",
    "ServerAliveInterval=15",
)  # fmt: skip


class Connection:
    """A machine, as long as this object or this process lives.

    There, one process keeps mount and pid namespaces, in which everything of this run happens, and a directory for what
    is copied. It ends when its standard input does, which is when ssh ends here, however that ends; then the kernel
    kills whatever still runs in the namespaces, their mounts are gone, and the directory is removed.

    Args:
        selection: what the user calls the machine.
        settings: of ssh; see ``vagrant.ssh_settings``.
        host: runs programs of this machine.
        cache: directory of what can be had again; the connection's socket is below it.

    Raises:
        TargetError: the machine does not let us in, or lets us not become its administrator.
    """

    def __init__(self, selection: Selection, settings: str, host: Streamer, cache: Path) -> None:
        self.selection = selection
        self.host = host
        with contextlib.ExitStack() as stack:
            directory = stack.enter_context(private_directory(cache / "work"))
            (directory / "config").write_text(settings, "utf-8")
            handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            stack.callback(os.close, handle)
            # By our descriptor: the path of the cache may be longer than a socket's name can be (unix(7)).
            socket = f"ControlPath=/proc/{os.getpid()}/fd/{handle}/socket"
            options = (word for option in (*_OPTIONS, socket) for word in ("-o", option))
            ssh = ("ssh", "-T", "-F", str(directory / "config"), *options)
            # Where sshd allows no more sessions in one connection, ssh says so among what the program says, and opens
            # another connection; the program is in the same namespaces there.
            self._ssh = (*ssh, "-o", "LogLevel=FATAL")
            master = ("-o", "ControlMaster=yes", "-o", "LogLevel=ERROR")
            # Standard input that is given stays open in a stream until its end.
            keeper = Command((*ssh, *master, ALIAS, _by_administrator(("sh", "-c", _KEEP, "sh"))), stdin=b"")
            stream = stack.enter_context(host.stream(keeper))
            self._keeper, place = _greeting(stream, selection)
            self.place = PurePosixPath(place)
            weakref.finalize(self, _close, stack.pop_all())

    @property
    def root(self) -> PurePosixPath:
        """Where the machine's own filesystem is a root without anything that is mounted in it."""
        return self.place / "root"

    def by_user(self, script: str) -> tuple[str, ...]:
        """Return the command of this machine that runs shell text there, as the user that ssh logs in."""
        return (*self._ssh, ALIAS, shlex.join(("sh", "-c", script)))

    def inside(self, *argv: str) -> tuple[str, ...]:
        """Return the command of this machine that runs a program there, as administrator and in the namespaces."""
        # With the keeper's root and directory: where sshd shuts users into a directory, a namespace has another root.
        enter = ("nsenter", f"--target={self._keeper}", "--mount", "--pid", "--root", "--wd", "--")
        return (*self._ssh, ALIAS, _by_administrator((*enter, *argv)))

    def require(self) -> None:
        """Make sure that the machine is still there.

        Raises:
            TargetError: it is not.
        """
        if not self.host.run(Command((*self._ssh, "-O", "check", ALIAS))).ok:
            raise TargetError(
                f"The connection to {self.selection} was lost.",
                resolution="See whether the machine still runs, and run the command again.",
            )


def _close(stack: contextlib.ExitStack) -> None:
    with contextlib.suppress(StoppedError):  # of a runner that was stopped: ssh is gone already
        stack.close()


def _by_administrator(argv: tuple[str, ...]) -> str:
    """Return what ssh has the login shell run, whichever shell that is."""
    return shlex.join(("sh", "-c", 'test "$(id -u)" = 0 || set -- sudo -n -- "$@"; exec "$@"', "sh", *argv))


def _greeting(stream: Stream, selection: Selection) -> tuple[str, str]:
    """Return process and directory of the keeper; what a login shell prints before is passed over.

    Raises:
        TargetError: it did not come so far.
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
            f"{selection} does not let venvpkg in.",
            details=done.errors.strip()[-1000:],
            resolution=f"See whether this works: vagrant ssh {selection.place}",
        )
    raise TargetError(
        f"{selection} does not let venvpkg work: {done.outcome()}.",
        details=done.errors.strip()[-1000:],
        resolution="It needs util-linux and coreutils, a user with sudo without a password, and the permission to mount"
        " and to make namespaces: of Vagrant's docker provider, create_args = ['--cap-add', 'SYS_ADMIN'].",
    )


# The number by which others see the process is in /proc as it was before. A directory that is a filesystem of its own
# would be empty below a layer over /. A shell that is told to go on by a signal's trap waits, and then tidies up.
_KEEP: Final = f"""\
set -eu
umask 022
for each in /etc /usr /var; do
    if mountpoint -q "$each"; then
        echo "$each is a filesystem of its own, which no layer can be made over together with /" >&2
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
