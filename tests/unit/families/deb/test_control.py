"""The control file says what was composed, and nothing that a value smuggled in."""

from __future__ import annotations

import dataclasses
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.golden import golden
from unit.samples import PREFIX, a_spec, a_staged, debian_12, needing
from venvpkg.errors import AssembleError
from venvpkg.families.deb.control import control_fields, package_architecture, render_control
from venvpkg.families.deb.deb822 import read_stanza
from venvpkg.families.deb.versions import package_version, version_key
from venvpkg.model.package import Relations
from venvpkg.model.staged import PathKind, Payload, PayloadPath

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.model.package import PackageSpec

ELF = PayloadPath(PREFIX / "lib/x.so", PathKind.FILE, 0o644, 5000, "0" * 32, is_elf=True)

RELATION_FIELDS = {"Recommends", "Suggests", "Conflicts", "Breaks", "Replaces", "Provides"}
INJECTIONS = [
    "x\nDepends: evil",
    "x\n\nPackage: evil",
    "x\rDepends: evil",
    "x\x0bDepends: evil",
    "x\u2028Depends: evil",
    "x\x85Depends: evil",
    "x\x00",
    "x\n .\n y",
]
HARMLESS = [
    "{{ 7 * 7 }}",
    "{% raw %}",
    "$(reboot)",
    "`reboot`",
    "'; rm -rf / #",
    "${shlibs:Depends}",
    "%(x)s",
    "a: b",
    "größe",
]
TEXT_FIELDS = ["name", "maintainer", "homepage", "section", "summary", "revision"]


def control(spec: PackageSpec) -> str:
    return render_control(control_fields(spec, debian_12(), spec.staged.payload.paths))


def test_the_control_file_is_the_golden_one() -> None:
    spec = a_spec(
        a_staged(payload=Payload((ELF,))),
        epoch=1,
        upstream_version="1.2rc3",
        dependencies=needing("libc6 (>= 2.34)", "postgresql-client (>= 13) | pgcli", "python3.11"),
        summary="Keeps a list of things, of people, of places, and of whatever else there is to be kept.",
        description="It keeps them well. " * 6 + "\n\n.hidden things are kept too\n\nAnd\nmore.",
    )

    assert control(spec) == golden("deb/control", control(spec))


def test_fields_without_a_value_are_left_out() -> None:
    fields = read_stanza(control(a_spec(homepage="")))

    assert "homepage" not in fields
    assert "depends" not in fields


@pytest.mark.parametrize("field", TEXT_FIELDS)
@pytest.mark.parametrize("value", INJECTIONS)
def test_no_value_can_add_a_field_or_a_stanza(field: str, value: str) -> None:
    original = getattr(a_spec(), field)

    with pytest.raises(AssembleError):
        control(a_spec(**{field: f"{original}{value}"}))


@pytest.mark.parametrize("value", INJECTIONS)
def test_a_description_can_hold_breaks_and_still_is_one_field(value: str) -> None:
    spec = a_spec(description=value)

    try:
        fields = read_stanza(control(spec))
    except AssembleError:
        return
    assert fields.keys() == read_stanza(control(a_spec())).keys()


@pytest.mark.parametrize("field", ["maintainer", "summary", "description"])
@pytest.mark.parametrize("value", HARMLESS)
def test_template_and_shell_syntax_is_text(field: str, value: str) -> None:
    fields = read_stanza(control(a_spec(**{field: value})))

    assert value in fields["description" if field != "maintainer" else field]


def test_a_relation_that_would_add_a_field_is_refused() -> None:
    with pytest.raises(AssembleError, match="Depends"):
        control(a_spec(dependencies=needing("evil\nDepends: x")))


@given(st.text(), st.text())
def test_any_description_is_one_field_or_refused(summary: str, text: str) -> None:
    spec = a_spec(summary=summary, description=text)

    try:
        fields = read_stanza(control(spec))
    except AssembleError:
        return
    assert len(fields) == 9


def test_all_unfit_values_are_told_at_once() -> None:
    with pytest.raises(AssembleError) as caught:
        control(a_spec(maintainer="a\nb", homepage="c\nd"))

    assert len(caught.value.details.splitlines()) == 2


