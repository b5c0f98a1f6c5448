"""Bootstrap build roots of Fedora, EL and openSUSE with this machine's dnf, from repositories that the user names."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.errors import ConfigurationError, MissingToolError, TargetError
from venvpkg.families.rpm.host import programs
from venvpkg.host.command import Bind, Command
from venvpkg.host.oserrors import require_no_environment_error
from venvpkg.model.target import Recipe
from venvpkg.targets.bootstrap.build_root import DATE, installation_failed, reject_unused_settings, stderr_tail
from venvpkg.targets.host import installer_here

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from venvpkg.host.command import Completed, Runner, Streamer
    from venvpkg.model.target import BuildRootSettings, Repository
    from venvpkg.targets.selection import Selection


_TIMEOUT_S: Final = 3600.0
_WORK: Final = PurePosixPath("/usr/src/venvpkg")
# Needed for a root to have an rpm of its own, and by every build.
_ALWAYS: Final = ("bash", "coreutils", "python3", "python3-devel", "rpm")
# The root's own repositories, for later installations and its own dnf.
_REPOSITORIES: Final = "etc/yum.repos.d"
_NAMED: Final = "venvpkg.repo"
# The user's options for this machine's dnf; the root's own dnf ignores them.
_OPTIONS: Final = "venvpkg.conf"
# The first release with its rpm database below /usr; it was in /var before.
_DATABASE_IN_USR: Final = {"fedora": 36, "el": 10, "opensuse": 0}


def recipe(selection: Selection, settings: BuildRootSettings, runner: Runner) -> Recipe:
    """Return the recipe of ``fedora:N``, ``el:N`` or ``opensuse:N``.

    Raises:
        ConfigurationError: no repository is given, or a setting has no effect.
    """
    del runner
    urls = [each.url for each in settings.repositories]
    reject_unused_settings(selection, settings, urls, of_others=("sources", "keyring"))
    if not settings.repositories:
        raise ConfigurationError(
            f"--target {selection}",
            ["no repository is known to bootstrap it from"],
            resolution=f'Add repositories to targets.toml, as [["{selection}".repositories]] with name, url and keys.',
        )
    wanted = {*_ALWAYS, *(each.package for each in programs()), *settings.packages}
    return Recipe(
        str(selection),
        selection.place,
        tuple(sorted(wanted)),
        repositories=tuple(
            replace(each, url=each.url.replace(DATE, settings.snapshot)) for each in settings.repositories
        ),
        options=settings.options,
    )


def bootstrap(recipe: Recipe, work: Path, runner: Runner) -> Path:
    """Bootstrap the build root, and return it as a compressed tarball in ``work``.

    Source:
        dnf(8), dnf.conf(5); Fedora's change "Relocate RPM to /usr".
    """
    root = work / "system"
    (root / _REPOSITORIES).mkdir(parents=True)
    lines = [line for each in recipe.repositories for line in _stanza(each, recipe.release)]
    (root / _REPOSITORIES / _NAMED).write_text("\n".join(lines), encoding="utf-8")
    (root / _REPOSITORIES / _OPTIONS).write_text("\n".join(("[main]", *recipe.options, "")), encoding="utf-8")
    in_usr = _is_in_usr(recipe)
    (root / ("usr/lib/sysimage/rpm" if in_usr else "var/lib/rpm")).mkdir(parents=True)
    done = _dnf((f"--releasever={recipe.release}", "install", *recipe.packages), root, work, runner)
    if not done.ok:
        require_no_environment_error(done.errors)
        raise TargetError(
            f"dnf failed to bootstrap {recipe.target}: {done.outcome()}.",
            details=stderr_tail(done.errors),
            resolution="Fix the repositories in targets.toml, and the URLs of their signing keys.",
        )
    tarball = work / "system.tar.zst"
    pack = ("tar", "--create", "--zstd", "--file", str(tarball), "--numeric-owner", "--xattrs", "--sort=name")
    done = runner.run(Command((*pack, "--directory", str(root), "."), timeout_s=_TIMEOUT_S))
    if not done.ok:
        require_no_environment_error(done.errors)
        raise TargetError(f"tar failed to pack {recipe.target}: {done.outcome()}.", details=stderr_tail(done.errors))
    return tarball


def add_packages(root: Path, packages: Sequence[str], host: Streamer, environ: Mapping[str, str]) -> None:
    """Install packages into a root that is not in use.

    Raises:
        TargetError: dnf failed.
    """
    del environ
    with tempfile.TemporaryDirectory(prefix="venvpkg-") as directory:
        done = _dnf(("install", *packages), root, Path(directory), host)
    if not done.ok:
        raise installation_failed("dnf", packages, done)


def _dnf(words: Sequence[str], root: Path, work: Path, runner: Runner) -> Completed:
    """Run this machine's dnf on a root, without this machine's configuration.

    Raises:
        MissingToolError: dnf is not installed.
    """
    home = work / "home"
    (home / "log").mkdir(parents=True)
    # Only the user's repositories: the release's own package of repositories adds others, on other mirrors.
    (home / "repositories").mkdir()
    shutil.copy(root / _REPOSITORIES / _NAMED, home / "repositories")
    in_usr = (root / "usr/lib/sysimage/rpm").is_dir()
    # This machine's rpm may keep its database at another path than the root's rpm.
    database = "/usr/lib/sysimage/rpm" if in_usr else "/var/lib/rpm"
    (home / ".rpmmacros").write_text(f"%_dbpath {database}\n%_db_backend sqlite\n", encoding="utf-8")
    given = root / _REPOSITORIES / _OPTIONS
    (home / "dnf.conf").write_text(
        given.read_text(encoding="utf-8") if given.is_file() else "[main]\n", encoding="utf-8"
    )
    inside = _WORK / "root"
    options = {
        "reposdir": _WORK / "home/repositories",
        "cachedir": _WORK / "home/cache",
        "persistdir": _WORK / "home/persist",
        "logdir": _WORK / "home/log",
        "install_weak_deps": "False",
    }
    done = runner.run(
        Command(
            (
                "dnf", "--assumeyes", "--quiet", "--noplugins", f"--config={_WORK}/home/dnf.conf",
                *(f"--setopt={name}={value}" for name, value in options.items()),
                f"--installroot={inside}", *words,
            ),
            env={"HOME": str(_WORK / "home")},
            binds=(Bind(home, _WORK / "home"), Bind(root, inside)),
            many_users=True,
            timeout_s=_TIMEOUT_S,
        )
    )  # fmt: skip
    if done.not_found:
        raise MissingToolError(
            ["dnf, which bootstraps build roots with rpm"], install=["dnf", "zstd"], installer=installer_here()
        )
    return done


def _is_in_usr(recipe: Recipe) -> bool:
    kind, _, _ = recipe.target.partition(":")
    major = recipe.release.partition(".")[0]
    first = _DATABASE_IN_USR[kind]
    return not major.isdecimal() or int(major) >= first


def _stanza(repository: Repository, release: str) -> tuple[str, ...]:
    """Return a repository in the syntax of dnf.conf(5); values are the user's, of one line each.

    ``$releasever`` is replaced here: for later installations, dnf would use the version that the root's own release
    package declares.
    """
    keys = " ".join(repository.keys).replace("$releasever", release)
    return (
        f"[{repository.name}]",
        f"name={repository.name}",
        f"baseurl={repository.url.replace('$releasever', release)}",
        f"gpgcheck={int(bool(repository.keys))}",
        *((f"gpgkey={keys}",) if keys else ()),
        "",
    )
