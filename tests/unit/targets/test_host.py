"""This machine is detected by its os-release, its interpreter and its tools."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from unit.fakes import ScriptedRunner, expect
from unit.targets.makers import python_says, root_with
from venvpkg.errors import ConfigurationError, MissingToolError
from venvpkg.host.command import Completed
from venvpkg.targets.host import installer_here, resolve_host

BOOKWORM = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'


def interpreter(python: Completed) -> ScriptedRunner:
    """Return a machine that only runs the probe of its interpreter."""
    return ScriptedRunner({expect("/usr/bin/python3", ...): python})


def runner_with(python: Completed) -> ScriptedRunner:
    return ScriptedRunner(
        {expect("dpkg", "--print-architecture"): Completed(0, b"amd64\n"), expect("/usr/bin/python3", ...): python}
    )


def test_a_debian_host_is_named_by_release_and_architecture(tmp_path: Path) -> None:
    target = resolve_host(runner_with(python_says()), root_with(BOOKWORM, tmp_path))

    assert (target.name, target.platform_tag) == ("debian-12-amd64", "linux_x86_64_debian_12")
    assert target.release.suffix == "debian12"
    assert target.interpreter.path == PurePosixPath("/usr/bin/python3.11")
    assert target.interpreter.glibc == (2, 36)


def test_a_point_in_the_release_number_stays_out_of_the_platform_tag(tmp_path: Path) -> None:
    target = resolve_host(runner_with(python_says()), root_with('ID=ubuntu\nVERSION_ID="24.04"\n', tmp_path))

    assert target.platform_tag == "linux_x86_64_ubuntu_24_04"
    assert target.release.suffix == "ubuntu24.04"


@pytest.mark.parametrize("libc", ["", "musl 1.2", "glibc", "glibc x.y"])
def test_another_c_library_has_no_glibc_version(tmp_path: Path, libc: str) -> None:
    target = resolve_host(runner_with(python_says(libc=libc)), root_with(BOOKWORM, tmp_path))

    assert target.interpreter.glibc is None


@pytest.mark.parametrize("text", ["", "ID=debian\n", 'ID="$(id)"\nVERSION_ID="12"\n', 'ID=debian\nVERSION_ID="1 2"\n'])
def test_a_release_without_a_usable_number_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="numbered release"):
        resolve_host(ScriptedRunner({}), root_with(text, tmp_path))


def test_a_missing_interpreter_names_the_package_that_contains_it(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="apt-get install --no-install-recommends python3"):
        resolve_host(interpreter(Completed(127)), root_with(BOOKWORM, tmp_path))


def test_an_interpreter_that_is_too_old_is_refused_with_its_version(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match=r"3\.7\.3"):
        resolve_host(interpreter(python_says((3, 7, 3))), root_with(BOOKWORM, tmp_path))


def test_a_machine_without_dpkg_is_not_a_debian(tmp_path: Path) -> None:
    runner = ScriptedRunner(
        {expect("dpkg", "--print-architecture"): Completed(127), expect("/usr/bin/python3", ...): python_says()}
    )

    with pytest.raises(MissingToolError, match="debian 12 is not a release whose packages are"):
        resolve_host(runner, root_with(BOOKWORM, tmp_path))


def test_a_machine_with_rpm_is_named_by_rpms_own_macros(tmp_path: Path) -> None:
    expanded = Completed(0, b"x86_64\n@venvpkg@\n(x86-64)\n@venvpkg@\n.fc43\n@venvpkg@\n")
    runner = ScriptedRunner({expect("rpm", ...): expanded, expect("/usr/bin/python3", ...): python_says()})

    target = resolve_host(runner, root_with("ID=fedora\nVERSION_ID=43\n", tmp_path))

    assert (target.family, target.name, target.multiarch) == ("rpm", "fedora-43-x86_64", "")
    assert (target.mark("dist"), target.mark("isa")) == (".fc43", "(x86-64)")


def test_a_missing_interpreter_of_a_root_is_installed_by_the_roots_own_tools(tmp_path: Path) -> None:
    runner = interpreter(Completed(127))

    with pytest.raises(MissingToolError, match=f"chroot {tmp_path} dnf install .*python3"):
        resolve_host(runner, root_with("ID=fedora\nVERSION_ID=43\n", tmp_path))


@pytest.mark.parametrize(
    ("release", "command"),
    [
        (BOOKWORM, "apt-get install --no-install-recommends"),
        ("ID=fedora\nVERSION_ID=43\n", "dnf install --setopt=install_weak_deps=False"),
        ("ID=opensuse-leap\nVERSION_ID=15.6\nID_LIKE=suse\n", "zypper install --no-recommends"),
        ("ID=homegrown\nVERSION_ID=7\n", ""),
        ("", ""),
    ],
)
def test_programs_that_venvpkg_runs_here_are_installed_by_this_machines_own_tools(
    release: str, command: str, tmp_path: Path
) -> None:
    assert installer_here(root_with(release, tmp_path)) == command
