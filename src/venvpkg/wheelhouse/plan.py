"""Decide where each distribution's wheel comes from, and why. Pure, apart from looking into the wheelhouse."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, assert_never

from venvpkg.errors import LockError
from venvpkg.model.lock import Cause, Fallback, LockedCommit, LockedDirectory, RemoteFile
from venvpkg.model.project import WheelPolicy
from venvpkg.model.tags import best_wheel, publisher_tags, pure_tags
from venvpkg.model.wheels import Action, PlannedSystem, PlannedWheel, SourceTree, WheelPlan
from venvpkg.store.filecache import key_of
from venvpkg.wheelhouse.key import key_inputs, sdist_name, source_id, with_their_requirements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from venvpkg.model.lock import BuildPins, Lock, LockedDistribution
    from venvpkg.model.project import Project
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import ReadyWheel, SystemDistribution
    from venvpkg.store.filecache import Json
    from venvpkg.wheelhouse.entry import Entry
    from venvpkg.wheelhouse.key import Toolchain


# In the pins of build requirements, the source of a project's own tree.
DIRECTORY = "directory"
# Placeholder for the source of a commit that is not fetched for a plan.
_NOT_FETCHED = SourceTree(Path(), (), "", is_ready=False)


class Shelf(Protocol):
    """Finds wheels that were built before."""

    def find(self, key: str) -> ReadyWheel | None:
        """Return the wheel with a key, or None."""

    def find_like(self, inputs: Mapping[str, Json]) -> Entry | None:
        """Return a wheel built from the same source on another release that the site declares compatible, or None."""


class _NoShelf:
    """A wheelhouse without wheels."""

    def find(self, key: str) -> None:
        del key

    def find_like(self, inputs: Mapping[str, Json]) -> None:
        del inputs


@dataclass(frozen=True, slots=True)
class WheelSources:
    """Where the wheels for one target can come from, in addition to the index.

    Attributes:
        shelf: the wheelhouse.
        toolchain: returns the target's toolchain, or None if a tool to read it is not installed.
        pins: known pins of build requirements, for any target.
        fallbacks: known distributions that cannot be compiled, for any target.
        own: the application's own source; it replaces an entry of the same name in the lock.
        trees: sources of the lock's distributions with an origin, by name, if they have been fetched.
        system: distributions that come from the release's packages, with all that they require.
    """

    shelf: Shelf
    toolchain: Callable[[], Toolchain | None]
    pins: Iterable[BuildPins] = ()
    fallbacks: Iterable[Fallback] = ()
    own: SourceTree | None = None
    trees: Mapping[str, SourceTree] = field(default_factory=dict)
    system: Iterable[SystemDistribution] = ()


def plan_wheels(lock: Lock, project: Project, target: Target, sources: WheelSources) -> WheelPlan:
    """Return a decision for each distribution of the lock, and for the application's own tree if there is one.

    System distributions replace the entries of the same names in the lock, and may add others.

    Args:
        lock: the distributions that the application needs.
        project: the project, for its policies.
        target: where the package will be installed.
        sources: where wheels can come from.

    Raises:
        LockError: some distributions have no wheel for the target under their policy, or only one whose hash the user
            does not trust; the error lists all of them.
    """
    planner = _Planner(project, target, sources)
    from_system = tuple(_plan_system(each, lock) for each in sources.system)
    elsewhere = {each.name for each in from_system} | ({project.name} if sources.own is not None else set())
    planned = [planner.decide(each) for each in lock.distributions if each.name not in elsewhere]
    if sources.own is not None:
        planned.append(planner.from_tree(sources.own))
    planner.require_decisions()
    wheels = sorted((each for each in planned if each is not None), key=lambda each: each.name)
    return WheelPlan(tuple(wheels), tuple(sorted(from_system, key=lambda each: each.name)))


def with_fallbacks(
    plan: WheelPlan, lock: Lock, found: Iterable[Fallback], project: Project, target: Target
) -> WheelPlan:
    """Return the plan with prebuilt wheels in place of those that turned out to be impossible to compile.

    Args:
        plan: the plan without these fallbacks.
        lock: the lock of the plan.
        found: fallbacks for wheels that the plan compiles.
        project: the project, for its policies.
        target: where the package will be installed.

    Raises:
        LockError: some have no prebuilt wheel for the target, or only one whose hash the user does not trust; the error
            lists all of them.
    """
    planner = _Planner(project, target, WheelSources(_NoShelf(), lambda: None, fallbacks=found))
    changed = {each.name for each in found}
    decided = {each.name: planner.decide(each) for each in lock.distributions if each.name in changed}
    planner.require_decisions()
    return replace(plan, wheels=tuple(decided.get(each.name) or each for each in plan.wheels))


def with_own_tree(plan: WheelPlan, project: Project, target: Target, sources: WheelSources) -> WheelPlan:
    """Return the plan with a new decision for the application's own source, after its prepare commands ran."""
    if sources.own is None:
        return plan
    own = _Planner(project, target, sources).from_tree(sources.own)
    return replace(plan, wheels=tuple(own if each.name == own.name else each for each in plan.wheels))


