"""Build roots are created once, completely or not at all, and none in use is removed."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.targets.makers import TRIXIE, Machine
from venvpkg.errors import ConfigurationError, MissingToolError, TargetError
from venvpkg.families.deb import bootstrap as debian
from venvpkg.families.rpm import bootstrap as dnf
from venvpkg.host.command import Command, Completed
from venvpkg.model.build_root import BuildRootSettings, Repository
from venvpkg.store.dirs import Dirs
from venvpkg.store.locks import try_exclusive
from venvpkg.targets.bootstrap.store import BuildRootStore
from venvpkg.targets.selection import Selection

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.families.base import Bootstrapper
    from venvpkg.model.target import Target

SUITE = Selection("debian", "trixie")
STATUS = "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.41-12\nSection: libs\n\n"
MIRROR = BuildRootSettings(sources=("deb http://mirror.example.org/{snapshot} trixie main",), snapshot="20260801")


@dataclass
class Builder(Machine):
    """A machine whose mmdebstrap and tar write files; ``day`` is the state of the mirrors."""

    day: str = "monday"
    refuses: str = ""

    def run(self, command: Command) -> Completed:
        argv = " ".join(command.argv)
        if self.refuses and self.refuses in argv:
            self.ran.append(command)
            return Completed(100, b"", b"E: Unable to locate package\x1b[31m\n")
        if command.argv[0] == "mmdebstrap":
            (command.binds[0].source / "system.tar.zst").write_text(self.day)
        if command.argv[:2] == ("tar", "--extract"):
            self.unpack(command)
        if "dpkg-query" in command.argv:
            self.ran.append(command)
            return Completed(0, b"installed\tlibc6\t\n")
        return super().run(command)

    @staticmethod
    def unpack(command: Command) -> None:
        from pathlib import Path  # noqa: PLC0415

        root = Path(command.argv[-1])
        for name, text in (("etc/os-release", TRIXIE), ("var/lib/dpkg/status", STATUS), ("usr/sbin/x", "")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)


@pytest.fixture(autouse=True)
def _as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def systems(
    directory: Path, builder: Builder, *, settings: BuildRootSettings = MIRROR, offline: bool = False
) -> tuple[BuildRootStore, RecordingReporter]:
    reporter = RecordingReporter()
    dirs = Dirs(directory / "wheelhouse", directory / "cache")
    return BuildRootStore(dirs, lambda _: settings, builder, {}, reporter, offline), reporter


def nothing(_: Target) -> tuple[str, ...]:
    return ()


def files(directory: Path) -> list[str]:
    found = (directory / "cache" / "systems").rglob("*")
    return sorted(
        re.sub(r"[0-9a-f]{12}", "ID", path.name)
        for path in found
        if path.suffix in {".json", ".zst"} or (path.parent.name == "roots" and path.is_dir())
    )


def made(builder: Builder) -> int:
    return sum(each.argv[0] == "mmdebstrap" for each in builder.ran)


def test_a_build_root_is_created_once_from_the_users_mirrors(tmp_path: Path) -> None:
    builder = Builder()
    cache, reporter = systems(tmp_path, builder)

    first = cache.root(SUITE, nothing)
    again = cache.root(SUITE, nothing)

    (bootstrap,) = [each for each in builder.ran if each.argv[0] == "mmdebstrap"]
    assert first.path == again.path
    assert bootstrap.stdin == b"deb http://mirror.example.org/20260801 trixie main\n"
    assert '--aptopt=Acquire::Check-Valid-Until "false";' in bootstrap.argv
    assert files(tmp_path) == ["debian-trixie-ID", "debian-trixie-ID.tar.zst", "debian-trixie.json"]
    assert [each.packages for each in cache.build_roots()] == [(("libc6:amd64", "2.41-12"),)]
    assert reporter.tasks[0] == "+ system creating debian:trixie"


@pytest.mark.parametrize(("name", "nothing_else"), [("keys.gpg", "none"), ("keys", "none.gpg")])
def test_the_users_keys_are_trusted_instead_of_the_machines(tmp_path: Path, name: str, nothing_else: str) -> None:
    builder = Builder()
    keys = tmp_path / name
    keys.touch() if keys.suffix else keys.mkdir()
    cache, _ = systems(tmp_path, builder, settings=replace(MIRROR, keyring=str(keys)))

    cache.create(SUITE)

    (bootstrap,) = [each for each in builder.ran if each.argv[0] == "mmdebstrap"]
    trusted = [each for each in bootstrap.argv if each.startswith("--keyring=")]
    assert trusted == [f"--keyring={keys}", f"--keyring=/usr/src/venvpkg/{nothing_else}"]


def test_a_removed_root_is_unpacked_again(tmp_path: Path) -> None:
    builder = Builder()
    cache, _ = systems(tmp_path, builder)
    path = cache.root(SUITE, nothing).path
    (path / "etc/os-release").unlink()
    path.rename(tmp_path / "elsewhere")

    assert (cache.root(SUITE, nothing).path / "etc/os-release").is_file()
    assert made(builder) == 1


def test_the_packages_of_a_project_are_installed_in_a_copy_once(tmp_path: Path) -> None:
    builder = Builder()
    cache, _ = systems(tmp_path, builder)

    plain = cache.root(SUITE, lambda _: ("libc6",))
    layer = cache.root(SUITE, lambda _: ("libpq-dev", "libc6"))
    again = cache.root(SUITE, lambda _: ("libc6", "libpq-dev"))

    installs = [each.argv for each in builder.ran if "install" in each.argv]
    assert "+" not in plain.path.name
    assert layer.path.name.startswith(f"{plain.path.name}+")
    assert again.path == layer.path
    assert [argv[-2:] for argv in installs] == [("install", "libpq-dev")]
    assert "lasting" in installs[0]


def test_a_package_that_the_release_lacks_leaves_no_root(tmp_path: Path) -> None:
    builder = Builder(refuses="install libnone-dev")
    cache, _ = systems(tmp_path, builder)

    with pytest.raises(TargetError, match="apt-get could not install libnone-dev: exit 100") as caught:
        cache.root(SUITE, lambda _: ("libnone-dev",))

    assert "\x1b" not in str(caught.value)
    assert files(tmp_path) == ["debian-trixie-ID", "debian-trixie-ID.tar.zst", "debian-trixie.json"]
    assert list((tmp_path / "cache/work").iterdir()) == []


def test_a_build_root_that_could_not_be_created_leaves_nothing(tmp_path: Path) -> None:
    cache, _ = systems(tmp_path, Builder(refuses="mmdebstrap"))

    with pytest.raises(TargetError, match="mmdebstrap could not bootstrap debian:trixie"):
        cache.create(SUITE)

    assert files(tmp_path) == []


def test_nothing_is_created_offline(tmp_path: Path) -> None:
    builder = Builder()
    cache, _ = systems(tmp_path, builder, offline=True)

    with pytest.raises(TargetError, match="cannot be created with --offline"):
        cache.root(SUITE, nothing)

    assert builder.ran == []


def test_an_update_removes_the_old_build_root_unless_a_build_uses_it(tmp_path: Path) -> None:
    builder = Builder()
    cache, _ = systems(tmp_path, builder)
    old = cache.root(SUITE, nothing)

    builder.day = "tuesday"
    new = cache.update(SUITE)
    while_in_use = old.path.is_dir()
    path = old.path
    del old
    cache.sweep()

    assert while_in_use
    assert not path.exists()
    assert cache.root(SUITE, nothing).path.name == new.id


def test_a_build_root_that_is_being_created_is_kept(tmp_path: Path) -> None:
    cache, _ = systems(tmp_path, Builder())
    cache.create(SUITE)
    description = tmp_path / "cache/systems/debian-trixie.json"
    text = description.read_bytes()
    description.unlink()

    with try_exclusive(description.with_suffix("")):
        while_it_is_made = cache.sweep()
    description.write_bytes(text)
    afterwards = cache.sweep()

    assert (while_it_is_made, afterwards) == ((), ())
    assert len(files(tmp_path)) == 3


def test_a_layer_unused_for_a_month_is_removed_when_another_is_created(tmp_path: Path) -> None:
    cache, _ = systems(tmp_path, Builder())
    old = cache.root(SUITE, lambda _: ("libpq-dev",)).path
    recent = cache.root(SUITE, lambda _: ("libxml2-dev",)).path
    for root, days in ((old, 31), (recent, 29)):
        os.utime(root.with_name(f"{root.name}.lock"), (0, time.time() - days * 86400))

    cache.root(SUITE, lambda _: ("libxslt1-dev",))

    assert (old.exists(), recent.exists()) == (False, True)


def test_a_root_half_removed_by_a_killed_run_is_never_used_and_is_removed(tmp_path: Path) -> None:
    cache, _ = systems(tmp_path, Builder())
    layer = cache.root(SUITE, lambda _: ("libpq-dev",)).path
    left = layer.rename(layer.with_name(f"gone+{layer.name}"))

    gone = cache.sweep()

    assert gone == (left,)
    assert list(layer.parent.glob("gone*+*[0-9a-f]")) == []
    assert (cache.root(SUITE, lambda _: ("libpq-dev",)).path / "etc/os-release").is_file()


def test_a_build_root_older_than_wanted_is_recreated(tmp_path: Path) -> None:
    builder = Builder()
    cache, _ = systems(tmp_path, builder)
    old = cache.create(SUITE)
    builder.day = "tuesday"

    young_enough = cache.create(SUITE, max_age_s=3600)
    new = cache.create(SUITE, max_age_s=0)

    assert young_enough == old
    assert new.id != old.id
    assert files(tmp_path) == ["debian-trixie-ID", "debian-trixie-ID.tar.zst", "debian-trixie.json"]


def test_a_build_root_of_another_snapshot_than_the_configured_one_is_used_with_a_warning(tmp_path: Path) -> None:
    builder = Builder()
    cache, _ = systems(tmp_path, builder)
    first = cache.create(SUITE)

    later, reporter = systems(tmp_path, builder, settings=replace(MIRROR, snapshot="20261101"))
    second = later.create(SUITE)

    assert second == first
    (warning,) = reporter.warnings
    assert warning.startswith("the sources, packages or options of debian:trixie have changed")
    assert warning.endswith("run venvpkg target update debian:trixie")


def test_removing_takes_everything_and_a_second_time_nothing(tmp_path: Path) -> None:
    cache, _ = systems(tmp_path, Builder())
    cache.create(SUITE)

    assert (cache.remove(SUITE), cache.remove(SUITE)) == (True, False)
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "change",
    [{"format": 2}, {"id": "../../etc"}, {"packages": 7}, {"target": "podman:x"}, {"target": "debian:sid"}],
)
def test_an_unusable_description_is_ignored(tmp_path: Path, change: dict[str, object]) -> None:
    cache, _ = systems(tmp_path, Builder())
    cache.create(SUITE)
    path = tmp_path / "cache/systems/debian-trixie.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    assert cache.build_roots() == ()


def test_missing_mirrors_are_reported_with_where_to_configure_them(tmp_path: Path) -> None:
    cache, _ = systems(tmp_path, Builder(), settings=BuildRootSettings())

    with pytest.raises(ConfigurationError, match=r"ubuntu(.|\n)*targets\.toml"):
        cache.create(Selection("ubuntu", "noble"))


def test_an_rpm_build_root_is_created_from_the_users_repositories(tmp_path: Path) -> None:
    cache, _ = systems(tmp_path, Builder(), settings=BuildRootSettings())

    with pytest.raises(ConfigurationError, match="no repository is known"):
        cache.create(Selection("el", "9"))


def test_unchecked_signatures_are_a_warning(tmp_path: Path) -> None:
    settings = BuildRootSettings(
        repositories=(Repository("base", "file:///srv"), Repository("keyed", "file:///k", ("k",)))
    )
    cache, reporter = systems(tmp_path, Builder(refuses="dnf"), settings=settings)

    with pytest.raises(TargetError, match="dnf failed to bootstrap el:9"):
        cache.create(Selection("el", "9"))

    assert reporter.warnings == ["el:9: base has no keys, so its signatures are not checked"]


@dataclass
class DnfMachine(Machine):
    """A machine whose dnf creates a Debian root, which is enough here, and shows its configuration."""

    seen: list[tuple[str, str]] = field(default_factory=list)

    def run(self, command: Command) -> Completed:
        from pathlib import Path  # noqa: PLC0415

        if command.argv[0] == "dnf":
            home = command.binds[0].source
            self.seen.append(((home / "dnf.conf").read_text(), (home / "repositories/venvpkg.repo").read_text()))
        if command.argv[:2] == ("tar", "--create"):
            root = Path(command.argv[-2])
            Path(command.argv[command.argv.index("--file") + 1]).write_text(repo_files(root))
        return super().run(command)


def repo_files(root: Path) -> str:
    return json.dumps({each.name: each.read_text() for each in (root / "etc/yum.repos.d").iterdir()})


def test_packages_that_a_project_adds_come_from_the_same_repositories_and_proxy(tmp_path: Path) -> None:
    machine = DnfMachine()
    settings = BuildRootSettings(
        repositories=(Repository("base", "https://example.org/$releasever/$basearch", ("file:///k-$releasever",)),),
        options=("proxy=http://proxy.example.org:3128",),
    )
    selection = Selection("fedora", "43")
    (tmp_path / "work").mkdir()

    tarball = dnf.bootstrap(dnf.recipe(selection, settings, machine), tmp_path / "work", machine)
    root = tmp_path / "root"
    (root / "etc/yum.repos.d").mkdir(parents=True)
    for name, text in json.loads(tarball.read_text()).items():
        (root / "etc/yum.repos.d" / name).write_text(text)
    dnf.add_packages(root, ["libpq-devel"], machine, {})

    bootstrap, later = machine.seen
    assert later == bootstrap
    assert later[0] == "[main]\nproxy=http://proxy.example.org:3128\n"
    assert "baseurl=https://example.org/43/$basearch\n" in later[1]
    assert "gpgkey=file:///k-43\n" in later[1]


def test_repositories_of_an_rpm_build_root_are_those_of_the_configured_snapshot() -> None:
    settings = BuildRootSettings(
        repositories=(Repository("base", "https://x/{snapshot}/os", ("k",)),), snapshot="20260801"
    )

    recipe = dnf.recipe(Selection("el", "9"), settings, Machine())

    assert recipe.repositories == (Repository("base", "https://x/20260801/os", ("k",)),)


@pytest.mark.parametrize(
    ("family", "settings", "told"),
    [
        (
            dnf,
            BuildRootSettings(keyring="/k.gpg", sources=("deb",)),
            ["sources: not used for a build root of el", "keyring: not used for a build root of el"],
        ),
        (dnf, BuildRootSettings(snapshot="2026"), ["snapshot: none of the build root's URLs contains {snapshot}"]),
        (
            dnf,
            BuildRootSettings(repositories=(Repository("a", "https://x/{snapshot}"),)),
            ["a URL contains {snapshot}, but"],
        ),
        (
            debian,
            BuildRootSettings(repositories=(Repository("a", "u"),)),
            ["repositories: not used for a build root of debian"],
        ),
        (debian, BuildRootSettings(snapshot="2026"), ["snapshot: none of the build root's URLs contains {snapshot}"]),
    ],
)
def test_settings_without_effect_are_refused(
    family: Bootstrapper, settings: BuildRootSettings, told: list[str]
) -> None:
    selection = Selection("el", "9") if family is dnf else SUITE

    with pytest.raises(ConfigurationError) as caught:
        family.recipe(selection, settings, Machine())

    assert [each for each in told if not any(known.startswith(each) for known in caught.value.problems)] == []
    assert len(caught.value.problems) == len(told)


def test_a_build_root_for_another_processor_is_a_separate_one(tmp_path: Path) -> None:
    builder = Builder()
    cache, _ = systems(tmp_path, builder)
    narrow = Selection("debian", "trixie", "i386")

    cache.create(SUITE)
    cache.create(narrow)

    first, second = (each.argv for each in builder.ran if each.argv[0] == "mmdebstrap")
    assert not any(word.startswith("--architectures") for word in first)
    assert "--architectures=i386" in second
    assert [str(each.selection) for each in cache.build_roots()] == ["debian:trixie/i386", "debian:trixie"]


def test_missing_subordinate_ids_are_reported_before_anything_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    builder = Builder(refuses="true")
    cache, _ = systems(tmp_path, builder)

    with pytest.raises(MissingToolError, match=r"subordinate user ids(.|\n)*/etc/subuid"):
        cache.create(SUITE)

    assert made(builder) == 0
    assert files(tmp_path) == []


def test_what_an_ordinary_user_unpacks_is_the_users_own_and_closed_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    builder = Builder()
    cache, _ = systems(tmp_path, builder)

    cache.create(SUITE)

    (bootstrap,) = [each for each in builder.ran if each.argv[0] == "mmdebstrap"]
    assert bootstrap.many_users
    (unpack,) = [each.argv for each in builder.ran if each.argv[:2] == ("tar", "--extract")]
    assert "--no-same-owner" in unpack
    assert (tmp_path / "cache/systems/roots").stat().st_mode & 0o777 == 0o700
