"""What systemd is to know of a payload, and what the scripts of both families do about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from unit.families.common.makers import ENABLED, STATIC, SYSTEM, spec_with, staged_with
from unit.samples import a_staged
from venvpkg.families.common.units import SYSUSERS, TMPFILES, Units, table_claims, units_of
from venvpkg.families.deb.control import maintainer_scripts
from venvpkg.families.rpm.scripts import scriptlets
from venvpkg.model.depends import Source
from venvpkg.model.package import StatePath
from venvpkg.staging.leaks import read_payload


def test_units_are_told_apart_by_whether_they_can_be_enabled(tmp_path: Path) -> None:
    files = {
        f"{SYSTEM}/app.service": ENABLED,
        "/lib/systemd/system/app.socket": "[Install]\n# the release's\nAlso = app.service\n",
        f"{SYSTEM}/job.service": STATIC,
        f"{SYSTEM}/empty.service": "[Install]\n#WantedBy=x\n[Unit]\nWantedBy=y\n",
        f"{SYSTEM}/worker@.service": ENABLED,
        "/usr/lib/sysusers.d/app.conf": "u app - -\n",
        "/usr/lib/tmpfiles.d/app.conf": "d /run/app\n",
    }

    assert units_of(staged_with(tmp_path, files)) == Units(
        ("app.conf",), ("app.conf",), ("app.service", "app.socket"), ("empty.service", "job.service"), reads=True
    )


@pytest.mark.parametrize(
    "path",
    [
        "/opt/venvs/app/usr/lib/systemd/system/app.service",
        "/usr/lib/systemd/user/app.service",
        "/usr/lib/systemd/system-preset/10-app.preset",
        "/usr/lib/sysusers.d/notes.txt",
        "/usr/lib/sysusers.d/-x.conf",
        "/etc/sysusers.d/app.conf",
    ],
)
def test_what_systemd_does_not_read_there_is_nothing(tmp_path: Path, path: str) -> None:
    assert units_of(staged_with(tmp_path, {path: ENABLED})) == Units()


@pytest.mark.parametrize("name", ["a b.service", "$(id).service", "a'b.service", "-x.service"])
def test_a_name_that_systemd_would_not_take_reaches_no_script(tmp_path: Path, name: str) -> None:
    scripts = dict(maintainer_scripts(spec_with(tmp_path, {f"{SYSTEM}/{name}": ENABLED})))

    assert scripts.keys() == {"postinst", "postrm"}
    assert not any(name.strip().encode() in content for content in scripts.values())


def test_a_backslash_in_a_name_reaches_the_program_as_it_is(tmp_path: Path) -> None:
    scripts = dict(maintainer_scripts(spec_with(tmp_path, {f"{SYSTEM}/dev-a\\x2db.service": ENABLED})))

    assert b"for unit in 'dev-a\\x2db.service'; do" in scripts["postinst"]


def test_links_to_units_are_never_followed(tmp_path: Path) -> None:
    (tmp_path / SYSTEM[1:]).mkdir(parents=True)
    (tmp_path / SYSTEM[1:] / "alias.service").symlink_to("/etc/shadow")

    found = units_of(a_staged(tmp_path, payload=read_payload(tmp_path, ())))

    assert (found.enabled, found.others) == ((), ("alias.service",))


def test_a_package_without_units_snippets_and_modules_has_only_what_dpkg_leaves_to_it(tmp_path: Path) -> None:
    plain = spec_with(tmp_path, {"/etc/app.conf": ""})

    assert [name for name, _ in maintainer_scripts(plain)] == ["postinst"]
    assert scriptlets(plain) == ()


def test_accounts_are_there_before_the_projects_own_lines_and_units_run_after(tmp_path: Path) -> None:
    files = {f"{SYSTEM}/app.service": ENABLED, "/usr/lib/sysusers.d/app.conf": "u app - -\n"}
    made = spec_with(tmp_path, files, postinst="chown app /srv\n", preinst="echo before\n")
    debian = {name: content.decode() for name, content in maintainer_scripts(made)}
    fedora = {each.section: each.text for each in scriptlets(made)}

    assert debian.keys() == {"preinst", "postinst", "prerm", "postrm"}
    assert fedora.keys() == {"pre", "post", "preun", "postun"}
    for text, enables in ((debian["postinst"], "deb-systemd-helper enable"), (fedora["post"], "preset app.service")):
        assert text.index("systemd-sysusers app.conf") < text.index("chown app /srv") < text.index(enables)


def test_at_purge_state_goes_after_the_projects_own_lines_what_is_inside_first(tmp_path: Path) -> None:
    state = tuple(
        StatePath(PurePosixPath(f"/var/lib/{name}"), is_directory) for name, is_directory in [
            ("app", True), ("app/db", False), ("app/sub", True), ("app/sub/log", False),
        ]
    )  # fmt: skip
    made = replace(spec_with(tmp_path, {}, postrm="echo own\n"), state=state)

    text = dict(maintainer_scripts(made))["postrm"].decode()

    assert text.index("echo own") < text.index('test "$1" = purge') < text.index("rm -f /var/lib/app/db /var")
    assert "rmdir /var/lib/app/sub /var/lib/app 2> /dev/null || :\n" in text


def test_at_removal_of_an_rpm_state_goes_unless_another_package_took_the_place_of_this_one(tmp_path: Path) -> None:
    state = (StatePath(PurePosixPath("/var/lib/app"), is_directory=True), StatePath(PurePosixPath("/var/lib/app/a b")))

    found = {each.section: each.text for each in scriptlets(replace(spec_with(tmp_path, {}), state=state))}

    assert found.keys() == {"pre", "postun", "posttrans"}
    removed = found["postun"].partition('if test "$1" = remove; then')[2]
    assert removed.index("OBSOLETENAME") < removed.index("grep -Fqx app") < removed.index("rm -f '/var/lib/app/a b'")
    assert removed.index("rm -f") < removed.index("rmdir /var/lib/app 2>")
    assert "ln -f '/var/lib/app/a b' '/var/lib/app/a b'.venvpkg-kept" in found["pre"]
    assert "mv '/var/lib/app/a b'.venvpkg-kept '/var/lib/app/a b'" in found["posttrans"]


def test_what_reads_accounts_and_directories_is_needed_for_the_file_itself(tmp_path: Path) -> None:
    files = {"/usr/lib/sysusers.d/app.conf": "u app - -\n", "/usr/lib/tmpfiles.d/app.conf": "d /run/app\n"}

    claims = list(table_claims(staged_with(tmp_path, files), {SYSUSERS: "accounts", TMPFILES: "directories"}))

    assert [(each.template, each.evidence.source, each.evidence.needed_by) for each in claims] == [
        ("accounts", Source.UNIT, PurePosixPath("/usr/lib/sysusers.d/app.conf")),
        ("directories", Source.UNIT, PurePosixPath("/usr/lib/tmpfiles.d/app.conf")),
    ]