def _plan_system(distribution: SystemDistribution, lock: Lock) -> PlannedSystem:
    locked = lock.get(distribution.name)
    package = f"{distribution.package.name} {distribution.package.version}"
    why = f"required by the release's {distribution.needed_by}" if distribution.needed_by else "policy system"
    instead = (
        "" if locked is None or locked.version == distribution.version else f", in place of the locked {locked.version}"
    )
    return PlannedSystem(distribution, f"{why}, so {package} of the release{instead}", locked.version if locked else "")


class _Planner:
    """Decides for one target, and collects problems."""

    def __init__(self, project: Project, target: Target, sources: WheelSources) -> None:
        self._problems: list[str] = []
        self._untrusted: list[str] = []
        self._wheels = project.settings.wheels
        self._project = project
        self._target = target
        self._sources = sources
        self._pins = {(each.name, each.source, each.target): each for each in sources.pins}
        self._fallbacks = {(each.name, each.source, each.target): each for each in sources.fallbacks}
        self._pure_tags = pure_tags(target)
        self._publisher_tags = publisher_tags(target)

    def require_decisions(self) -> None:
        """Raise if a distribution has no usable wheel.

        Raises:
            LockError: there are untrusted files, or other problems; the error lists all of that kind.
        """
        if self._untrusted:
            raise LockError(
                f"the hashes of {len(self._untrusted)} files are not in the requirements file.",
                details="\n".join(f"  {problem}" for problem in self._untrusted),
                resolution="Find out whether the index or the requirements file is wrong before you update its hashes.",
            )
        if self._problems:
            raise LockError(
                f"{len(self._problems)} distributions have no usable wheel for {self._target.name}.",
                details="\n".join(f"  {problem}" for problem in self._problems),
                resolution="Change the policy under [tool.venvpkg.wheels], or lock another version.",
            )

    def from_tree(self, tree: SourceTree) -> PlannedWheel:
        if not tree.is_ready:
            reason = "the project's own source; its prepare commands have not run on these files"
            return PlannedWheel(self._project.name, "", Action.COMPILE, reason, tree)
        return self._plan_build(self._project.name, "", tree, DIRECTORY, "the project's own source")

    def decide(self, distribution: LockedDistribution) -> PlannedWheel | None:
        """Return the decision, or None after noting a problem."""
        if distribution.origin is not None:
            return replace(
                self._from_origin(distribution.name, distribution.origin), locked_version=distribution.version
            )
        planned = self._apply_policy(distribution)
        if planned is not None and isinstance(planned.source, RemoteFile):
            file = planned.source
            if distribution.trusted is not None and file.sha256 not in distribution.trusted:
                self._untrusted.append(
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
        tree = self._sources.trees.get(name)
        if tree is None:
            reason = f"{what}; not fetched yet, so whether it was built before is not known"
            return PlannedWheel(name, "", Action.COMPILE, reason, _NOT_FETCHED)
        return self._plan_build(name, "", tree, DIRECTORY, what)

    def _apply_policy(self, distribution: LockedDistribution) -> PlannedWheel | None:
        name = distribution.name
        policy = self._wheels.policy_of(name)
        pure = best_wheel(distribution.wheels, self._pure_tags)
        # An explicit policy takes precedence: a distribution can have a pure wheel and a faster native one.
        if pure is not None and name not in (*self._wheels.compile, *self._wheels.binary):
            return _prebuilt(distribution, Action.PURE, pure, "pure Python, so the publisher's wheel")
        match policy:
            case WheelPolicy.BINARY:
                return self._plan_prebuilt(distribution, "policy binary", "policy binary, but")
            case WheelPolicy.PREFER_COMPILE if (fallback := self._find_fallback(distribution)) is not None:
                return self._plan_prebuilt(distribution, fallback.detail, f"{fallback.detail}, and", fallback)
            case WheelPolicy.COMPILE | WheelPolicy.PREFER_COMPILE if distribution.sdist is not None:
                what = "native code" if distribution.wheels else "published as source"
                return self._plan_build(name, distribution.version, distribution.sdist, distribution.sdist.sha256,
                                        what if pure is None else "policy compile")  # fmt: skip
            case WheelPolicy.COMPILE | WheelPolicy.PREFER_COMPILE:
                self._problems.append(f"{name} {distribution.version}: policy compile, but there is no sdist")
                return None
            case _:
                assert_never(policy)

    def _pins_of(self, sdist: RemoteFile) -> BuildPins | None:
        return self._pins.get((sdist_name(sdist)[0], sdist.sha256, self._target.abi_name))

    def _find_fallback(self, distribution: LockedDistribution) -> Fallback | None:
        """Return the known fallback of a distribution that cannot be compiled for the target, or None."""
        if distribution.sdist is not None:
            return self._fallbacks.get((distribution.name, distribution.sdist.sha256, self._target.abi_name))
        return Fallback(
            distribution.name, distribution.version, "", self._target.abi_name, Cause.NO_SDIST, "no sdist to compile"
        )

    def _plan_prebuilt(
        self, distribution: LockedDistribution, why: str, why_not: str, fallback: Fallback | None = None
    ) -> PlannedWheel | None:
        wheel = best_wheel(distribution.wheels, self._publisher_tags)
        if wheel is not None:
            action = Action.PURE if best_wheel((wheel,), self._pure_tags) else Action.BINARY
            bundled = "" if action is Action.PURE else "; libraries bundled in it get no updates from the release"
            return _prebuilt(distribution, action, wheel, f"{why}, so the publisher's wheel{bundled}", fallback)
        count = len(distribution.wheels)
        self._problems.append(
            f"{distribution.name} {distribution.version}: {why_not} none of its {count} wheels is for"
            f" {self._target.abi_name}"
        )
        return None

    def _plan_build(
        self, name: str, version: str, source: RemoteFile | SourceTree, pinned_as: str, what: str
    ) -> PlannedWheel:
        pins = self._pins.get((name, pinned_as, self._target.abi_name))
        toolchain = self._sources.toolchain()
        if toolchain is None:
            reason = f"{what}; the target lacks what its compiler's flags are read with"
            return PlannedWheel(name, version, Action.COMPILE, reason, source)
        inputs = key_inputs(
            name=name,
            version=version,
            source=source_id(source),
            requirements=with_their_requirements(pins.files, self._pins_of) if pins else (),
            target=self._target,
            toolchain=toolchain,
        )
        key = key_of(inputs) if pins else None
        if key is not None and self._sources.shelf.find(key) is not None:
            reason = f"{what}; built before from the same inputs ({key[:12]})"
            return PlannedWheel(name, version, Action.REUSE, reason, source, key)
        other = self._sources.shelf.find_like(inputs)
        if other is not None:
            reason = f"{what}; {other.shelf} serves here by binary-compatibility.cfg ({other.key[:12]})"
            return PlannedWheel(name, version, Action.REUSE, reason, source, other.key)
        unknown = "never built from these inputs" if pins else "its build requirements are not known yet"
        tag = f"; tagged {self._target.vendor_tag} by binary-compatibility.cfg" if self._target.vendor_tag else ""
        return PlannedWheel(name, version, Action.COMPILE, f"{what}; {unknown}{tag}", source, key)


def _prebuilt(
    distribution: LockedDistribution, action: Action, wheel: RemoteFile, reason: str, fallback: Fallback | None = None
) -> PlannedWheel:
    return PlannedWheel(distribution.name, distribution.version, action, reason, wheel, fallback=fallback)