def test_a_payload_without_elf_files_suits_every_architecture() -> None:
    assert package_architecture(a_spec(), debian_12()) == "all"
    assert package_architecture(a_spec(a_staged(payload=Payload((ELF,)))), debian_12()) == "amd64"


@pytest.mark.parametrize(
    ("epoch", "version", "revision", "expected"),
    [
        (0, "1.0.0", "1", "1.0.0-1~debian12"),
        (2, "1.0", "3", "2:1.0-3~debian12"),
        (0, "1!1.0", "1", "1:1.0-1~debian12"),
        (2, "1!1.0", "1", "2:1.0-1~debian12"),
        (0, "1.0.post1", "1", "1.0.0.0+post1-1~debian12"),
        (0, "1.0.dev4", "1", "1~~dev4-1~debian12"),
    ],
)
def test_the_version_carries_epoch_revision_and_release(epoch: int, version: str, revision: str, expected: str) -> None:
    spec = a_spec(epoch=epoch, upstream_version=version, revision=revision)

    assert package_version(spec, debian_12()) == expected


def test_a_rebuild_for_one_release_sorts_before_the_next_release() -> None:
    first, again = (package_version(a_spec(target_revision=number), debian_12()) for number in (0, 2))
    next_release = first.replace("debian12", "debian13")

    assert again == "1.0-1~debian12+2"
    assert sorted((next_release, again, first), key=version_key) == [first, again, next_release]


def test_the_installed_size_rounds_each_file_up() -> None:
    paths = (
        PayloadPath(PurePosixPath("/a"), PathKind.FILE, 0o644, 1),
        PayloadPath(PurePosixPath("/b"), PathKind.FILE, 0o644, 1025),
        PayloadPath(PurePosixPath("/c"), PathKind.LINK, 0o777, 9),
        PayloadPath(PurePosixPath("/d"), PathKind.DIRECTORY, 0o755),
        PayloadPath(PurePosixPath("/e"), PathKind.FILE, 0o644, 0),
    )

    assert control_fields(a_spec(), debian_12(), paths)["Installed-Size"] == "5"


def test_a_spec_that_differs_from_what_was_rendered_is_refused() -> None:
    fields = control_fields(a_spec(), debian_12(), ())

    with pytest.raises(AssembleError, match="does not have the expected fields"):
        render_control({**fields, "Essential": "yes"})


def test_the_stanza_reader_refuses_what_is_no_stanza() -> None:
    for text in ("", "A: 1\nA: 2\n", "A: 1\n\nB: 2\n", "A: 1\nnot a field\n", " \n"):
        with pytest.raises(AssembleError):
            read_stanza(text)


def test_the_spec_is_not_changed() -> None:
    spec = a_spec()
    before = dataclasses.asdict(spec.staged.application)

    control(spec)

    assert dataclasses.asdict(spec.staged.application) == before


def test_declared_relations_are_fields_in_one_spelling() -> None:
    relations = Relations(
        recommends=("nginx|httpd",),
        suggests=("aa",),
        conflicts=("bb(<<2)", "bb (<< 2)"),
        breaks=("cc",),
        replaces=("dd", "ee"),
        provides=("ff (=1)",),
    )

    text = control(a_spec(relations=relations))

    assert {line for line in text.splitlines() if line.partition(":")[0] in RELATION_FIELDS} == {
        "Recommends: nginx | httpd",
        "Suggests: aa",
        "Conflicts: bb (<< 2)",
        "Breaks: cc",
        "Replaces: dd, ee",
        "Provides: ff (= 1)",
    }


def test_a_template_of_the_project_cannot_change_what_was_composed(tmp_path: Path) -> None:
    (tmp_path / "control.j2").write_text("{% include '_base' %}Essential: yes\n")
    (tmp_path / "_base").write_text("Package: {{ package }}\n")

    with pytest.raises(AssembleError, match="does not have the expected fields"):
        render_control(control_fields(a_spec(), debian_12(), ()), tmp_path)
