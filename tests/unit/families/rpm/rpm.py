"""An rpm and a dnf that answer from tables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from venvpkg.host.command import Command, Completed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERSION = "1.0-1.el9"


@dataclass
class Rpm:
    """A Runner that knows rpm's questions about what is installed, and dnf's about repositories.

    ``installed`` and ``available`` map a package to what it provides beside itself, ``files`` a path to the installed
    package that ships it, ``versions`` a package to a version other than ``VERSION``, ``repository_files`` a path to a
    package of the repositories.
    """

    installed: Mapping[str, Sequence[str]]
    files: Mapping[str, str] = field(default_factory=dict)
    available: Mapping[str, Sequence[str]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    repository_files: Mapping[str, str] = field(default_factory=dict)
    dnf: Completed = field(default_factory=lambda: Completed(0))
    ran: list[Command] = field(default_factory=list)

    def run(self, command: Command) -> Completed:
        self.ran.append(command)
        match command.argv:
            case ("rpm", "--query", "--all", *_):
                return Completed(0, "".join(self._provides()).encode())
            case ("rpm", "--query", "--queryformat", _, "--file", path):
                owner = self.files.get(path)
                return Completed(0, f"{self._package(owner)}\n".encode()) if owner else Completed(1)
            case ("dnf", "--quiet", "--cacheonly", "repoquery", "--queryformat", _, "--file", path):
                name = self.repository_files.get(path)
                return Completed(0, f"{name}|{VERSION}|x86_64\n".encode() if name else b"")
            case ("dnf", "--quiet", "repoquery", "--provides", name):
                return Completed(0, "\n".join(self.available[name]).encode())
            case ("dnf", "--quiet", "repoquery", *options):
                wanted = options[options.index("--whatprovides") + 1 :: 2]
                names = [name for name, provided in self.available.items() if set(wanted) & set(provided)]
                return (
                    self.dnf
                    if not self.dnf.ok
                    else Completed(0, "".join(f"{n}|{VERSION}|x86_64\n\n" for n in names).encode())
                )
            case _:
                raise AssertionError(f"no answer for: {command}")

    def _provides(self) -> list[str]:
        lines = ["gpg-pubkey\t0\tfd431d51-4ae0493b\t(none)\n"]
        for name, provided in self.installed.items():
            for each in (f"{name} = {VERSION}", *provided):
                bare, flags, version = (*re.split(r" (=) ", each), "", "")[:3]
                lines.append(f"{self._package(name)}\t{bare}\t {flags} \t{version}\n")
        return lines

    def _package(self, name: str) -> str:
        epoch, colon, version = self.versions.get(name, VERSION).rpartition(":")
        return f"{name}\t{epoch if colon else 0}\t{version}\tx86_64"


PYTHON = {"python3": ("python(abi) = 3.11",)}
PYTHON_FILES = {"/usr/bin/python3.11": "python3"}
GLIBC = {"glibc": ("libc.so.6()(64bit)", "libc.so.6(GLIBC_2.34)(64bit)", "libm.so.6()(64bit)", "rtld(GNU_HASH)")}
