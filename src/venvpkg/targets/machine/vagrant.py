"""How a machine of a Vagrantfile is reached: Vagrant is asked, and starts nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from venvpkg.errors import ConfigurationError, MissingToolError
from venvpkg.host.runner import Command
from venvpkg.targets.host import installer_here
from venvpkg.targets.machine.connection import ALIAS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from venvpkg.host.runner import Completed, Runner
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
