"""The inputs that a lock was resolved from; comparing them shows whether the lock is out of date."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from packaging.dependency_groups import resolve_dependency_groups
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from venvpkg.errors import LockError
from venvpkg.index.pip_config import read_text
from venvpkg.lock.dynamic import dynamic_sources, has_dynamic_dependencies
from venvpkg.lock.shared import LockedTarget, locked_targets
from venvpkg.text import has_credentials, redact, strip_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from venvpkg.model.project import Project
    from venvpkg.model.target import Target


@dataclass(frozen=True, slots=True)
class LockInputs:
    """The table ``[tool.venvpkg]`` of a lock.

    Attributes:
        requirements: the application's requirements, normalised and without credentials, sorted.
        extras: the application's requested extras, normalised, sorted.
        requires_python: the application's Requires-Python; empty for none.
        target: ``debian-12-amd64``.
        python: series of the interpreter, ``3.11``, ``3.13t``; for PyPy, ``pypy3.9``.
        machine: the target's machine, ``x86_64``.
        digest: sha256 over the other inputs: the project's settings for uv, and the files from which its build backend
            computes dynamic dependencies; empty if there are none.
        groups: requested dependency groups, normalised, sorted; the requirements include theirs.
        constraints: pins from the user's requirements file, sorted.
    """

    requirements: tuple[str, ...]
    extras: tuple[str, ...]
    requires_python: str
    target: str
    python: str
    machine: str = ""
    digest: str = ""
    groups: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()

    @property
    def locked_target(self) -> LockedTarget:
        """The target as the lock identifies it."""
        return LockedTarget(self.target, self.python, self.machine)

    def as_table(self, others: Iterable[LockedTarget] = ()) -> dict[str, object]:
        """Return the TOML table of a lock for this target and for ``others``."""
        targets = sorted({self.locked_target, *others})
        table: dict[str, object] = (
            {"targets": [{"name": each.name, "python": each.python, "machine": each.machine} for each in targets]}
            if len(targets) > 1
            else {"target": self.target, "python": self.python, "machine": self.machine}
        )
        table["requirements"] = list(self.requirements)
        if self.extras:
            table["extras"] = list(self.extras)
        if self.groups:
            table["groups"] = list(self.groups)
        if self.requires_python:
            table["requires-python"] = self.requires_python
        if self.digest:
            table["inputs-sha256"] = self.digest
        if self.constraints:
            table["constraints"] = list(self.constraints)
        return table

    def changes_since(self, table: Mapping[str, object]) -> tuple[str, ...]:
        """Return descriptions of the differences from a lock's table; none if the lock is up to date."""
        known = locked_targets(table)
        mine = next((each for each in known if each.name == self.target), None)
        changes: list[str] = []
        if mine is None:
            changes.append(f"target: {self.target}, locked for {', '.join(each.name for each in known) or 'none'}")
        elif mine.python != self.python:
            changes.append(f"interpreter: {self.python}, locked for {mine.python or 'none'}")
        return (*changes, *self.other_changes_since(table))

    def other_changes_since(self, table: Mapping[str, object]) -> tuple[str, ...]:
        """Return descriptions of the differences that concern every target of the lock."""
        current = self.as_table()
        changes: list[str] = []
        if table.get("requires-python", "") != self.requires_python:
            locked = table.get("requires-python")
            changes.append(f"requires-python: {self.requires_python or 'none'}, locked for {locked or 'none'}")
        for key in ("requirements", "extras", "groups", "constraints"):
            before, now = _string_set(table.get(key)), _string_set(current.get(key))
            changes.extend(f"{key}: {each} was added" for each in sorted(now - before))
            changes.extend(f"{key}: {each} was removed" for each in sorted(before - now))
        if table.get("inputs-sha256", "") != self.digest:
            changes.append("the settings for uv, or the files with the project's dynamic dependencies, have changed")
        return tuple(changes)


