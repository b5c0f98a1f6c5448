"""An environment that would fail at run time is refused."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from unit.samples import a_system, debian_12
from venvpkg.errors import StagingError
from venvpkg.model.wheels import PlannedSystem
from venvpkg.staging.closure import names_of, require_closure, required_by, unmet_in_system
from venvpkg.staging.metadata import CoreMetadata

ENVIRONMENT = debian_12().interpreter.marker_environment


def distribution(name: str, version: str = "1.0", *requires: str) -> CoreMetadata:
    return CoreMetadata(name, version, None, tuple(map(Requirement, requires)), {})


def released(name: str, version: str, *requires: str) -> PlannedSystem:
    return PlannedSystem(a_system(name, version, requires=requires), "", "2.5")


def check(*distributions: CoreMetadata, extras: tuple[str, ...] = ()) -> None:
    require_closure({each.name: each for each in distributions}, ENVIRONMENT, {"app": extras})


def test_a_complete_environment_passes() -> None:
    check(distribution("app", "1.0", "Lib.One>=1"), distribution("lib-one", "1.5", 'tomli; python_version < "3.11"'))


def test_everything_that_is_missing_or_too_old_is_told_at_once() -> None:
    with pytest.raises(StagingError) as caught:
        check(distribution("app", "1.0", "lib>=2", "gone"), distribution("lib", "1.5", "lost"))

    assert caught.value.details.splitlines() == [
        "  app requires gone: not installed",
        "  app requires lib>=2: 1.5 is installed",
        "  lib requires lost: not installed",
    ]


def test_a_pre_release_that_the_lock_chose_is_accepted() -> None:
    check(distribution("app", "1.0", "lib>=2"), distribution("lib", "2.1rc1"))


def test_requirements_of_an_extra_count_only_when_it_was_asked_for() -> None:
    app = distribution("app", "1.0", 'lib; extra == "fast"')

    check(app)
    with pytest.raises(StagingError, match="app requires lib"):
        check(app, extras=("fast",))


def test_an_extra_that_another_requirement_asks_for_counts() -> None:
    app = distribution("app", "1.0", "lib[Fast_Path]")
    lib = distribution("lib", "1.0", 'accelerator; extra == "fast-path"')

    with pytest.raises(StagingError, match="lib requires accelerator"):
        check(app, lib)


def test_an_extra_that_asks_for_others_of_the_same_distribution_is_followed() -> None:
    app = distribution("app", "1.0", 'app[one]; extra == "all"', 'lib; extra == "one"')

    with pytest.raises(StagingError, match="app requires lib"):
        check(app, extras=("all",))


def test_a_marker_that_compares_what_cannot_be_compared_is_told() -> None:
    with pytest.raises(StagingError, match="cannot be evaluated"):
        check(distribution("app", "1.0", 'lib; os_name === "posix" and extra > "a"'), distribution("lib"))


def test_who_needs_whom_is_told_as_it_is_on_this_target() -> None:
    app = distribution("app", "1.0", "Lib.One", "app[all]", 'extra-lib; extra == "all"', 'old; python_version < "3.9"')
    described = {each.name: each for each in (app, distribution("lib-one"), distribution("extra-lib"))}

    needs = require_closure(described, ENVIRONMENT, {"app": ("all",)})

    assert {name: names_of(each, name) for name, each in needs.items()} == {
        "app": ("extra-lib", "lib-one"),
        "lib-one": (),
        "extra-lib": (),
    }


def test_what_the_release_has_meets_requirements_by_its_own_version() -> None:
    app = distribution("app", "1.0", "Lib>=1", "Lib<3; python_version > '3.8'")

    needs = require_closure({"app": app}, ENVIRONMENT, {}, {"lib": released("lib", "1.5")})

    assert required_by("lib", needs) == (("app", "Lib<3", "<3"), ("app", "Lib>=1", ">=1"))


def test_a_version_of_the_release_that_does_not_satisfy_is_told_with_the_locked_one() -> None:
    with pytest.raises(StagingError) as caught:
        require_closure({"app": distribution("app", "1.0", "lib>=2")}, ENVIRONMENT, {}, {"lib": released("lib", "1.5")})

    assert caught.value.details == (
        "  app requires lib>=2: the release has 1.5 of python3-lib 1.5-1, and 2.5 is locked"
    )
    assert "wheels.system" in caught.value.resolution


def test_what_the_release_requires_of_itself_is_its_own_affair() -> None:
    app = distribution("app", "1.0", "lib")
    system = {"lib": released("lib", "1.5", "other>=9", "absent"), "other": released("other", "1.0")}

    needs = require_closure({"app": app}, ENVIRONMENT, {}, system)

    assert required_by("other", needs) == (("lib", "other>=9", ">=9"),)
    (warning,) = unmet_in_system(needs, system.values())
    assert warning.startswith("lib of the release requires absent, which is neither")


def test_what_the_release_requires_of_a_wheel_is_checked() -> None:
    described = {each.name: each for each in (distribution("app", "1.0", "lib"), distribution("own", "1.0"))}

    with pytest.raises(StagingError, match=r"lib requires own>=2: 1\.0 is installed"):
        require_closure(described, ENVIRONMENT, {}, {"lib": released("lib", "1.5", "own>=2")})


def test_what_comes_with_the_interpreter_meets_requirements_in_its_own_version() -> None:
    app = {"app": distribution("app", "1.0", "cffi>=1.12")}
    newer = {"app": distribution("app", "1.0", "cffi>=2")}
    preinstalled = [("cffi", "1.15.1")]

    require_closure(app, ENVIRONMENT, {}, preinstalled=preinstalled)
    with pytest.raises(StagingError) as caught:
        require_closure(newer, ENVIRONMENT, {}, preinstalled=preinstalled)

    assert caught.value.details == "  app requires cffi>=2: 1.15.1 is installed"
