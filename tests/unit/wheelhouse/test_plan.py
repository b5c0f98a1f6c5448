"""Every distribution gets one decision with its reason, or the plan says for which there is none."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unit.samples import a_system
from unit.wheelhouse.makers import TOOLCHAIN, application, bookworm, distribution, locked, pins_of, remote
from venvpkg.errors import LockError
from venvpkg.model.lock import BuildPins, Cause, Fallback, Lock, LockedCommit, LockedDirectory, LockedDistribution
from venvpkg.model.project import Project, WheelPolicy
from venvpkg.model.wheels import Action, PlannedWheel, ReadyWheel, SourceTree
from venvpkg.wheelhouse.entry import Entry
from venvpkg.wheelhouse.plan import DIRECTORY, WheelSources, plan_wheels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvpkg.store.filecache import Json

PURE = "demo-1.0-py3-none-any.whl"
NATIVE = "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
WINDOWS = "demo-1.0-cp311-cp311-win_amd64.whl"
NEWER = "demo-1.0-cp311-cp311-manylinux_2_40_x86_64.whl"
SDIST = "demo-1.0.tar.gz"
NO_CRATES = Fallback(
    "demo", "1.0", remote(SDIST).sha256, "debian-12-amd64-cp311", Cause.NO_CRATE_SOURCE, "9 crates are absent"
)
TREE = SourceTree(Path("/app"), ("pyproject.toml",), "ab" * 32)


class Kept(dict[str, ReadyWheel]):
    """A shelf that knows what the test puts there; with ``everything`` it knows any key."""

    everything = False
    compatible: Entry | None = None

    def find(self, key: str) -> ReadyWheel | None:
        if self.everything:
            return ReadyWheel("x", "1", Path("/x.whl"), "", Action.REUSE)
        return self.get(key)

    def find_like(self, inputs: Mapping[str, Json]) -> Entry | None:
        return self.compatible if self.compatible and inputs["name"] == self.compatible.name else None


def decide(
    *filenames: str,
    project: Project | None = None,
    pins: tuple[BuildPins, ...] = (),
    kept: Kept | None = None,
    fallbacks: tuple[Fallback, ...] = (),
) -> PlannedWheel:
    lock = locked(distribution("demo", *filenames))
    (only,) = plan_wheels(
        lock,
        project or application(),
        bookworm(),
        WheelSources(Kept() if kept is None else kept, lambda: TOOLCHAIN, pins=pins, fallbacks=fallbacks),
    ).wheels
    return only


def refusal(lock: Lock, project: Project) -> LockError:
    with pytest.raises(LockError) as caught:
        plan_wheels(lock, project, bookworm(), WheelSources(Kept(), lambda: TOOLCHAIN, pins=()))
    return caught.value


@pytest.mark.parametrize("default", list(WheelPolicy))
def test_a_pure_distribution_uses_the_publishers_wheel_under_every_policy(default: WheelPolicy) -> None:
    planned = decide(PURE, SDIST, project=application(default=default))

    assert (planned.action, planned.source) == (Action.PURE, remote(PURE))


def test_native_code_is_compiled_even_when_the_publisher_has_a_wheel() -> None:
    planned = decide(NATIVE, SDIST)

    assert (planned.action, planned.source, planned.key) == (Action.COMPILE, remote(SDIST), None)
    assert "native code" in planned.reason


def test_a_pure_wheel_counts_before_native_ones() -> None:
    assert decide(NATIVE, PURE, SDIST).action is Action.PURE


def test_a_name_in_the_compile_list_is_compiled_though_it_has_a_pure_wheel() -> None:
    assert decide(NATIVE, PURE, SDIST, project=application(compiled=["demo"])).action is Action.COMPILE


def test_a_name_in_the_binary_list_gets_the_native_wheel() -> None:
    planned = decide(WINDOWS, PURE, NATIVE, SDIST, project=application(binary=["demo"]))

    assert (planned.action, planned.source) == (Action.BINARY, remote(NATIVE))
    assert "no updates" in planned.reason


def test_without_sdist_the_publishers_wheel_is_the_way_out_of_prefer_compile() -> None:
    planned = decide(NATIVE)

    assert planned.action is Action.BINARY
    assert "no sdist" in planned.reason
    assert planned.fallback is not None
    assert planned.fallback.cause is Cause.NO_SDIST


def test_a_recorded_cause_makes_the_publishers_wheel_stand_in_and_is_told() -> None:
    planned = decide(NATIVE, SDIST, fallbacks=(NO_CRATES,))

    assert (planned.action, planned.source, planned.fallback) == (Action.BINARY, remote(NATIVE), NO_CRATES)
    assert planned.reason.startswith("9 crates are absent, so the publisher's wheel")


@pytest.mark.parametrize("other", [{"target": "debian-13-amd64-cp313"}, {"source": "0" * 64}, {"name": "other"}])
def test_a_cause_on_another_target_or_for_another_source_says_nothing(other: dict[str, str]) -> None:
    assert decide(NATIVE, SDIST, fallbacks=(replace(NO_CRATES, **other),)).action is Action.COMPILE  # type: ignore[arg-type]


def test_what_the_user_wants_compiled_is_compiled_though_a_cause_is_recorded() -> None:
    planned = decide(NATIVE, SDIST, project=application(compiled=["demo"]), fallbacks=(NO_CRATES,))

    assert (planned.action, planned.fallback) == (Action.COMPILE, None)


def test_a_recorded_cause_without_a_wheel_that_fits_is_an_error_that_tells_both() -> None:
    with pytest.raises(LockError, match="9 crates are absent, and none of its 1 wheels is for debian-12-amd64-cp311"):
        decide(WINDOWS, SDIST, fallbacks=(NO_CRATES,))


def test_the_users_own_choice_of_a_publishers_wheel_is_no_fallback() -> None:
    assert decide(NATIVE, SDIST, project=application(binary=["demo"])).fallback is None


def test_of_several_wheels_the_best_tag_wins_and_then_the_build_number() -> None:
    old = "demo-1.0-2-cp311-cp311-manylinux_2_5_x86_64.whl"
    rebuilt = "demo-1.0-1-cp311-cp311-manylinux_2_17_x86_64.whl"

    planned = decide(old, NATIVE, rebuilt, "demo-odd.whl", project=application(binary=["demo"]))

    assert planned.source == remote(rebuilt)


def test_everything_that_cannot_be_had_is_told_at_once() -> None:
    lock = locked(
        distribution("a", "a-1.0-cp311-cp311-win_amd64.whl"),
        distribution("b", "b-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"),
        distribution("c", "c-1.0.tar.gz"),
        distribution("d", "d-1.0-cp311-cp311-manylinux_2_40_x86_64.whl"),
        distribution("e", "e-1.0-py3-none-any.whl"),
    )

    told = str(refusal(lock, application(compiled=["b"], binary=["c"])))

    assert "a 1.0: no sdist to compile, and none of its 1 wheels is for debian-12-amd64-cp311" in told
    assert "b 1.0: policy compile, but there is no sdist" in told
    assert "c 1.0: policy binary, but none of its 0 wheels" in told
    assert "d 1.0: no sdist" in told
    assert "e 1.0" not in told


def test_with_known_build_requirements_the_key_is_known() -> None:
    pins = pins_of("demo", remote(SDIST).sha256, files=[remote("setuptools-80-py3-none-any.whl")])

    planned = decide(NATIVE, SDIST, pins=(pins,))

    assert planned.action is Action.COMPILE
    assert planned.key is not None


def test_what_was_built_from_the_same_inputs_is_used_again() -> None:
    kept = Kept()
    kept.everything = True

    planned = decide(NATIVE, SDIST, pins=(pins_of("demo", remote(SDIST).sha256),), kept=kept)

    assert planned.action is Action.REUSE


@pytest.mark.parametrize(
    "other",
    [
        BuildPins("demo", remote(SDIST).sha256, "debian-13-amd64-cp313", (), ()),
        BuildPins("demo", "0" * 64, "debian-12-amd64-cp311", (), ()),
    ],
)
def test_pins_of_another_target_or_source_say_nothing(other: BuildPins) -> None:
    assert decide(NATIVE, SDIST, pins=(other,)).key is None


def test_the_projects_own_tree_stands_for_its_entry_in_the_lock() -> None:
    lock = locked(distribution("app", "app-1.0.tar.gz"), distribution("b", "b-1.0-py3-none-any.whl"))

    plan = plan_wheels(
        lock,
        application(),
        bookworm(),
        WheelSources(Kept(), lambda: TOOLCHAIN, pins=(pins_of("app", DIRECTORY),), own=TREE),
    )

    assert [(each.name, each.source) for each in plan.wheels] == [
        ("app", TREE),
        ("b", remote("b-1.0-py3-none-any.whl")),
    ]
    assert plan.wheels[0].key is not None


def test_source_in_a_directory_and_at_a_commit_is_built_whatever_the_policy() -> None:
    lock = Lock((
        LockedDistribution("lib", "", (), None, LockedDirectory(Path("/lib"))),
        LockedDistribution("vcs", "1.0", (), None, LockedCommit("https://h.example/x", "ab" * 20)),
    ))  # fmt: skip
    trees = {"lib": TREE, "vcs": dataclasses.replace(TREE, directory=Path("/vcs"))}

    plan = plan_wheels(
        lock,
        application(default=WheelPolicy.BINARY),
        bookworm(),
        WheelSources(Kept(), lambda: TOOLCHAIN, pins=(), trees=trees),
    )

    assert [(each.name, each.action, each.source) for each in plan.wheels] == [
        ("lib", Action.COMPILE, trees["lib"]),
        ("vcs", Action.COMPILE, trees["vcs"]),
    ]
    assert "git commit abababababab" in plan.wheels[1].reason


@pytest.mark.parametrize(("filename", "others"), [(PURE, (SDIST,)), (SDIST, (NATIVE,))])
def test_only_the_file_that_is_used_has_to_be_one_that_the_user_trusts(filename: str, others: tuple[str, ...]) -> None:
    found = dataclasses.replace(distribution("demo", filename, *others), trusted=frozenset({remote(filename).sha256}))
    others_only = dataclasses.replace(found, trusted=frozenset(remote(each).sha256 for each in others))

    (planned,) = plan_wheels(
        locked(found), application(), bookworm(), WheelSources(Kept(), lambda: TOOLCHAIN, pins=())
    ).wheels
    refused = refusal(locked(others_only), application())

    assert planned.source == remote(filename)
    assert f"demo 1.0: {filename} has sha256 {remote(filename).sha256}" in refused.details


def test_another_hash_changes_no_decision_silently() -> None:
    found = dataclasses.replace(distribution("demo", NATIVE, SDIST), trusted=frozenset({remote(NATIVE).sha256}))

    assert SDIST in refusal(locked(found), application()).details
    (planned,) = plan_wheels(
        locked(found), application(binary=["demo"]), bookworm(), WheelSources(Kept(), lambda: TOOLCHAIN, pins=())
    ).wheels
    assert planned.action is Action.BINARY


def other_release() -> Entry:
    tag = "linux_x86_64_ubuntu_22_04"
    return Entry(Path(f"/house/{tag}/ab/abcdef0123456789"), tag, "w.whl", "demo", "1.0", tag, "", 1, 0, 0, {}, {})


@pytest.mark.parametrize("pins", [(), (pins_of("demo", remote(SDIST).sha256),)])
def test_a_wheel_of_an_accepted_release_is_used_and_the_reason_says_whose_decision_it_was(
    pins: tuple[BuildPins, ...],
) -> None:
    kept = Kept()
    kept.compatible = other_release()

    planned = decide(NATIVE, SDIST, pins=pins, kept=kept)

    assert (planned.action, planned.key) == (Action.REUSE, "abcdef0123456789")
    assert "linux_x86_64_ubuntu_22_04 serves here by binary-compatibility.cfg" in planned.reason


def test_what_was_built_from_the_same_inputs_counts_before_another_releases_wheel() -> None:
    kept = Kept()
    kept.everything = True
    kept.compatible = other_release()

    planned = decide(NATIVE, SDIST, pins=(pins_of("demo", remote(SDIST).sha256),), kept=kept)

    assert "the same inputs" in planned.reason


def test_another_tag_for_the_build_is_in_the_reason() -> None:
    (planned,) = plan_wheels(
        locked(distribution("demo", SDIST)),
        application(),
        replace(bookworm(), vendor_tag="linux_x86_64_site_1"),
        WheelSources(Kept(), lambda: TOOLCHAIN, pins=()),
    ).wheels

    assert "tagged linux_x86_64_site_1 by binary-compatibility.cfg" in planned.reason


def test_a_project_whose_prepare_commands_have_not_run_is_built_and_has_no_key_yet() -> None:
    everything = Kept()
    everything.everything = True
    tree = SourceTree(Path("/app"), ("pyproject.toml",), "ab" * 32, is_ready=False)

    (only,) = plan_wheels(
        locked(), application(), bookworm(), WheelSources(everything, lambda: TOOLCHAIN, pins=(), own=tree)
    ).wheels

    assert (only.action, only.key) == (Action.COMPILE, None)
    assert only.reason.endswith("its prepare commands have not run on these files")


def test_what_the_release_has_takes_the_place_of_the_locked_wheel_and_may_bring_more() -> None:
    lock = locked(distribution("demo", SDIST), distribution("psycopg2", "psycopg2-2.9.10.tar.gz", version="2.9.10"))
    system = (a_system("six", "1.16", needed_by="psycopg2"), a_system())

    plan = plan_wheels(lock, application(), bookworm(), WheelSources(Kept(), lambda: TOOLCHAIN, pins=(), system=system))

    assert [each.name for each in plan.wheels] == ["demo"]
    assert [(each.name, each.version, each.locked, each.action, each.reason) for each in plan.system] == [
        (
            "psycopg2",
            "2.9.5",
            "2.9.10",
            Action.SYSTEM,
            "policy system, so python3-psycopg2 2.9.5-1 of the release, in place of the locked 2.9.10",
        ),
        ("six", "1.16", "", Action.SYSTEM, "required by the release's psycopg2, so python3-six 1.16-1 of the release"),
    ]