def lock_inputs(project: Project, target: Target, constraints: tuple[str, ...] = ()) -> LockInputs:
    """Return the inputs of the lock of ``project`` for ``target``.

    Args:
        project: the application.
        target: the target to lock for.
        constraints: pins from the user's requirements file, sorted.

    Raises:
        LockError: the project's requirements are invalid, or it does not support the target's interpreter.
    """
    extras = tuple(sorted({canonicalize_name(extra) for extra in project.settings.extras}))
    if project.directory is None:
        requirement = Requirement(application_requirement(project))
        if exposed := tuple(_exposed_passwords((requirement,), {})):
            raise LockError(
                f"{project.name} cannot be resolved.",
                details="\n".join(f"  {problem}" for problem in exposed),
                resolution="Give the URL without them.",
            )
        only = _normalise(requirement)
        return LockInputs((only,), (), "", target.name, _python(target), _machine(target), constraints=constraints)
    path = project.directory / "pyproject.toml"
    document = _read_pyproject(path)
    table, tool = _get_table(document, "project"), _get_table(document, "tool")
    problems: list[str] = []
    groups = tuple(sorted(project.settings.groups))
    declared = (
        *_project_requirements(table, extras, problems),
        *_group_requirements(document, groups, problems),
    )
    problems.extend(_exposed_passwords(declared, tool))
    requirements = sorted({_normalise(each) for each in declared})
    requires_python = _check_requires_python(table, project, target, problems)
    if problems:
        raise LockError(
            f"{path}: the application's dependencies cannot be resolved for {target.name}.",
            details="\n".join(f"  {problem}" for problem in problems),
            resolution="Fix [project] and [dependency-groups].",
        )
    return LockInputs(
        requirements=tuple(requirements),
        extras=extras,
        requires_python=requires_python,
        target=target.name,
        python=_python(target),
        machine=_machine(target),
        digest=_digest(project.directory, table, tool, extras),
        groups=groups,
        constraints=constraints,
    )


def computes_dependencies(project: Project) -> bool:
    """Whether the project's build backend computes its dependencies, so that its files do not declare them.

    Raises:
        LockError: the pyproject.toml is malformed.
    """
    if project.directory is None:
        return False
    document = _read_pyproject(project.directory / "pyproject.toml")
    return has_dynamic_dependencies(_get_table(document, "project"), project.settings.extras)


def wheel_declares_dependencies(project: Project) -> bool:
    """Whether the wheel of the project is the only certain source of its dependencies; uv's settings can replace it.

    Raises:
        LockError: the pyproject.toml is malformed.
    """
    if project.directory is None or not computes_dependencies(project):
        return False
    document = _read_pyproject(project.directory / "pyproject.toml")
    return not {"dependency-metadata", "override-dependencies"} & _get_table(_get_table(document, "tool"), "uv").keys()


def _machine(target: Target) -> str:
    """Return the machine as the interpreter reports it, because the lock's markers are evaluated with that."""
    return target.interpreter.marker_environment.get("platform_machine", target.machine)


def application_requirement(project: Project) -> str:
    """Return the requirement (PEP 508) of an application from the index, with the extras of its settings."""
    requirement = Requirement(project.requirement or project.name)
    requirement.extras |= set(project.settings.extras)
    return str(requirement)


def _project_requirements(
    table: Mapping[str, object], extras: tuple[str, ...], problems: list[str]
) -> Iterator[Requirement]:
    optional = _get_table(table, "optional-dependencies")
    lists = {"dependencies": table.get("dependencies", [])}
    lists |= {f"optional-dependencies.{key}": optional[key] for key in optional if canonicalize_name(key) in extras}
    for key, value in lists.items():
        if not isinstance(value, list):
            problems.append(f"project.{key}: must be an array of requirements (PEP 508)")
            continue
        for entry in value:
            try:
                yield Requirement(entry if isinstance(entry, str) else "")
            except InvalidRequirement as error:
                shown = strip_credentials(str(error).splitlines()[0])
                entry_text = strip_credentials(repr(entry))
                problems.append(f"project.{key}: {entry_text} is not a valid requirement: {shown}")


