"""Vagrant is asked how to reach a machine, and each of its errors is reported with what to do."""

from __future__ import annotations

import pytest

from unit.fakes import ScriptedRunner, expect
from venvpkg.errors import ConfigurationError, MissingToolError
from venvpkg.host.command import Completed
from venvpkg.targets.machine.connection import ssh_settings
from venvpkg.targets.selection import Kind, Selection

MACHINE = Selection(Kind.VAGRANT, "trixie")
ASK = ("vagrant", "--machine-readable", "ssh-config")
ENV = {"LC_ALL": "C.UTF-8", "VAGRANT_CHECKPOINT_DISABLE": "1"}
STATUS = ("vagrant", "--machine-readable", "status", "trixie")


def error(kind: str, said: str = "Something is\\nwrong%!(VAGRANT_COMMA) it says.") -> Completed:
    return Completed(
        1, f"1795265106,,ui,error,{said}\n1795265106,,error-exit,Vagrant::Errors::{kind},{said}\n".encode()
    )


def test_the_settings_are_those_of_vagrants_machine_readable_output() -> None:
    answer = (
        b"1795265842,trixie,metadata,provider,lxc\n"
        b"1795265842,trixie,ssh-config,Host venvpkg\\n  HostName 10.0.3.111\\n  User a%!(VAGRANT_COMMA)b\\n\n"
        b"Host venvpkg\n  HostName, for people\n"
    )
    ours = {"VAGRANT_CWD": "/srv", "HOME": "/h"}
    host = ScriptedRunner({expect(*ASK, ..., env=ours | ENV, clean=True): Completed(0, answer)})

    settings = ssh_settings(MACHINE, host, ours)

    assert settings == "Host venvpkg\n  HostName 10.0.3.111\n  User a,b\n"
    assert host.ran[0].argv[-3:] == ("--host", "venvpkg", "trixie")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("NoEnvironmentError", r"no Vagrantfile in this directory or in a parent directory\n.*VAGRANT_CWD"),
        ("MachineNotFound", r"no machine of this name\n.*vagrant status"),
        ("VagrantfileSyntaxError", r"Something is\nwrong, it says\.\n.*vagrant ssh trixie"),
    ],
)
def test_an_error_of_vagrant_is_reported_with_what_to_do(kind: str, message: str) -> None:
    host = ScriptedRunner({expect(*ASK, ..., env=ENV, clean=True): error(kind)})

    with pytest.raises(ConfigurationError, match=message):
        ssh_settings(MACHINE, host, {})


@pytest.mark.parametrize("state", ["not created", "stopped"])
def test_a_stopped_machine_is_not_started(state: str) -> None:
    told = Completed(0, f"1795265108,trixie,state-human-short,{state}\n1795265108,trixie\nx\n".encode())
    host = ScriptedRunner(
        {expect(*ASK, ..., env=ENV, clean=True): error("SSHNotReady"), expect(*STATUS, env=ENV, clean=True): told}
    )

    with pytest.raises(ConfigurationError, match=rf"the machine is {state}(.|\n)*vagrant up trixie"):
        ssh_settings(MACHINE, host, {})


def test_other_output_of_vagrant_is_quoted() -> None:
    host = ScriptedRunner(
        {expect(*ASK, ..., env=ENV, clean=True): Completed(1, b"", b"LoadError: cannot load such file\n")}
    )

    with pytest.raises(ConfigurationError, match="LoadError: cannot load such file"):
        ssh_settings(MACHINE, host, {})


def test_the_package_of_a_missing_vagrant_is_named() -> None:
    with pytest.raises(MissingToolError, match="the program vagrant, for --target vagrant:trixie"):
        ssh_settings(MACHINE, ScriptedRunner({expect(*ASK, ..., env=ENV, clean=True): Completed(127)}), {})
