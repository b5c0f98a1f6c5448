"""Decide where each distribution's wheel comes from, and say why. Pure, but for the look into the wheelhouse."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, assert_never

from venvpkg.errors import LockError
from venvpkg.model.lock import Cause, Fallback, LockedCommit, LockedDirectory, RemoteFile
from venvpkg.model.project import WheelPolicy
from venvpkg.model.tags import best_wheel, publisher_tags, pure_tags
from venvpkg.model.wheels import Action, PlannedSystem, PlannedWheel, WheelPlan
from venvpkg.store.key import key_of
from venvpkg.wheelhouse.key import key_inputs, source_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from venvpkg.model.lock import BuildPins, Lock, LockedDistribution
    from venvpkg.model.project import Project
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import ReadyWheel, SourceTree, SystemDistribution
    from venvpkg.store.key import Json
    from venvpkg.wheelhouse.entry import Entry
    from venvpkg.wheelhouse.key import Toolchain


# The source of a project's own tree in the pins of its build requirements.
DIRECTORY = "directory"
_NONE: Mapping[str, SourceTree] = MappingProxyType({})


class Shelf(Protocol):
    """Knows which wheels were built before."""

    def find(self, key: str) -> ReadyWheel | None:
        """Return the wheel of that key, or None."""

    def find_like(self, inputs: Mapping[str, Json]) -> Entry | None:
        """Return what another release made of the same source, where the site says that it serves this one too."""


def plan_wheels(  # noqa: PLR0913 -- a stage takes what the stages before it made
    lock: Lock,
    tree: SourceTree | None,
    project: Project,
    target: Target,
    *,
    pins: Iterable[BuildPins],
    toolchain: Toolchain,
    shelf: Shelf,
    fallbacks: Iterable[Fallback] = (),
    trees: Mapping[str, SourceTree] = _NONE,
    system: Iterable[SystemDistribution] = (),
) -> WheelPlan:
    """Return one decision for each distribution of the lock, and one for the application's own tree if there is one.

    What the system has stands for the entries of the same names in the lock, and may bring others.

    Args:
        lock: what the application needs.
        tree: the application's own source; it stands for an entry of the same name in the lock.
        project: its policies.
        target: where the package will be installed.
        pins: build requirements known so far, of any target.
        toolchain: of the target.
        shelf: the wheelhouse.
        fallbacks: what is known, on any target, to be impossible to compile there.
        trees: sources of those distributions of the lock that have an origin, by name.
        system: the distributions that come from the release's own packages, with all that these require.

    Raises:
        LockError: some distributions can have no wheel here under their policy, or the file that would be used is none
            that the user trusts; all are named.
    """
    planner = _Planner(
        project,
        target,
        {(each.name, each.source, each.target): each for each in pins},
        {(each.name, each.source, each.target): each for each in fallbacks},
        toolchain,
        shelf,
        trees,
    )
    of_system = tuple(_of_system(each, lock) for each in system)
    elsewhere = {each.name for each in of_system} | ({project.name} if tree is not None else set())
    planned = [planner.decide(each) for each in lock.distributions if each.name not in elsewhere]
    if tree is not None:
        planned.append(planner.from_tree(tree))
    if planner.untrusted:
        raise LockError(
            f"{len(planner.untrusted)} of the files are none of those whose hashes the requirements file lists.",
            details="\n".join(f"  {problem}" for problem in planner.untrusted),
            resolution="Find out whether the index or the requirements file is wrong before you write its hashes anew.",
        )
    if planner.problems:
        raise LockError(
            f"On {target.name} no wheel can be had for {len(planner.problems)} of the distributions.",
            details="\n".join(f"  {problem}" for problem in planner.problems),
            resolution="Change the policy under [tool.venvpkg.wheels], or lock another version.",
        )
    wheels = sorted((each for each in planned if each is not None), key=lambda each: each.name)
    return WheelPlan(tuple(wheels), tuple(sorted(of_system, key=lambda each: each.name)))


def _of_system(distribution: SystemDistribution, lock: Lock) -> PlannedSystem:
    there = lock.get(distribution.name)
    package = f"{distribution.package.name} {distribution.package.version}"
    why = f"required by the release's {distribution.needed_by}" if distribution.needed_by else "policy system"
    instead = (
        "" if there is None or there.version == distribution.version else f", in place of the locked {there.version}"
    )
    return PlannedSystem(distribution, f"{why}, so {package} of the release{instead}", there.version if there else "")


class _Planner:
    """The decisions for one target; problems collect."""

    def __init__(  # noqa: PLR0913, PLR0917 -- what a decision depends on
        self,
        project: Project,
        target: Target,
        pins: Mapping[tuple[str, str, str], BuildPins],
        fallbacks: Mapping[tuple[str, str, str], Fallback],
        toolchain: Toolchain,
        shelf: Shelf,
        trees: Mapping[str, SourceTree],
    ) -> None:
        self.problems: list[str] = []
        self.untrusted: list[str] = []
        self._trees = trees
        self._wheels = project.settings.wheels
        self._project = project
        self._target = target
        self._pins = pins
        self._fallbacks = fallbacks
        self._toolchain = toolchain
        self._shelf = shelf
        self._pure_tags = pure_tags(target)
        self._publisher_tags = publisher_tags(target)

    def from_tree(self, tree: SourceTree) -> PlannedWheel:
        if not tree.is_ready:
            reason = "the project's own source; its prepare commands have not run on these files"
            return PlannedWheel(self._project.name, "", Action.COMPILE, reason, tree)
        return self._built(self._project.name, "", tree, DIRECTORY, "the project's own source")

    def decide(self, distribution: LockedDistribution) -> PlannedWheel | None:
        """Return the decision, or None after noting why there is none."""
        if distribution.origin is not None:
            return self._from_origin(distribution.name, distribution.origin)
        planned = self._decide(distribution)
        if planned is not None and isinstance(planned.source, RemoteFile):
            file = planned.source
            if distribution.trusted is not None and file.sha256 not in distribution.trusted:
                self.untrusted.append(
                    f"{distribution.name} {distribution.version}: {file.filename} has sha256 {file.sha256}"
                )
        return planned

    def _from_origin(self, name: str, origin: LockedDirectory | LockedCommit) -> PlannedWheel:
        match origin:
            case LockedDirectory():
                what = "source in a directory"
            case LockedCommit():
                what = f"source at git commit {origin.commit[:12]}"
            case _:
                assert_never(origin)
        return self._built(name, "", self._trees[name], DIRECTORY, what)

    def _decide(self, distribution: LockedDistribution) -> PlannedWheel | None:
        name = distribution.name
        policy = self._wheels.policy_of(name)
        pure = best_wheel(distribution.wheels, self._pure_tags)
        # A name in the user's own list means it: a distribution can have a pure wheel and a faster native one.
        if pure is not None and name not in (*self._wheels.compile, *self._wheels.binary):
            return _publishers(distribution, Action.PURE, pure, "pure Python, so the publisher's wheel")
        match policy:
            case WheelPolicy.BINARY:
                return self._binary(distribution, "policy binary", "policy binary, but")
            case WheelPolicy.PREFER_COMPILE if (fallback := self._fallback(distribution)) is not None:
                return self._binary(distribution, fallback.detail, f"{fallback.detail}, and", fallback)
            case WheelPolicy.COMPILE | WheelPolicy.PREFER_COMPILE if distribution.sdist is not None:
                what = "native code" if distribution.wheels else "published as source"
                return self._built(name, distribution.version, distribution.sdist, distribution.sdist.sha256,
                                   what if pure is None else "policy compile")  # fmt: skip
            case WheelPolicy.COMPILE | WheelPolicy.PREFER_COMPILE:
                self.problems.append(f"{name} {distribution.version}: policy compile, but there is no sdist")
                return None
            case _:
                assert_never(policy)

    def _fallback(self, distribution: LockedDistribution) -> Fallback | None:
        """Return why the distribution cannot be compiled here, if that is known."""
        if distribution.sdist is not None:
            return self._fallbacks.get((distribution.name, distribution.sdist.sha256, self._target.abi_name))
        return Fallback(
            distribution.name, distribution.version, "", self._target.abi_name, Cause.NO_SDIST, "no sdist to compile"
        )

    def _binary(
        self, distribution: LockedDistribution, why: str, why_not: str, fallback: Fallback | None = None
    ) -> PlannedWheel | None:
        wheel = best_wheel(distribution.wheels, self._publisher_tags)
        if wheel is not None:
            action = Action.PURE if best_wheel((wheel,), self._pure_tags) else Action.BINARY
            bundled = "" if action is Action.PURE else "; libraries bundled in it get no updates from the release"
            return _publishers(distribution, action, wheel, f"{why}, so the publisher's wheel{bundled}", fallback)
        count = len(distribution.wheels)
        self.problems.append(
            f"{distribution.name} {distribution.version}: {why_not} none of its {count} wheels is for"
            f" {self._target.abi_name}"
        )
        return None

    def _built(
        self, name: str, version: str, source: RemoteFile | SourceTree, pinned_as: str, what: str
    ) -> PlannedWheel:
        pins = self._pins.get((name, pinned_as, self._target.abi_name))
        inputs = key_inputs(
            name=name,
            version=version,
            source=source_id(source),
            requirements=pins.files if pins else (),
            target=self._target,
            toolchain=self._toolchain,
        )
        key = key_of(inputs) if pins else None
        if key is not None and self._shelf.find(key) is not None:
            reason = f"{what}; built before from the same inputs ({key[:12]})"
            return PlannedWheel(name, version, Action.REUSE, reason, source, key)
        other = self._shelf.find_like(inputs)
        if other is not None:
            reason = f"{what}; {other.shelf} serves here by binary-compatibility.cfg ({other.key[:12]})"
            return PlannedWheel(name, version, Action.REUSE, reason, source, other.key)
        unknown = "never built from these inputs" if pins else "its build requirements are not known yet"
        tag = f"; tagged {self._target.vendor_tag} by binary-compatibility.cfg" if self._target.vendor_tag else ""
        return PlannedWheel(name, version, Action.COMPILE, f"{what}; {unknown}{tag}", source, key)


def _publishers(
    distribution: LockedDistribution, action: Action, wheel: RemoteFile, reason: str, fallback: Fallback | None = None
) -> PlannedWheel:
    return PlannedWheel(distribution.name, distribution.version, action, reason, wheel, fallback=fallback)
