"""The record of a build: nothing is lost, nothing of the machine is in it, and anybody's file is refused politely."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from unit.record.samples import RECORD
from unit.samples import a_system, debian_12
from venvpkg.config.keys import KEYS
from venvpkg.config.settings import read_configuration, settings_table
from venvpkg.errors import NotAPackageError
from venvpkg.model.depends import DependencySet, NativePackage
from venvpkg.model.lock import BuildPins, RemoteFile
from venvpkg.model.project import (
    ExtraFile,
    FileSetting,
    PrepareStep,
    ProjectFiles,
    ScriptSettings,
    Settings,
    SonameRule,
    WheelPolicy,
    WheelSettings,
)
from venvpkg.model.wheels import Action, PlannedSystem, PlannedWheel, Prepared, ReadyWheel, SourceTree, WheelPlan
from venvpkg.record.file import dump_build_record, read_build_record, record_path
from venvpkg.record.inputs import Ingredients, changes_between, inputs_of
from venvpkg.wheelhouse.key import Toolchain

if TYPE_CHECKING:
    from collections.abc import Callable

SDIST = RemoteFile("lxml-6.0.tar.gz", "https://index.example/lxml-6.0.tar.gz", "5" * 64)
SETUPTOOLS = RemoteFile("setuptools-80-py3-none-any.whl", "https://index.example/s.whl", "6" * 64)


def ingredients(**changes: Any) -> Ingredients:
    tree = SourceTree(Path("/srv/checkout/app"), (), "c" * 64)
    made = Ingredients(
        target=debian_12(),
        plan=WheelPlan(
            (
                PlannedWheel("app", "", Action.COMPILE, "", tree),
                PlannedWheel("lxml", "6.0", Action.REUSE, "", SDIST, "e" * 64),
            )
        ),
        wheels=(
            ReadyWheel("app", "1.0", Path("/srv/w/app-1.0-py3-none-any.whl"), "a" * 64, Action.COMPILE, "d" * 64),
            ReadyWheel("lxml", "6.0", Path("/srv/w/lxml-6.0-cp311.whl"), "b" * 64, Action.REUSE, "e" * 64),
        ),
        pins=(
            BuildPins("lxml", SDIST.sha256, "debian-12-amd64-cp311", ("setuptools",), (SETUPTOOLS,)),
            BuildPins("lxml", "9" * 64, "debian-12-amd64-cp311", (), ()),
            BuildPins("other", SDIST.sha256, "debian-12-amd64-cp311", (), ()),
        ),
        dependencies=DependencySet(owners=(("libxml2:amd64", NativePackage("libxml2", "2.9.14", "amd64")),)),
        project_files=ProjectFiles(),
        toolchain=Toolchain((("CFLAGS", "-O2"),), (("gcc-12:amd64", "12.2.0-14"),)),
        tools=(("dpkg", "1.21.22"),),
    )
    return dataclasses.replace(made, **changes)


def test_a_record_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "app.build.json"
    path.write_bytes(dump_build_record(RECORD))

    assert read_build_record(path) == RECORD


def test_a_record_lies_beside_its_package_under_its_name() -> None:
    assert record_path(Path("dist/app_1.0-1~debian12_all.deb")) == Path("dist/app_1.0-1~debian12_all.build.json")


def test_every_setting_survives_the_way_through_a_record() -> None:
    settings = Settings(
        name="app", prefix=PurePosixPath("/opt/own/app"), revision="2", target_revision=3, epoch=1,
        maintainer="Jane <jane@example.org>", section="web", extras=("all",), groups=("production",), commands=(),
        depends=("bash (>= 5)", "!libc6"),
        recommends=("nginx",), suggests=("vim",), conflicts=("old",), breaks=("old (<< 2)",), replaces=("older",),
        provides=("httpd",), build_depends=("libpq-dev",), lock="requirements.txt", templates="packaging/templates",
        python="pypy3", unowned_python=False,
        files=(FileSetting("a", "/etc/a", 0o640), FileSetting("b", "/usr/share/app/")),
        wheels=WheelSettings(WheelPolicy.COMPILE, ("a",), ("b",), ("c",)),
        scripts=ScriptSettings("a.sh", "b.sh", "c.sh", "d.sh"),
        prepare=(PrepareStep(("npm", "ci"), network=True), PrepareStep(("cp", "a", "a"), ("a", "b"))),
        sonames=(SonameRule("libcuda.so.1", reason="with the driver"), SonameRule("liba.so.1", relation="liba")),
    )  # fmt: skip

    table = json.loads(json.dumps(settings_table(settings)))

    read = read_configuration(table, "", {}, {})
    assert (read.settings, read.targets, read.problems) == (settings, (), ())
    assert set(table) == {key.path.partition(".")[0] for key in KEYS}


def test_settings_nobody_made_survive_too() -> None:
    read = read_configuration(settings_table(Settings()), "", {}, {})

    assert (read.settings, read.problems) == (Settings(), ())


def edited(change: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(dump_build_record(RECORD))
    change(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b'{"schema": "venvpkg.build/1"}',
        edited(lambda it: it.update(schema="venvpkg.build/2")),
        edited(lambda it: it.update(source_date_epoch=-1)),
        edited(lambda it: it.update(source_date_epoch=True)),
        edited(lambda it: it.update(inputs={"tools": {"dpkg": "1\x1b[2J"}})),
        edited(lambda it: it.update(inputs={"tools": ["dpkg"]})),
        edited(lambda it: it["locks"]["runtime"].update(text="another")),
        edited(lambda it: it["artifact"].update(filename="../../etc/passwd")),
        edited(lambda it: it["artifact"].update(sha256="x" * 64)),
    ],
)
def test_what_is_no_record_is_told_as_such(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "app.build.json"
    path.write_bytes(content)

    with pytest.raises(NotAPackageError, match="not a valid build record"):
        read_build_record(path)


def test_a_record_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotAPackageError, match="could not be read"):
        read_build_record(tmp_path / "none.build.json")


def test_every_wheel_is_recorded_with_its_hash_its_key_and_its_sdist() -> None:
    wheels = inputs_of(ingredients())["wheels"]

    assert wheels == {
        "app": f"app-1.0-py3-none-any.whl sha256={'a' * 64} compiled key={'d' * 64}",
        "lxml": f"lxml-6.0-cp311.whl sha256={'b' * 64} compiled key={'e' * 64} from lxml-6.0.tar.gz sha256={'5' * 64}",
    }


def test_only_the_build_requirements_that_were_used_are_recorded() -> None:
    assert inputs_of(ingredients())["build requirements"] == {
        "lxml": f"setuptools-80-py3-none-any.whl sha256={'6' * 64}"
    }


def test_templates_and_the_applications_tree_are_recorded_by_hash() -> None:
    inputs = inputs_of(ingredients())

    assert list(inputs["source trees"].values()) == [f"tree sha256={'c' * 64}"]
    assert {len(each) for each in inputs["templates"].values()} == {64}
    assert "control.j2" in inputs["templates"]


def test_files_of_the_project_that_shape_the_package_are_recorded_by_hash(tmp_path: Path) -> None:
    source = tmp_path / "app.conf"
    source.write_bytes(b"on")
    extra = ExtraFile(source, PurePosixPath("/etc/app.conf"), 0o644)

    inputs = inputs_of(ingredients(project_files=ProjectFiles((extra,), (("postinst", "true\n"),), tmp_path)))

    digest = hashlib.sha256(b"on").hexdigest()
    assert inputs["own files"] == {"/etc/app.conf": f"0644 sha256={digest}"}
    assert inputs["own templates"] == {"app.conf": digest}
    assert inputs["own scripts"] == {"postinst": hashlib.sha256(b"true\n").hexdigest()}


def test_compilers_do_not_matter_where_nothing_is_compiled() -> None:
    pure = ReadyWheel("app", "1.0", Path("app-1.0-py3-none-any.whl"), "a" * 64, Action.PURE)

    inputs = inputs_of(ingredients(wheels=(pure,)))

    assert (inputs["compiler flags"], inputs["build packages"]) == ({}, {})
    assert inputs_of(ingredients())["build packages"] == {"gcc-12:amd64": "12.2.0-14"}


def test_no_path_of_the_machine_and_no_index_is_recorded() -> None:
    text = json.dumps(inputs_of(ingredients()))

    assert [each for each in ("/srv", "index.example") if each in text] == []


def test_a_wheel_built_now_and_the_same_one_built_before_are_one_input() -> None:
    reused = tuple(dataclasses.replace(each, origin=Action.REUSE) for each in ingredients().wheels)

    assert changes_between(inputs_of(ingredients()), inputs_of(ingredients(wheels=reused))) == ()


def test_every_changed_input_is_named_with_both_values() -> None:
    before = {"tools": {"dpkg": "1.21", "tar": "1"}, "target": {"name": "debian-12-amd64"}}
    now = {"tools": {"dpkg": "1.22", "xz": "5"}, "target": {"name": "debian-12-amd64"}}

    assert changes_between(before, now) == (
        "tools: dpkg: was 1.21, is 1.22",
        "tools: tar: was 1, is absent",
        "tools: xz: was absent, is 5",
    )


def test_a_file_that_a_prepare_command_makes_otherwise_is_told_by_name() -> None:
    def plan(digest: str) -> WheelPlan:
        prepared = Prepared(Path("/srv/cache/p"), (("static/app.js", digest),), made_from="c" * 64)
        tree = SourceTree(Path("/srv/checkout/app"), (), digest, prepared=prepared)
        return WheelPlan((PlannedWheel("app", "", Action.COMPILE, "", tree),))

    before, now = (inputs_of(ingredients(plan=plan(digest))) for digest in ("1" * 64, "2" * 64))

    assert f"prepared files: static/app.js: was sha256={'1' * 64}, is sha256={'2' * 64}" in changes_between(before, now)


def test_a_package_that_was_in_the_way_then_and_is_not_now_is_a_change() -> None:
    before, now = inputs_of(ingredients(conflicts=("guestbook-ng",))), inputs_of(ingredients())

    assert changes_between(before, now) == ("found conflicts: guestbook-ng: was in its way, is absent",)


def test_a_distribution_of_the_release_counts_with_its_package_s_version() -> None:
    plan = dataclasses.replace(ingredients().plan, system=(PlannedSystem(a_system(), ""),))

    changes = changes_between(inputs_of(ingredients()), inputs_of(ingredients(plan=plan)))

    assert changes == (
        "system distributions: psycopg2: was absent, is 2.9.5 of python3-psycopg2 2.9.5-1 modules=psycopg2",
    )
