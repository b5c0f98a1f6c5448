"""Bootstrap build roots of Debian and Ubuntu with mmdebstrap, from the mirrors in this machine's apt sources."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.errors import ConfigurationError, MissingToolError, TargetError
from venvpkg.families.deb.deb822 import parse_stanzas
from venvpkg.families.deb.host import programs
from venvpkg.host.command import Bind, Command
from venvpkg.host.oserrors import require_no_environment_error
from venvpkg.model.target import Recipe
from venvpkg.targets.bootstrap.build_root import DATE, installation_failed, reject_unused_settings, stderr_tail
from venvpkg.targets.host import installer_here, read_release
from venvpkg.targets.root import RootRunner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from venvpkg.host.command import Runner, Streamer
    from venvpkg.model.target import BuildRootSettings
    from venvpkg.targets.selection import Selection


# Suffixes of further suites of a release; Debian's unstable has none of them.
_SUITE_SUFFIXES: Final = ("-updates", "-security")
_ROLLING: Final = frozenset({"sid", "unstable", "rc-buggy", "experimental"})
_ONE_LINE: Final = re.compile(r"\s*deb\s+(?:\[([^]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)(?:#.*)?")


@dataclass(frozen=True, slots=True)
class AptSource:
    """A repository in apt's sources.

    Attributes:
        uri: URI of the archive.
        suite: suite or codename, ``bookworm-updates``.
        components: components, ``main``.
        keyring: file with the keys that sign it; empty for the keys that apt trusts.
    """

    uri: str
    suite: str
    components: tuple[str, ...]
    keyring: str = ""

    def __str__(self) -> str:
        """Return the repository as a line of sources.list(5)."""
        option = f"[signed-by={self.keyring}] " if self.keyring else ""
        return f"deb {option}{self.uri} {self.suite} {' '.join(self.components)}"


def sources_on_same_mirrors(sources: Iterable[AptSource], here: str, there: str) -> tuple[AptSource, ...]:
    """Return the repositories of the release ``there``, derived from those of the release ``here``; unique, in order.

    Other suites, such as a vendor's, say nothing about another release and are left out. So are repositories whose keys
    are not those of the release's archive.
    """
    suites = {here, *(f"{here}{each}" for each in _SUITE_SUFFIXES)}
    found = (
        replace(each, suite=each.suite.replace(here, there, 1))
        for each in sources
        if each.suite in suites and (not each.keyring or "-archive-" in each.keyring)
    )
    return tuple(dict.fromkeys(each for each in found if there not in _ROLLING or each.suite == there))


# apt itself does not report enough: at least up to 3.0, ``apt-get indextargets`` does not print keyrings, nor
# repositories whose lists are missing, as in most container images.
def read_apt_sources(directory: Path) -> tuple[AptSource, ...]:
    """Return the repositories configured in a directory such as /etc/apt, unique.

    Source:
        sources.list(5).
    """
    found: list[AptSource] = []
    for path in (directory / "sources.list", *sorted(directory.glob("sources.list.d/*"))):
        if path.is_file() and path.suffix in {".list", ".sources"}:
            text = path.read_text(encoding="utf-8", errors="replace")
            found.extend(one_line_sources(text) if path.suffix == ".list" else deb822_sources(text))
    return tuple(dict.fromkeys(found))


def one_line_sources(text: str) -> Iterator[AptSource]:
    """Yield the binary repositories in a file of one-line entries."""
    for line in text.splitlines():
        entry = _ONE_LINE.fullmatch(line)
        if entry is not None:
            options = dict(option.split("=", 1) for option in (entry[1] or "").split() if "=" in option)
            yield AptSource(entry[2], entry[3], tuple(entry[4].split()), options.get("signed-by", ""))


def deb822_sources(text: str) -> Iterator[AptSource]:
    """Yield the enabled binary repositories in a file of deb822 stanzas, except for those with embedded keys."""
    # apt allows comments anywhere, and treats a line of white space as empty. Errors stop apt, but not us.
    lines = (line.rstrip() for line in text.splitlines() if not line.startswith("#"))
    stanzas, _ = parse_stanzas("\n".join(lines))
    for stanza in stanzas:
        fields = {name: " ".join(value.split()) for name, value in stanza.items()}
        is_enabled = fields.get("enabled", "yes").lower() not in {"no", "false", "0"}
        keyring = fields.get("signed-by", "")
        if "deb" not in fields.get("types", "").split() or not is_enabled or " " in keyring:
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield AptSource(uri, suite, tuple(fields.get("components", "").split()), keyring)


_TIMEOUT_S: Final = 3600.0
# distro-info-data has the number of Debian's next release. A prepare command with network may need certificates.
_ALWAYS: Final = ("ca-certificates", "distro-info-data", "python3", "python3-dev")
# apt's settings for access to mirrors and for its checks; a build root from the same mirrors gets the same.
_COPIED_SETTINGS: Final = re.compile(r"Acquire::(?:https?::|Check-|Force|Retries)")
_AUTHORITIES: Final = PurePosixPath("/usr/local/share/ca-certificates")
# Names become words in mmdebstrap's hooks, which a shell runs.
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_WORK: Final = PurePosixPath("/usr/src/venvpkg")
# No package may start a service in a root: invoke-rc.d(8).
_POLICY: Final = "#!/bin/sh\nexit 101\n"
_FRONTEND: Final = {"DEBIAN_FRONTEND": "noninteractive"}


def recipe(selection: Selection, settings: BuildRootSettings, runner: Runner, machine: Path = Path("/")) -> Recipe:
    """Return the recipe of the build root ``debian:SUITE`` or ``ubuntu:SUITE``.

    Args:
        selection: a selection of this family.
        settings: the user's settings for the build root.
        runner: runs programs on this machine.
        machine: root of this machine's filesystem.

    Raises:
        ConfigurationError: no mirror is known, or a setting would have no effect.
    """
    reject_unused_settings(selection, settings, settings.sources, of_others=("repositories",))
    sources = settings.sources or _sources_of_machine(selection, machine)
    dump = runner.run(Command(("apt-config", "dump"), timeout_s=60))
    copied = tuple(line for line in dump.text.splitlines() if _COPIED_SETTINGS.match(line))
    valid = ('Acquire::Check-Valid-Until "false";',) if settings.snapshot else ()
    return Recipe(
        str(selection),
        selection.place,
        tuple(sorted({*_ALWAYS, *(each.package for each in programs()), *settings.packages})),
        sources=tuple(line.replace(DATE, settings.snapshot) for line in sources),
        options=('APT::Install-Recommends "false";', *copied, *valid, *settings.options),
        keyring=settings.keyring,
        architecture=selection.architecture,
        certificates=tuple(
            (path.name, path.read_text(encoding="utf-8", errors="replace"))
            for path in sorted((machine / _AUTHORITIES.relative_to("/")).glob("*.crt"))
            if _PLAIN_NAME.fullmatch(path.name)
        ),
    )


def bootstrap(recipe: Recipe, work: Path, runner: Runner) -> Path:
    """Bootstrap a build root, and return it as a compressed tarball in ``work``.

    mmdebstrap runs in separate namespaces: a run that is killed leaves no mount and no process. apt's package lists are
    kept, because builds use them to find out which packages the release has.

    Raises:
        MissingToolError: mmdebstrap is not installed.
        TargetError: mmdebstrap failed.

    Source:
        mmdebstrap(1).
    """
    certificates = work / "certificates"
    certificates.mkdir()
    for name, text in recipe.certificates:
        (certificates / name).write_text(text, encoding="utf-8")
    shown = [str(_WORK / "certificates" / name) for name, _ in recipe.certificates]
    (work / "tmp").mkdir()
    trust = (
        (
            f"--customize-hook=copy-in {' '.join(shown)} {_AUTHORITIES}",
            '--customize-hook=chroot "$1" update-ca-certificates',
        )
        if recipe.certificates
        else ()
    )
    done = runner.run(
        Command(
            (
                "mmdebstrap", "--mode=root", "--variant=minbase", "--format=tar",
                # check/qemu needs the program arch-test; the processor has already been checked.
                "--skip=cleanup/apt/lists,check/qemu",
                *((f"--architectures={recipe.architecture}",) if recipe.architecture else ()),
                f"--include={','.join(recipe.packages)}",
                *(f"--aptopt={line}" for line in recipe.options),
                *(_keyring_options(recipe.keyring, work) if recipe.keyring else ()),
                *trust,
                recipe.release, str(_WORK / "system.tar.zst"), "-",
            ),
            env={"TMPDIR": str(_WORK / "tmp")} | _FRONTEND,
            stdin="".join(f"{line}\n" for line in recipe.sources).encode(),
            binds=(Bind(work, _WORK),),
            many_users=True,
            timeout_s=_TIMEOUT_S,
        )
    )  # fmt: skip
    if done.not_found:
        raise MissingToolError(
            [f"mmdebstrap, which bootstraps {recipe.target}"],
            install=["mmdebstrap", "zstd"],
            installer=installer_here(),
        )
    if not done.ok:
        require_no_environment_error(done.errors)
        raise TargetError(
            f"mmdebstrap could not bootstrap {recipe.target}: {done.outcome()}.",
            details=stderr_tail(done.errors),
            resolution="Set mirrors that have this release, and its keyring, in targets.toml.",
        )
    return work / "system.tar.zst"


def _keyring_options(keyring: str, work: Path) -> tuple[str, ...]:
    """Return the options to trust only the keys of ``keyring``, and not those of this machine's apt.

    apt has a setting for a file of keys and one for a directory of them; mmdebstrap sets the one for each argument.

    Source:
        mmdebstrap(1), --keyring; apt.conf(5), Dir::Etc::Trusted and Dir::Etc::TrustedParts.
    """
    if Path(keyring).is_dir():
        (work / "none.gpg").touch()
        return f"--keyring={keyring}", f"--keyring={_WORK / 'none.gpg'}"
    (work / "none").mkdir()
    return f"--keyring={keyring}", f"--keyring={_WORK / 'none'}"


def add_packages(root: Path, packages: Sequence[str], host: Streamer, environ: Mapping[str, str]) -> None:
    """Install packages into a root without other users; outdated package lists are updated.

    Raises:
        TargetError: apt-get failed.
    """
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text(_POLICY, encoding="utf-8")
    policy.chmod(0o755)
    inside = RootRunner(root, host, environ, lasting=True)
    install = ("apt-get", "--quiet", "--yes", "--no-install-recommends", "install", *packages)
    done = inside.run(Command(install, env=_FRONTEND, many_users=True, timeout_s=_TIMEOUT_S))
    if not done.ok:
        update = ("apt-get", "--quiet", "update")
        inside.run(Command(update, env=_FRONTEND, many_users=True, timeout_s=_TIMEOUT_S))
        done = inside.run(Command(install, env=_FRONTEND, many_users=True, timeout_s=_TIMEOUT_S))
    if not done.ok:
        raise installation_failed("apt-get", packages, done)
    inside.run(Command(("apt-get", "clean"), many_users=True, timeout_s=_TIMEOUT_S))


def _sources_of_machine(selection: Selection, machine: Path) -> tuple[str, ...]:
    try:
        here = read_release(machine)
    except ConfigurationError:
        here = None
    found: tuple[AptSource, ...] = ()
    if here is not None and here.id == selection.kind:
        found = sources_on_same_mirrors(read_apt_sources(machine / "etc/apt"), here.codename, selection.place)
    if not found:
        raise ConfigurationError(
            f"--target {selection}",
            [f"no mirror of {selection.kind} is known: this machine's apt has none"],
            resolution=f'Set them in targets.toml, in the table ["{selection}"]: sources = ["deb [signed-by=FILE] URL'
            f' {selection.place} main"].',
        )
    return tuple(map(str, found))
