"""What the release has already is found and told, and kept apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pytest

from unit.fakes import RecordingReporter, ScriptedRunner, expect
from unit.families.deb.dpkg import Dpkg, database
from unit.places import Dirs
from unit.samples import PREFIX, a_spec, debian_12, on_target
from venvpkg.families.deb.collisions import avoid_collisions, warn_if_name_taken
from venvpkg.host.command import Bind, Command, Completed
from venvpkg.model.package import PackageSpec, Relations
from venvpkg.model.project import ExtraFile, ProjectFiles

MADISON = b" borgbackup |    1.2.4-1 | http://mirror.example/debian bookworm/main amd64 Packages\n"
NEWER = b" borgbackup | 1.2.4-1+deb12u1 | http://mirror.example/debian bookworm-updates/main amd64 Packages\n"
OURS = b" borgbackup | 1.4.5-1~debian12+2 | http://mirror.example/own stable/main amd64 Packages\n"
# A cache that cannot be made.
NOWHERE = Path("/proc/nowhere")


@dataclass
class Machine:
    """A machine with installed packages, and apt-file's answer."""

    dpkg: Dpkg
    apt_file: Completed = field(default_factory=lambda: Completed(127))
    asked: list[bytes | None] = field(default_factory=list)

    def run(self, command: Command) -> Completed:
        if command.argv[0] != "apt-file":
            return self.dpkg.run(command)
        self.asked.append(command.stdin)
        return self.apt_file


@pytest.fixture
def places(tmp_path: Path) -> Dirs:
    made = Dirs.below(tmp_path)
    database(made)
    (made.root / "bin").symlink_to("usr/bin")
    for command in ("app", "app-tool"):
        made.text(f"/usr/bin/{command}", "")
    return made


def avoided(places: Dirs, machine: Machine, reporter: RecordingReporter, **changes: object) -> tuple[str, ...]:
    links = tuple((PurePosixPath("/usr/bin") / each, PREFIX / "bin" / each) for each in ("app", "app-tool"))
    spec: PackageSpec = a_spec(links=links, **changes)
    return avoid_collisions(spec, on_target(places.target(), machine, reporter, NOWHERE)).relations.conflicts


def namesake(*lines: bytes, name: str = "borgbackup") -> list[str]:
    reporter = RecordingReporter()
    runner = ScriptedRunner({expect("apt-cache", ...): Completed(0, b"".join(lines))})
    warn_if_name_taken(name, on_target(debian_12(), runner, reporter, NOWHERE))
    return reporter.warnings


def test_a_package_of_the_same_name_is_told_with_its_highest_version() -> None:
    (warning,) = namesake(MADISON, NEWER)

    assert "debian 12 has its own package borgbackup 1.2.4-1+deb12u1:" in warning


def test_our_own_packages_in_a_repository_are_no_namesakes() -> None:
    assert namesake(OURS) == []
    assert len(namesake(OURS, MADISON)) == 1


def test_an_index_without_the_name_says_nothing() -> None:
    assert namesake() == []
    assert namesake(b"garbage\n", b"a | b\n", b"|||\n") == []


def test_without_apt_nothing_is_known() -> None:
    reporter = RecordingReporter()

    warn_if_name_taken(
        "app", on_target(debian_12(), ScriptedRunner({expect("apt-cache", ...): Completed(127)}), reporter, NOWHERE)
    )

    assert reporter.warnings == []


def test_apt_keeps_its_parsed_index_for_the_next_build(tmp_path: Path) -> None:
    parsed = tmp_path / "apt/debian-12-amd64"
    runner = ScriptedRunner({expect("apt-cache", ..., binds=(Bind.in_place(parsed),)): Completed(0)})

    warn_if_name_taken("app", on_target(debian_12(), runner, RecordingReporter(), tmp_path))

    (command,) = runner.ran
    assert f"Dir::Cache::pkgcache={parsed}/pkgcache.bin" in command.argv
    assert command.argv[-3:] == ("madison", "--", "app")
    assert parsed.is_dir()


