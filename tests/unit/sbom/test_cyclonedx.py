"""The bill of materials: what it names, what it leaves out, and that its bytes follow from its contents."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from unit.samples import PREFIX, SITE, a_staged, a_system, debian_12
from venvpkg.model.depends import Dependency, DependencySet, Evidence, Exclusion, NativePackage, Source
from venvpkg.model.lock import RemoteFile
from venvpkg.model.staged import InstalledDistribution, StagedSystem
from venvpkg.model.target import Release
from venvpkg.model.wheels import Action, PlannedWheel, ReadyWheel, SourceTree, WheelPlan
from venvpkg.sbom.bundled import Bundled
from venvpkg.sbom.cyclonedx import Contents, bill_of_materials

SDIST = RemoteFile("lxml-6.0.tar.gz", "https://user:secret@index.example/lxml-6.0.tar.gz", "5" * 64)
LIBXML = NativePackage("libxml2", "2.9.14+dfsg-1.3~deb12u5", "amd64")
PYTHON = NativePackage("python3.11-minimal", "3.11.2-6+deb12u6", "amd64")


def contents(**changes: Any) -> Contents:
    staged = dataclasses.replace(
        a_staged(),
        distributions=(
            InstalledDistribution("app", "1.0", "a" * 64, (), "MIT", requires=("lxml",)),
            InstalledDistribution("lxml", "6.0", "b" * 64, (SITE / "lxml/etree.so",), "BSD, more or less"),
        ),
    )
    plan = WheelPlan(
        (
            PlannedWheel("app", "", Action.COMPILE, "", SourceTree(Path("/srv/checkout/app"), (), "c" * 64)),
            PlannedWheel("lxml", "6.0", Action.REUSE, "", SDIST, "d" * 64),
        )
    )
    wheels = (
        ReadyWheel("app", "1.0", Path("/srv/w/app-1.0-py3-none-any.whl"), "a" * 64, Action.COMPILE),
        ReadyWheel("lxml", "6.0", Path("/srv/w/lxml-6.0-cp311-cp311-linux.whl"), "b" * 64, Action.REUSE),
    )
    interpreter = Evidence(Source.INTERPRETER, needed_by=PREFIX / "bin/python", owner="python3.11-minimal")
    linked = Evidence(Source.SYMBOLS, "libxml2.so.2", SITE / "lxml/etree.so", "lxml", owner="libxml2:amd64")
    dependencies = DependencySet(
        (Dependency("libxml2 (>= 2.9)", (linked,)), Dependency("python3.11 (>= 3.11.0)", (interpreter,))),
        owners=(("libxml2:amd64", LIBXML), ("python3.11-minimal", PYTHON)),
    )
    made = Contents("app", debian_12(), staged, plan, wheels, dependencies, (), 1_700_000_000)
    return dataclasses.replace(made, **changes)


def document(of: Contents) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(bill_of_materials(of))
    return parsed


def component(of: Contents, name: str) -> dict[str, Any]:
    (found,) = [each for each in document(of)["components"] if each["name"] == name]
    return dict(found)


def needs(of: Contents, ref: str) -> list[str]:
    (found,) = [each for each in document(of)["dependencies"] if each["ref"] == ref]
    return list(found.get("dependsOn", []))


def test_it_is_valid_by_the_published_schema() -> None:
    bundled = (Bundled("lxml", "zlib", "1.3", "pkg:generic/zlib@1.3"), Bundled("lxml", "libz-1.so", sha256="e" * 64))

    text = bill_of_materials(contents(bundled=bundled)).decode()

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_a_distribution_has_its_purl_the_wheel_and_the_sdist_it_came_from() -> None:
    lxml = component(contents(), "lxml")

    assert lxml["purl"] == "pkg:pypi/lxml@6.0"
    assert [each["content"] for each in lxml["hashes"]] == ["b" * 64]
    assert {(each["type"], each["url"], each["hashes"][0]["content"]) for each in lxml["externalReferences"]} == {
        ("distribution", "lxml-6.0-cp311-cp311-linux.whl", "b" * 64),
        ("source-distribution", "lxml-6.0.tar.gz", "5" * 64),
    }


def test_the_applications_own_tree_is_not_passed_off_as_a_public_distribution() -> None:
    assert "purl" not in next(each for each in document(contents())["components"] if each["bom-ref"] == "python:app")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MIT", {"expression": "MIT"}),
        ("mit or apache-2.0", {"expression": "MIT OR Apache-2.0"}),
        ("BSD, more or less", {"license": {"name": "BSD, more or less"}}),
    ],
)
def test_a_licence_is_an_spdx_expression_where_it_is_one_and_a_name_elsewhere(
    text: str, expected: dict[str, object]
) -> None:
    base = contents()
    own = dataclasses.replace(base.staged.distributions[1], license_expression=text)
    staged = dataclasses.replace(base.staged, distributions=(base.staged.distributions[0], own))

    assert component(contents(staged=staged), "lxml")["licenses"] == [expected]


def test_packages_linked_against_are_named_with_version_and_release() -> None:
    libxml = component(contents(), "libxml2")

    assert libxml["purl"] == "pkg:deb/debian/libxml2@2.9.14%2Bdfsg-1.3~deb12u5?arch=amd64&distro=debian-12"


def test_the_epoch_of_an_rpm_is_no_part_of_the_version_in_its_purl() -> None:
    target = dataclasses.replace(debian_12(), family="rpm", release=Release("fedora", "43", ""))
    openssl = NativePackage("openssl-libs", "1:3.5.4-1.fc43", "x86_64")
    linked = Evidence(Source.CAPABILITY, "libssl.so.3", SITE / "lxml/etree.so", "lxml", owner="openssl-libs")
    dependencies = DependencySet((Dependency("libssl.so.3()(64bit)", (linked,)),), owners=(("openssl-libs", openssl),))

    found = component(contents(target=target, dependencies=dependencies), "openssl-libs")

    assert found["purl"] == "pkg:rpm/fedora/openssl-libs@3.5.4-1.fc43?arch=x86_64&distro=fedora-43&epoch=1"
    assert found["version"] == "1:3.5.4-1.fc43"


def test_the_graph_leads_from_the_package_to_the_libraries() -> None:
    of = contents(bundled=(Bundled("lxml", "zlib", "1.3"),))

    assert needs(of, "package") == [component(of, "python3.11-minimal")["bom-ref"], "python:app"]
    assert needs(of, "python:app") == ["python:lxml"]
    assert needs(of, "python:lxml") == ["bundled:lxml:zlib:1.3", component(of, "libxml2")["bom-ref"]]


def test_what_the_maintainer_leaves_out_of_the_dependencies_is_named_with_the_reason() -> None:
    needed = Evidence(Source.OWNER, "libcuda.so.1", SITE / "lxml/etree.so", "lxml")
    dependencies = dataclasses.replace(
        contents().dependencies, exclusions=(Exclusion("libcuda.so.1", "with the driver", (needed,)),)
    )
    of = contents(dependencies=dependencies)

    assert component(of, "libcuda.so.1")["properties"] == [{"name": "venvpkg:left-out", "value": "with the driver"}]
    assert "left-out:libcuda.so.1" in needs(of, "python:lxml")


def test_a_library_for_which_the_maintainer_names_a_relation_is_named_with_it() -> None:
    needed = Evidence(Source.USER, "libbar.so.2", SITE / "lxml/etree.so", "lxml")
    declared = Dependency("libbar2 | libbar2-compat", (needed, Evidence(Source.USER)))
    of = contents(dependencies=dataclasses.replace(contents().dependencies, dependencies=(declared,)))

    assert component(of, "libbar.so.2")["properties"] == [
        {"name": "venvpkg:relation", "value": "libbar2 | libbar2-compat"}
    ]
    assert "by-hand:libbar.so.2" in needs(of, "python:lxml")


def test_a_library_with_a_purl_that_is_none_is_named_all_the_same() -> None:
    assert "purl" not in component(contents(bundled=(Bundled("lxml", "zlib", "", "nonsense"),)), "zlib")


def test_nothing_of_the_machine_and_no_index_is_in_it() -> None:
    text = bill_of_materials(contents()).decode()

    assert [each for each in ("/srv", "index.example", "secret") if each in text] == []


def test_same_contents_give_same_bytes_and_other_contents_another_serial_number() -> None:
    first, second = bill_of_materials(contents()), bill_of_materials(contents())
    later = document(contents(source_date_epoch=1_700_000_001))

    assert first == second
    assert json.loads(first)["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert json.loads(first)["serialNumber"] != later["serialNumber"]


def test_a_wheel_built_now_and_the_same_wheel_built_before_are_one_material() -> None:
    base = contents()
    built_now = tuple(dataclasses.replace(each, origin=Action.COMPILE) for each in base.wheels)

    assert bill_of_materials(contents(wheels=built_now)) == bill_of_materials(base)


def test_distributions_of_the_release_are_packages_that_their_users_depend_on() -> None:
    requests, idna = (a_system(name, "3.3", package=NativePackage(f"python3-{name}", "3.3-1", "all"))
                      for name in ("requests", "idna"))  # fmt: skip
    dependencies = DependencySet(
        tuple(
            Dependency(owner, (Evidence(Source.SYSTEM, distribution=by, symbol=owner, owner=owner),))
            for owner, by in (("python3-idna", "requests"), ("python3-requests", "app"))
        ),
        owners=(("python3-idna", idna.package), ("python3-requests", requests.package)),
    )
    staged = dataclasses.replace(contents().staged, system=(StagedSystem(idna), StagedSystem(requests)))

    bom = document(contents(staged=staged, dependencies=dependencies))

    graph = {each["ref"]: each.get("dependsOn", []) for each in bom["dependencies"]}
    purls = [f"pkg:deb/debian/python3-{name}@3.3-1?arch=all&distro=debian-12" for name in ("idna", "requests")]
    assert {each["purl"] for each in bom["components"] if each["name"].startswith("python3-")} == set(purls)
    assert purls[1] in graph["python:app"]
    assert graph[purls[1]] == [purls[0]]


def test_an_interpreter_that_no_package_stands_for_is_named_itself() -> None:
    debian = debian_12()
    environment = {**debian.interpreter.marker_environment, "implementation_version": "3.12.1"}
    interpreter = dataclasses.replace(debian.interpreter, marker_environment=environment, identity="its own")
    target = dataclasses.replace(debian, interpreter=interpreter)
    unowned = contents(target=target, dependencies=DependencySet())

    named = component(unowned, "python")

    assert (named["version"], named["purl"]) == ("3.12.1", "pkg:generic/python@3.12.1")
    assert "interpreter" in needs(unowned, "package")
    assert not [each for each in document(contents(target=target))["components"] if each["name"] == "python"]
