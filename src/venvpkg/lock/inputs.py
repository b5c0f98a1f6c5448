"""What a lock was resolved from, so that a lock that is out of date is noticed."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from packaging.dependency_groups import resolve_dependency_groups
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from venvpkg.errors import LockError
from venvpkg.index.pip_config import read_text
from venvpkg.index.urls import strip_credentials
from venvpkg.lock.shared import LockedTarget, locked_targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from venvpkg.model.project import Project
    from venvpkg.model.target import Target


# Files that setuptools and the usual plugins compute dynamic dependencies from, beside pyproject.toml.
_DYNAMIC_SOURCES: Final = ("pyproject.toml", "setup.cfg", "setup.py", "requirements*.txt", "requirements*.in")


@dataclass(frozen=True, slots=True)
class LockInputs:
    """Table ``[tool.venvpkg]`` of a lock.

    Attributes:
        requirements: what the application asks for, normalised and without credentials, sorted.
        extras: of the application, normalised, sorted.
        groups: of its dependency groups, normalised, sorted; what they ask for is among the requirements.
        requires_python: of the application; empty for none.
        target: ``debian-12-amd64``.
        python: series of the interpreter, ``3.11``, ``3.13t``; of PyPy, ``pypy3.9``.
        machine: of the target, ``x86_64``.
        digest: sha256 over what else decides: uv's settings of the project, and the files from which its build
            backend computes dynamic dependencies; empty when there is nothing of the kind.
        constraints: pins of the user's requirements file, which the versions keep to; sorted.
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
        """What of the target the lock names."""
        return LockedTarget(self.target, self.python, self.machine)

    def as_table(self, beside: Iterable[LockedTarget] = ()) -> dict[str, object]:
        """Return the table as TOML writes it, of a lock that holds for other targets beside this one, too."""
        named = sorted({self.locked_target, *beside})
        table: dict[str, object] = (
            {"targets": [{"name": each.name, "python": each.python, "machine": each.machine} for each in named]}
            if len(named) > 1
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
        """Return in words what is no longer as a lock's table says; nothing when the lock is up to date."""
        known = locked_targets(table)
        mine = next((each for each in known if each.name == self.target), None)
        found: list[str] = []
        if mine is None:
            found.append(f"target: {self.target}, locked for {', '.join(each.name for each in known) or 'none'}")
        elif mine.python != self.python:
            found.append(f"interpreter: {self.python}, locked for {mine.python or 'none'}")
        return (*found, *self.other_changes_since(table))

    def other_changes_since(self, table: Mapping[str, object]) -> tuple[str, ...]:
        """Return the changes that concern every target of the lock."""
        now = self.as_table()
        found: list[str] = []
        if table.get("requires-python", "") != self.requires_python:
            locked = table.get("requires-python")
            found.append(f"requires-python: {self.requires_python or 'none'}, locked for {locked or 'none'}")
        for key in ("requirements", "extras", "groups", "constraints"):
            locked_words, wanted = _words(table.get(key)), _words(now.get(key))
            found.extend(f"{key}: {each} is new" for each in sorted(wanted - locked_words))
            found.extend(f"{key}: {each} is no longer asked for" for each in sorted(locked_words - wanted))
        if table.get("inputs-sha256", "") != self.digest:
            found.append("uv's settings, or the files with the project's dynamic dependencies, have changed")
        return tuple(found)


def lock_inputs(project: Project, target: Target, constraints: tuple[str, ...] = ()) -> LockInputs:
    """Return what the lock of ``project`` for ``target`` depends on.

    Args:
        project: the application.
        target: for what.
        constraints: pins of the user's requirements file, sorted.

    Raises:
        LockError: requirements of the project that are none, and an interpreter that the project does not want.
    """
    extras = tuple(sorted({canonicalize_name(extra) for extra in project.settings.extras}))
    if project.directory is None:
        only = _normal(Requirement(application_requirement(project)))
        return LockInputs((only,), (), "", target.name, _python(target), _machine(target), constraints=constraints)
    path = project.directory / "pyproject.toml"
    document = _read(path)
    table, tool = _table(document, "project"), _table(document, "tool")
    problems: list[str] = []
    groups = tuple(sorted(project.settings.groups))
    asked = (*_requirements(table, extras, problems), *_of_groups(document, groups, problems))
    requirements = sorted({_normal(each) for each in asked})
    requires_python = _requires_python(table, project, target, problems)
    if problems:
        raise LockError(
            f"{path}: the application's dependencies cannot be resolved for {target.name}.",
            details="\n".join(f"  {problem}" for problem in problems),
            resolution="Correct [project] and [dependency-groups].",
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


def _machine(target: Target) -> str:
    """Return the architecture as the interpreter tells it, which is what evaluates the lock's markers."""
    return target.interpreter.marker_environment.get("platform_machine", target.machine)


def application_requirement(project: Project) -> str:
    """Return the requirement (PEP 508) of an application from the index, with the extras of its settings."""
    requirement = Requirement(project.requirement or project.name)
    requirement.extras |= set(project.settings.extras)
    return str(requirement)


def _requirements(table: Mapping[str, object], extras: tuple[str, ...], problems: list[str]) -> Iterator[Requirement]:
    optional = _table(table, "optional-dependencies")
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
                problems.append(f"project.{key}: {strip_credentials(repr(entry))} is no requirement: {shown}")


def _of_groups(document: Mapping[str, object], groups: tuple[str, ...], problems: list[str]) -> Iterator[Requirement]:
    """Yield what dependency groups ask for, those that they include among it (PEP 735)."""
    table = cast("Mapping[str, list[str | Mapping[str, str]]]", _table(document, "dependency-groups"))
    for group in groups:
        try:
            yield from map(Requirement, resolve_dependency_groups(table, group))
        except (ExceptionGroup, InvalidRequirement, LookupError, TypeError, ValueError, RecursionError) as error:
            found = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
            problems.extend(f"dependency-groups.{group}: {strip_credentials(str(each))}" for each in found)


def _requires_python(table: Mapping[str, object], project: Project, target: Target, problems: list[str]) -> str:
    text = table.get("requires-python", "")
    version = ".".join(map(str, target.interpreter.version))
    try:
        accepted = SpecifierSet(text if isinstance(text, str) else "?")
    except InvalidSpecifier:
        problems.append(f"project.requires-python: {text!r} is no version specifier, such as '>=3.11'")
        return ""
    if not accepted.contains(version, prereleases=True):
        problems.append(
            f"project.requires-python: {project.name} wants Python {accepted};"
            f" {target.name} has {version} ({target.interpreter.path})"
        )
    return str(accepted)


def _python(target: Target) -> str:
    """Return what markers and wheels of a lock are for; CPython is the rule and goes without its name."""
    return target.interpreter.name.removeprefix("python")


def _normal(requirement: Requirement) -> str:
    """Return a requirement in one spelling; ``Flask`` and ``flask`` are the same."""
    requirement.name = canonicalize_name(requirement.name)
    return strip_credentials(str(requirement))


def _digest(directory: Path, table: Mapping[str, object], tool: Mapping[str, object], extras: tuple[str, ...]) -> str:
    pieces: list[bytes] = []
    if "uv" in tool:
        pieces.append(json.dumps(tool["uv"], sort_keys=True, default=str).encode())
    dynamic = table.get("dynamic")
    computed = set(dynamic) if isinstance(dynamic, list) and all(isinstance(each, str) for each in dynamic) else set()
    # Without [project], poetry's own tables or setup.cfg have them.
    if not table or "dependencies" in computed or (extras and "optional-dependencies" in computed):
        paths = sorted({path for pattern in _DYNAMIC_SOURCES for path in directory.glob(pattern)})
        pieces.extend(f"{path.name}\0{read_text(path) or ''}".encode() for path in paths)
    return hashlib.sha256(b"\0\0".join(pieces)).hexdigest() if pieces else ""


def _read(path: Path) -> Mapping[str, object]:
    text = read_text(path)
    try:
        return tomllib.loads(text if text is not None else "=")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise LockError(
            f"{path} cannot be read.", details=f"  {error}" if text is not None else "", resolution="Correct the file."
        ) from error


def _table(parent: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _words(value: object) -> set[str]:
    return {str(each) for each in value} if isinstance(value, list) else set()