def _group_requirements(
    document: Mapping[str, object], groups: tuple[str, ...], problems: list[str]
) -> Iterator[Requirement]:
    """Yield the requirements of dependency groups and of the groups that they include (PEP 735)."""
    table = cast("Mapping[str, list[str | Mapping[str, str]]]", _get_table(document, "dependency-groups"))
    for group in groups:
        try:
            yield from map(Requirement, resolve_dependency_groups(table, group))
        except (ExceptionGroup, InvalidRequirement, LookupError, TypeError, ValueError, RecursionError) as error:
            errors = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
            problems.extend(f"dependency-groups.{group}: {strip_credentials(str(each))}" for each in errors)


def _exposed_passwords(declared: Iterable[Requirement], tool: Mapping[str, object]) -> Iterator[str]:
    """Yield a problem for each repository with a password: uv gives its URL to git, where every process list has it."""
    uv = tool.get("uv")
    sources = uv.get("sources") if isinstance(uv, dict) else None
    repositories = {each.name: each.url for each in declared if each.url and each.url.startswith("git+")}
    for name, entries in sources.items() if isinstance(sources, dict) else ():
        for entry in entries if isinstance(entries, list) else (entries,):
            if isinstance(entry, dict) and isinstance(entry.get("git"), str):
                repositories[name] = entry["git"]
    for name, url in sorted(repositories.items()):
        if has_credentials(url):
            yield (
                f"{name} @ {redact(url)} contains a user or password, which every process of this machine could read;"
                " keep them in netrc or git's credential helper"
            )


def _check_requires_python(table: Mapping[str, object], project: Project, target: Target, problems: list[str]) -> str:
    text = table.get("requires-python", "")
    version = ".".join(map(str, target.interpreter.version))
    try:
        accepted = SpecifierSet(text if isinstance(text, str) else "?")
    except InvalidSpecifier:
        problems.append(f"project.requires-python: {text!r} is not a valid version specifier; expected e.g. '>=3.11'")
        return ""
    if not accepted.contains(version, prereleases=True):
        problems.append(
            f"project.requires-python: {project.name} requires Python {accepted};"
            f" {target.name} has {version} ({target.interpreter.path})"
        )
    return str(accepted)


def _python(target: Target) -> str:
    """Return the interpreter series for the lock; CPython, the usual one, is not named."""
    return target.interpreter.name.removeprefix("python")


def _normalise(requirement: Requirement) -> str:
    """Return a requirement in its normalised spelling; ``Flask`` and ``flask`` are the same."""
    requirement.name = canonicalize_name(requirement.name)
    return strip_credentials(str(requirement))


def _digest(directory: Path, table: Mapping[str, object], tool: Mapping[str, object], extras: tuple[str, ...]) -> str:
    pieces: list[bytes] = []
    if "uv" in tool:
        pieces.append(json.dumps(tool["uv"], sort_keys=True, default=str).encode())
    if has_dynamic_dependencies(table, extras):
        paths = dynamic_sources(directory)
        pieces.extend(f"{path.relative_to(directory)}\0{read_text(path) or ''}".encode() for path in paths)
    return hashlib.sha256(b"\0\0".join(pieces)).hexdigest() if pieces else ""


def _read_pyproject(path: Path) -> Mapping[str, object]:
    if not path.exists() and (path.parent / "setup.py").is_file():
        return {}
    text = read_text(path)
    try:
        return tomllib.loads(text if text is not None else "=")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise LockError(
            f"{path} cannot be read.", details=f"  {error}" if text is not None else "", resolution="Fix the file."
        ) from error


def _get_table(parent: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _string_set(value: object) -> set[str]:
    return {str(each) for each in value} if isinstance(value, list) else set()
