"""Repositories: dnf where there is one, else zypper."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter, ScriptedRunner, expect
from unit.samples import a_spec, debian_12, on_target
from venvpkg.families.rpm.collisions import avoid_collisions, warn_if_name_taken
from venvpkg.families.rpm.repositories import providers_in_repositories
from venvpkg.host.command import Command, Completed
from venvpkg.model.depends import NativePackage
from venvpkg.model.package import Relations, StatePath
from venvpkg.model.project import ExtraFile, ProjectFiles

if TYPE_CHECKING:
    from venvpkg.model.package import PackageSpec

# No directory can be there.
NOWHERE = Path(os.devnull, "cache")
NO_DNF = Completed(127)
SOLVABLES = b"""<?xml version='1.0'?>
<stream>

<search-result version="0.0">
<solvable-list>
<solvable status="not-installed" name="libpq5" kind="package" edition="16.1-1.2" arch="x86_64" repository="oss"/>
</solvable-list>
</search-result>
</stream>
"""
NOTHING = b"<?xml version='1.0'?>\n<stream>\n<message type=\"info\">No matching items found.</message>\n</stream>\n"
INFORMATION = b"""

Information for package app:
----------------------------
Repository     : oss
Name           : app
Version        : 2.0-1.2
Arch           : noarch
Vendor         : somebody
Installed      : No
Status         : not installed
Summary        : An application
Description    :
    It is another
    application.
