"""Disposable clean roots, of this machine's own Debian release unless made elsewhere.

What comes in: the machine's apt sources, a script, files to show it. What goes out: what the script said. A *base* is
made once by mmdebstrap and kept; each run gets an overlay over it with its upper layer in memory, in its own mount,
uts, ipc and pid namespaces. When the run ends, or is killed, the kernel takes everything away; the base never changes.

Also a command: ``cleanroot.py [--bind SOURCE:TARGET]... SCRIPT [ARGUMENT]...`` shows the output as it comes.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess  # independent of what it tests, and runs without it
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

INCLUDE = ("ca-certificates",)
RUN_TIMEOUT_S = 900
# They have no updates beside them.
ROLLING = ("sid", "unstable")
TOOLS = ("mmdebstrap", "apt-config", "dpkg", "unshare", "setpriv")

_ARCHIVE_KEYRING = re.compile(r"/usr/share/keyrings/debian-archive-[a-z0-9-]*keyring\.(?:gpg|pgp|asc)")
# How this machine reaches its mirrors; a root on it must do the same.
_CARRIED_SETTING = re.compile(r"Acquire::(?:https?::|Check-|Force|Retries)")
_CARRIED_VARIABLE = re.compile(r"(?i:https?|ftp|no|all)_proxy")
_LOCAL_CAS = Path("/usr/local/share/ca-certificates")

# $1 base, $2 an empty directory to mount on, $3 how many binds, then each one's source and target, then the script's
# arguments; the script comes on stdin.
_ENTER = r"""
set -eu
base=$1 top=$2 binds=$3
shift 3
mount -t tmpfs -o mode=0755 cleanroot "$top"
mkdir "$top/base" "$top/upper" "$top/work" "$top/root"
mount --bind "$base" "$top/base"
root=$top/root
mount -t overlay cleanroot -o "lowerdir=$top/base,upperdir=$top/upper,workdir=$top/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 cleanroot "$root/dev/shm"
hostname cleanroot
rm -f "$root/etc/resolv.conf" "$root/etc/hosts"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
echo '127.0.0.1 cleanroot' >> "$root/etc/hosts"
if [ -e "$root/usr/bin/dpkg" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
    chmod 0755 "$root/usr/sbin/policy-rc.d"
fi
while [ "$binds" -gt 0 ]; do
    binds=$((binds - 1))
    mkdir -p "$root${2%/*}"
    if [ -d "$1" ]; then mkdir -p "$root$2"; else touch "$root$2"; fi
    mount --bind "$1" "$root$2"
    mount -o remount,bind,ro "$root$2"
    shift 2
done
mkdir -m 0700 "$root/run/cleanroot"
cat > "$root/run/cleanroot/script"
exec chroot "$root" /bin/bash /run/cleanroot/script "$@" < /dev/null
"""


class CleanRootError(Exception):
    """No clean root can be made or used; the text says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a script did: its exit code and all it wrote."""

    code: int
    stdout: str
    stderr: str

    @property
    def transcript(self) -> str:
        """Everything there is to read, for the message of a failed assertion."""
        return f"exit code {self.code}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


@dataclass(frozen=True, slots=True)
class Source:
    """One repository: what a line of sources.list(5) holds."""

    uri: str
    suite: str
    components: tuple[str, ...]
    keyring: str | None

    def __str__(self) -> str:
        """The line."""
        option = f"[signed-by={self.keyring}] " if self.keyring else ""
        return f"deb {option}{self.uri} {self.suite} {' '.join(self.components)}"


def emulation_problem() -> str | None:
    """Return why this machine cannot make a clean root, or None when it can."""
    if os.geteuid() != 0:
        return "a clean root needs root"
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"a clean root needs {', '.join(missing)}; run tests/setup"
    return None


@dataclass(frozen=True, slots=True)
class CleanRoot:
    """A root of which each run sees a fresh overlay.

    Attributes:
        base: its files, which no run changes.
        mount_point: an empty directory.
    """

    base: Path
    mount_point: Path

    @classmethod
    def of_this_release(cls, cache: Path | None = None) -> Self:
        """Return a root with Debian's essential packages, apt and ``INCLUDE`` only, made now or found in ``cache``.

        Raises:
            CleanRootError: an obstacle, no usable apt source, or mmdebstrap failed.
        """
        return cls._made(None, INCLUDE, cache)

    @classmethod
    def of_release(cls, release: str, packages: Sequence[str], cache: Path | None = None) -> Self:
        """Return a root of any release of Debian, by its code name, with further packages; made now or found.

        Raises:
            CleanRootError: an obstacle, no usable apt source, or mmdebstrap failed.
        """
        return cls._made(release, (*INCLUDE, *packages), cache)

    @classmethod
    def _made(cls, release: str | None, packages: tuple[str, ...], cache: Path | None) -> Self:
        if reason := emulation_problem():
            raise CleanRootError(reason)
        where = cache or default_cache()
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        mount_point = where / "mnt"
        mount_point.mkdir(exist_ok=True)
        return cls(_Recipe.by_this_machine(release, packages).make_in(where), mount_point)

    def command(self, binds: Mapping[Path, PurePosixPath], arguments: Sequence[str], *, network: bool) -> list[str]:
        """Return the argument vector that runs the script on its stdin inside a fresh overlay."""
        pairs = [str(part) for source, target in binds.items() for part in (source.resolve(strict=True), target)]
        return [
            *("setpriv", "--pdeathsig", "KILL"),
            *("unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--propagation", "private"),
            *(() if network else ("--net",)),
            *("bash", "-c", _ENTER, "cleanroot", str(self.base), str(self.mount_point), str(len(binds)), *pairs),
            *arguments,
        ]

    def run(  # noqa: PLR0913  # each is one independent thing about a run
        self,
        script: str,
        *,
        binds: Mapping[Path, PurePosixPath] | None = None,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        network: bool = True,
        timeout_s: float = RUN_TIMEOUT_S,
    ) -> Outcome:
        """Run a bash script as root inside a fresh overlay.

        Args:
            script: its text; it reads an empty stdin and ends with everything that it started.
            binds: files and directories of this machine, shown read-only at a path inside.
            arguments: ``$1`` and so on.
            environment: added to the small neutral one that it gets.
            network: this machine's network, else none.
            timeout_s: wall-clock seconds.

        Raises:
            CleanRootError: the script took too long; the error holds what it wrote.
        """
        process = subprocess.Popen(
            self.command(binds or {}, arguments, network=network),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**_environment(), **(environment or {})},
        )
        with process:
            try:
                stdout, stderr = process.communicate(script, timeout_s)
            except subprocess.TimeoutExpired as error:
                process.kill()
                outcome = Outcome(-1, *process.communicate())
                raise CleanRootError(f"no end after {timeout_s} s; {outcome.transcript}") from error
            finally:
                process.kill()
        return Outcome(process.returncode, stdout, stderr)

    def show(self, script: Path, *, binds: Mapping[Path, PurePosixPath], arguments: Sequence[str]) -> int:
        """Run a script as ``run`` does, but with its output going where ours goes. Return its exit code."""
        with script.open("rb") as text:
            command = self.command(binds, arguments, network=True)
            return subprocess.run(command, stdin=text, env=_environment(), check=False).returncode


@dataclass(frozen=True, slots=True)
class _Recipe:
    """All that decides what is in a base."""

    codename: str
    architecture: str
    sources: tuple[Source, ...]
    settings: tuple[str, ...]
    packages: tuple[str, ...]
    certificates: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def by_this_machine(cls, release: str | None, packages: tuple[str, ...]) -> Self:
        """Return the recipe of a release, None for the machine's own, from the mirrors that the machine uses."""
        suite = codename()
        sources = debian_sources(read_sources(), suite)
        if not sources:
            raise CleanRootError(f"no source under /etc/apt is Debian's own for {suite}")
        if release is not None:
            sources = tuple(replace(each, suite=each.suite.replace(suite, release, 1)) for each in sources)
            if release in ROLLING:
                sources = tuple(each for each in sources if each.suite == release)
        if any(":" in each for each in packages):
            # A package of several architectures must be of one version in all; updates come to some sooner.
            sources = tuple(each for each in sources if each.suite == (release or suite))
        dump = _output("apt-config", "dump").splitlines()
        return cls(
            release or suite,
            _output("dpkg", "--print-architecture").strip(),
            sources,
            tuple(line for line in dump if _CARRIED_SETTING.match(line)),
            packages,
            {path.name: path.read_text() for path in sorted(_LOCAL_CAS.glob("*.crt"))},
        )

    @property
    def name(self) -> str:
        parts = (self.packages, [str(source) for source in self.sources], self.settings, self.certificates)
        return f"{self.codename}-{self.architecture}-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]}"

    @property
    def _foreign(self) -> list[str]:
        """Other architectures of packages such as ``libpq5:arm64``; nothing of theirs runs."""
        return sorted({architecture for each in self.packages if (architecture := each.partition(":")[2])})

    def make_in(self, cache: Path) -> Path:
        """Return the base's directory, whole or not there at all; one process makes it, others wait for it."""
        base = cache / self.name
        with locked(cache / f"{self.name}.lock"):
            if not base.is_dir():
                for left_behind in cache.glob(f"{self.name}.part-*"):
                    shutil.rmtree(left_behind)
                part = Path(tempfile.mkdtemp(prefix=f"{self.name}.part-", dir=cache))
                try:
                    self._bootstrap(part / "root")
                    (part / "root").rename(base)
                finally:
                    shutil.rmtree(part)
        return base

    def _bootstrap(self, root: Path) -> None:
        sys.stderr.write(f"Making a clean root of {self.codename}; it is kept for the next time.\n")
        completed = subprocess.run(
            [
                *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=directory"),
                f"--architectures={','.join((self.architecture, *self._foreign))}",
                f"--include={','.join(self.packages)}",
                *(f"--aptopt={line}" for line in ('APT::Install-Recommends "false"', *self.settings)),
                *(self.codename, str(root), "-"),
            ],
            input="".join(f"{source}\n" for source in self.sources),
            capture_output=True,
            text=True,
            check=False,
        )
        if completed.returncode != 0:
            raise CleanRootError(f"mmdebstrap failed:\n{completed.stderr[-4000:]}")
        if self.certificates:
            for name, text in self.certificates.items():
                (root / _LOCAL_CAS.relative_to("/") / name).write_text(text)
            _output("chroot", str(root), "/usr/sbin/update-ca-certificates")


def debian_sources(sources: Sequence[Source], codename: str) -> tuple[Source, ...]:
    """Return those that are the release itself, its updates or its security updates, signed by Debian."""
    suites = {codename, f"{codename}-updates", f"{codename}-security"}
    return tuple(
        source
        for source in sources
        if source.suite in suites and (source.keyring is None or _ARCHIVE_KEYRING.fullmatch(source.keyring))
    )


def parse_one_line(text: str) -> Iterator[Source]:
    """Return the binary repositories in a file of one-line entries. Source: sources.list(5)."""
    for line in text.splitlines():
        match = re.fullmatch(r"\s*deb\s+(?:\[([^]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)(?:#.*)?", line)
        if match is None:
            continue
        options = dict(option.split("=", 1) for option in (match[1] or "").split() if "=" in option)
        yield Source(match[2], match[3], tuple(match[4].split()), options.get("signed-by"))


def parse_deb822(text: str) -> Iterator[Source]:
    """Return the enabled binary repositories in a file of deb822 stanzas. Source: sources.list(5)."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", lines):
        unfolded = re.sub(r"\n[ \t]+", " ", stanza)
        pairs = (line.partition(":") for line in unfolded.splitlines())
        fields = {name.strip().lower(): value.strip() for name, separator, value in pairs if separator}
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in {"no", "false", "0"}:
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Source(uri, suite, tuple(fields.get("components", "").split()), fields.get("signed-by"))


def read_sources(etc_apt: Path = Path("/etc/apt")) -> tuple[Source, ...]:
    """Return the repositories that a machine's apt reads, each once."""
    one_line = [path for path in (etc_apt / "sources.list",) if path.is_file()]
    found = [
        *(source for path in one_line for source in parse_one_line(path.read_text())),
        *(
            source
            for path in sorted(etc_apt.glob("sources.list.d/*.list"))
            for source in parse_one_line(path.read_text())
        ),
        *(
            source
            for path in sorted(etc_apt.glob("sources.list.d/*.sources"))
            for source in parse_deb822(path.read_text())
        ),
    ]
    return tuple(dict.fromkeys(found))


def codename() -> str:
    """Return the name of this machine's release."""
    match = re.search(r'^VERSION_CODENAME="?([a-z]+)"?$', Path("/etc/os-release").read_text(), re.MULTILINE)
    if match is None:
        raise CleanRootError("/etc/os-release names no release")
    return match[1]


def default_cache() -> Path:
    """Return the directory that keeps what takes long to make."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "venvpkg-tests"


def _environment() -> dict[str, str]:
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "DEBIAN_FRONTEND": "noninteractive",
        **{name: value for name, value in os.environ.items() if _CARRIED_VARIABLE.fullmatch(name)},
    }


def _output(*command: str) -> str:
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    if completed.returncode != 0:
        raise CleanRootError(f"{command[0]} failed: {completed.stderr.strip()}")
    return completed.stdout


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that other processes wait for."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Run one script in a clean root, output shown as it comes. Return its exit code."""
    parser = argparse.ArgumentParser(description="Run a script in a disposable clean root of this release.")
    parser.add_argument("--bind", action="append", default=[], metavar="SOURCE:TARGET", help="show a file read-only")
    parser.add_argument("script", type=Path)
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    pairs = [text.rpartition(":") for text in options.bind]
    try:
        root = CleanRoot.of_this_release()
        binds = {Path(source): PurePosixPath(target) for source, _, target in pairs}
        return root.show(options.script, binds=binds, arguments=options.arguments)
    except (CleanRootError, OSError) as error:
        sys.stderr.write(f"cleanroot: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