def test_an_index_that_apt_could_not_write_whole_is_removed(tmp_path: Path) -> None:
    unfinished = tmp_path / "apt/debian-12-amd64/pkgcache.bin.6Glo9R"
    unfinished.parent.mkdir(parents=True)
    unfinished.write_bytes(b"half")

    runner = ScriptedRunner({expect("apt-cache", ..., binds=(Bind.in_place(unfinished.parent),)): Completed(100)})
    warn_if_name_taken("app", on_target(debian_12(), runner, RecordingReporter(), tmp_path))

    assert not unfinished.exists()


def test_an_installed_package_with_the_same_command_becomes_a_conflict(places: Dirs) -> None:
    reporter = RecordingReporter()

    conflicts = avoided(places, Machine(Dpkg({"/usr/bin/app": "other:amd64", "/bin/app-tool": "tools"})), reporter)

    assert conflicts == ("other", "tools")
    assert [warning.partition(": ")[0] for warning in reporter.warnings] == [
        "the package other also ships /usr/bin/app",
        "the package tools also ships /usr/bin/app-tool",
    ]


def test_a_file_of_the_project_in_the_place_of_another_packages_is_a_conflict_too(places: Dirs) -> None:
    reporter, place = RecordingReporter(), PurePosixPath("/etc/bash.bashrc")
    places.text(str(place), "")
    files = (ExtraFile(Path("/src/bashrc"), place, 0o644), ExtraFile(Path("/src/own"), PREFIX / "own", 0o644))

    conflicts = avoided(places, Machine(Dpkg({str(place): "bash"})), reporter, project_files=ProjectFiles(files))

    assert conflicts == ("bash",)
    assert reporter.warnings[0].startswith("the package bash also ships /etc/bash.bashrc:")


def test_a_package_that_could_be_installed_is_found_by_apt_file(places: Dirs) -> None:
    answer = b"app: /usr/bin/app\nother: /usr/bin/app\nother: /bin/app-tool\nfurther: /usr/bin/application\n"
    machine, reporter = Machine(Dpkg({}), Completed(0, answer)), RecordingReporter()

    assert avoided(places, machine, reporter) == ("other",)
    assert machine.asked == [b"/usr/bin/app\n/bin/app\n/usr/bin/app-tool\n/bin/app-tool\n"]
    assert "/usr/bin/app, /usr/bin/app-tool" in reporter.warnings[0]


@pytest.mark.parametrize("answer", [Completed(127), Completed(3, b"", b"E: The cache is empty."), Completed(-9)])
def test_without_apt_files_index_the_installed_packages_are_asked(places: Dirs, answer: Completed) -> None:
    assert avoided(places, Machine(Dpkg({"/usr/bin/app": "other"}), answer), RecordingReporter()) == ("other",)


def test_the_same_package_in_another_version_is_no_collision(places: Dirs) -> None:
    reporter = RecordingReporter()

    assert avoided(places, Machine(Dpkg({"/usr/bin/app": "app:amd64"})), reporter) == ()
    assert reporter.warnings == []


@pytest.mark.parametrize("key", ["conflicts", "breaks", "replaces", "provides"])
def test_what_the_user_declared_is_left_alone(places: Dirs, key: str) -> None:
    reporter = RecordingReporter()
    relations = Relations(**{key: ("other (= 2)",)})

    conflicts = avoided(places, Machine(Dpkg({"/usr/bin/app": "other"})), reporter, relations=relations)

    assert conflicts == relations.conflicts
    assert reporter.warnings == []


def test_a_link_of_update_alternatives_is_in_nobodys_way(places: Dirs) -> None:
    places.text("/usr/bin/app-real", "")
    link = places.root / "usr/bin/app"
    link.unlink()
    link.symlink_to("/usr/bin/app-real")

    assert avoided(places, Machine(Dpkg({"/usr/bin/app-real": "other"})), RecordingReporter()) == ()


def test_a_package_without_commands_asks_nobody(places: Dirs) -> None:
    spec = a_spec(links=())

    assert avoid_collisions(spec, on_target(places.target(), ScriptedRunner({}), RecordingReporter(), NOWHERE)) == spec