"""
OF_FIRST_VERSION = (
    "This package holds App 1.0 and the Python libraries that it needs, in a virtual\nenvironment at /opt/venvs/app."
)
ZYPPER_SEARCH = ("zypper", "--non-interactive", "--quiet", "--xmlout")


def test_zypper_is_asked_for_each_capability_where_there_is_no_dnf() -> None:
    def search(command: Command) -> Completed:
        return Completed(0, SOLVABLES) if command.argv[-1] == "libpq.so.5()(64bit)" else Completed(104, NOTHING)

    runner = ScriptedRunner({expect("dnf", ...): NO_DNF, expect(*ZYPPER_SEARCH, ...): search})

    found, problem = providers_in_repositories(["libpq.so.5()(64bit)", "libnone.so.1()(64bit)"], runner)

    assert (found, problem) == ({"libpq.so.5()(64bit)": NativePackage("libpq5", "16.1-1.2", "x86_64")}, "")


def test_zypper_that_fails_and_a_target_with_neither_are_told() -> None:
    failing = ScriptedRunner(
        {expect("dnf", ...): NO_DNF, expect("zypper", ...): Completed(7, stderr=b"System management is locked\n")}
    )
    neither = ScriptedRunner({expect("dnf", ...): NO_DNF, expect("zypper", ...): Completed(127)})

    assert "System management is locked" in providers_in_repositories(["a"], failing)[1]
    assert providers_in_repositories(["a"], neither)[1].startswith("dnf and zypper could not be asked")


def test_what_is_no_list_of_zypper_provides_nothing() -> None:
    runner = ScriptedRunner({expect("dnf", ...): NO_DNF, expect("zypper", ...): Completed(0, b"<stream>")})

    assert providers_in_repositories(["a"], runner) == ({}, "")


def namesake(runner: ScriptedRunner) -> list[str]:
    reporter = RecordingReporter()
    warn_if_name_taken("app", on_target(debian_12(), runner, reporter, NOWHERE))
    return reporter.warnings


def test_a_namesake_is_told_in_its_highest_version() -> None:
    answer = "1.9-1\x1fapp = 1.9-1\x1fAn application\x1e\n1.10-1\x1fapp = 1.10-1\x1fAn application\x1e\n"

    (warning,) = namesake(ScriptedRunner({expect("dnf", "--quiet", "--cacheonly", ...): Completed(0, answer.encode())}))

    assert "has its own package app 1.10-1:" in warning


@pytest.mark.parametrize(
    ("provides", "description"),
    [("app = 1.0-1\nbuilt-by(venvpkg)", "An application, whatever is said of it"), ("app = 1.0-1", OF_FIRST_VERSION)],
    ids=["by what it provides", "of the first version, by its description"],
)
def test_packages_that_venvpkg_made_are_no_namesakes(provides: str, description: str) -> None:
    dnf = ScriptedRunner({expect("dnf", ...): Completed(0, f"1.0-1\x1f{provides}\x1f{description}\x1e\n".encode())})
    told = INFORMATION + f"{description}\nProvides       : [2]\n{provides}\n".encode()
    zypper = ScriptedRunner({expect("dnf", ...): NO_DNF, expect("zypper", ...): Completed(0, told)})

    assert (namesake(dnf), namesake(zypper)) == ([], [])


def test_a_package_that_only_speaks_of_venvpkg_is_a_namesake() -> None:
    answer = "1.0-1\x1fapp = 1.0-1\nbuilt-by(venvpkg-like)\x1fNot built-by(venvpkg) at all\x1e\n"

    assert len(namesake(ScriptedRunner({expect("dnf", ...): Completed(0, answer.encode())}))) == 1


def test_zypper_knows_namesakes_too_and_what_has_no_metadata_says_nothing() -> None:
    zypper = ScriptedRunner({expect("dnf", ...): NO_DNF, expect("zypper", ...): Completed(0, INFORMATION)})
    nothing = ScriptedRunner({expect("dnf", ...): Completed(1, stderr=b"Cache-only enabled but no cache\n")})

    assert "2.0-1.2" in namesake(zypper)[0]
    assert namesake(nothing) == []


def test_another_package_with_a_command_is_conflicted_with_and_told() -> None:
    runner = ScriptedRunner({
        expect("rpm", ...): Completed(0, b"other\t0\t1-1\tx86_64\n"),
        expect("dnf", ...): Completed(0, b"third|1-1|noarch\n\nour-legacy|1-1|noarch\n"),
    })  # fmt: skip
    reporter = RecordingReporter()
    spec = a_spec(relations=Relations(replaces=("our-legacy (<< 2)",)))

    avoided = avoid_collisions(spec, on_target(debian_12(), runner, reporter, NOWHERE))

    assert avoided.relations.conflicts == ("other", "third")
    assert [each.partition(" also ships ")[0] for each in reporter.warnings] == [
        "the package other",
        "the package third",
    ]
    assert str(PurePosixPath("/usr/bin/app")) in reporter.warnings[0]


def test_a_command_that_nobody_else_has_collides_with_nothing() -> None:
    runner = ScriptedRunner(
        {expect("rpm", ...): Completed(1), expect("dnf", ...): NO_DNF, expect("zypper", ...): Completed(104, NOTHING)}
    )

    assert (
        avoid_collisions(a_spec(), on_target(debian_12(), runner, RecordingReporter(), NOWHERE)).relations.conflicts
        == ()
    )


MANY = tuple((PurePosixPath(f"/usr/bin/{name}"), PurePosixPath(f"/opt/venvs/app/bin/{name}")) for name in "abc")


def test_dnf_is_asked_once_about_many_commands_that_nobody_else_has() -> None:
    runner = ScriptedRunner({expect("rpm", ...): Completed(1), expect("dnf", ...): Completed(0)})

    assert (
        avoid_collisions(
            a_spec(links=MANY), on_target(debian_12(), runner, RecordingReporter(), NOWHERE)
        ).relations.conflicts
        == ()
    )

    (asked,) = (command.argv for command in runner.ran if command.argv[0] == "dnf")
    assert asked[-4:] == ("/usr/bin/a,/usr/bin/b,/usr/bin/c", "/usr/bin/a", "/usr/bin/b", "/usr/bin/c")


def test_each_command_is_asked_about_where_somebody_has_one_of_them() -> None:
    def owner(command: Command) -> Completed:
        return Completed(0, b"other|1-1|noarch\n" if "/usr/bin/b" in command.argv else b"")

    runner = ScriptedRunner({expect("rpm", ...): Completed(1), expect("dnf", ...): owner})
    reporter = RecordingReporter()

    assert avoid_collisions(
        a_spec(links=MANY), on_target(debian_12(), runner, reporter, NOWHERE)
    ).relations.conflicts == ("other",)
    assert "also ships /usr/bin/b" in reporter.warnings[0]


def spec_with_files(*targets: str, state: tuple[StatePath, ...] = ()) -> PackageSpec:
    files = tuple(ExtraFile(Path("x"), PurePosixPath(each), 0o644) for each in targets)
    return a_spec(links=(), project_files=ProjectFiles(files), state=state)


def directories_of_others(spec: PackageSpec, runner: ScriptedRunner) -> list[str]:
    avoided = avoid_collisions(spec, on_target(debian_12(), runner, RecordingReporter(), NOWHERE))
    return sorted(map(str, avoided.directories_of_others))


def test_directories_that_are_not_called_like_the_package_are_somebody_else_s_without_a_question() -> None:
    spec = spec_with_files("/etc/ssh/sshd_config.d/50-app.conf", "/etc/cron.d/app", "/opt/venvs/app/share/x/y")

    assert directories_of_others(spec, ScriptedRunner({})) == ["/etc/ssh", "/etc/ssh/sshd_config.d"]


def test_directories_called_like_the_package_are_its_own_unless_another_package_has_them() -> None:
    def installed(command: Command) -> Completed:
        return Completed(0, b"other\t0\t1-1\tx86_64\n") if "/usr/lib/app.d" in command.argv else Completed(1)

    def known(command: Command) -> Completed:
        if "/srv/app" in command.argv:
            return Completed(0, b"third|1-1|noarch\n")
        namesake = b"1.0-1\x1fthird = 1.0-1\x1fA third one\x1e\n"
        return Completed(0, namesake) if "third" in command.argv else Completed(0)

    runner = ScriptedRunner({expect("rpm", ...): installed, expect("dnf", ...): known})
    spec = spec_with_files("/etc/app/conf.d/x", "/usr/lib/app.d/x", "/srv/app/x")

    assert directories_of_others(spec, runner) == ["/srv/app", "/usr/lib/app.d"]


def test_a_directory_that_packages_of_venvpkg_share_belongs_to_all_of_them() -> None:
    def known(command: Command) -> Completed:
        ours = b"1.0-1\x1fbuilt-by(venvpkg) = 1\x1fx\x1e\n"
        return Completed(0, b"app-too|1-1|noarch\n") if "--file" in command.argv else Completed(0, ours)

    runner = ScriptedRunner({expect("rpm", ...): Completed(1), expect("dnf", ...): known})

    assert directories_of_others(spec_with_files("/etc/app/x"), runner) == []


def test_state_in_a_directory_of_another_package_is_not_claimed() -> None:
    runner = ScriptedRunner({expect("rpm", ...): Completed(0, b"nginx\t0\t1-1\tx86_64\n")})
    spec = spec_with_files(state=(StatePath(PurePosixPath("/var/lib/nginx"), is_directory=True),))

    assert avoid_collisions(spec, on_target(debian_12(), runner, RecordingReporter(), NOWHERE)).state == ()
