"""Checks before anything is built: of the project, for every family, and of the interpreter's package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from venvpkg.errors import ConfigurationError, PackageDatabaseError
from venvpkg.families.common.compose import NO_MAINTAINER
from venvpkg.templates import unknown_templates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import PurePosixPath

    from venvpkg.families.base import PackageFormat
    from venvpkg.host.command import Runner
    from venvpkg.model.project import Project, ProjectFiles, Settings
    from venvpkg.model.target import Target


def check_project(project: Project, project_files: ProjectFiles, problems: Iterable[str]) -> None:
    """Check everything about the project that can be checked before anything is built.

    Args:
        project: the user's declarations.
        project_files: the project's own files that shape the package.
        problems: found by the family.

    Raises:
        ConfigurationError: there are problems; the error lists all of them.
    """
    anonymous = (NO_MAINTAINER,) if project.is_anonymous and not project.settings.maintainer else ()
    found = (*anonymous, *problems, *_template_problems(project_files))
    if found:
        raise ConfigurationError(project.source, found)


def _template_problems(project_files: ProjectFiles) -> tuple[str, ...]:
    """Return a sentence for each template of the project that overrides no built-in one."""
    if project_files.templates is None:
        return ()
    unknown = unknown_templates(project_files.templates)
    return tuple(f"templates: {name} overrides no built-in template" for name in unknown)


def is_owned(target: Target, runner: Runner, package_format: PackageFormat) -> bool:
    """Whether a package ships the target's interpreter.

    The release's default interpreter is not checked: deriving dependencies fails without its package anyway.

    Raises:
        PackageDatabaseError: the package database cannot be read.
    """
    interpreter = target.interpreter
    return interpreter.is_default or interpreter.path in package_format.packages_shipping(
        [interpreter.path], target, runner
    )


def require_owned(project: Project, target: Target, runner: Runner, package_format: PackageFormat) -> None:
    """Refuse an interpreter that no package owns, unless the project allows it.

    Raises:
        PackageDatabaseError: no package owns it, or the package database cannot be read.
    """
    interpreter = target.interpreter
    if not project.settings.unowned_python and not is_owned(target, runner, package_format):
        raise PackageDatabaseError(
            f"no package owns {interpreter.path}, and unowned-python is false.",
            details="  The application's package could not depend on it: it may be missing or different elsewhere.",
            resolution="Choose an interpreter of the release's packages with the key 'python', or allow this one with"
            " unowned-python = true.",
        )


def warning_of(path: PurePosixPath) -> str:
    """Return the warning for an interpreter that no package owns; it becomes part of the package's evidence."""
    return (
        f"no package owns {path}, so the package does not depend on an interpreter: whoever installs it must have that"
        " one, at that path, and gets no updates of it from the release"
    )


R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Grammar(Generic[R]):
    """The syntax of a family's relations.

    Attributes:
        parse: returns a relation; None when the text is not valid.
        is_single: whether a relation names one package, which conflicts, breaks, replaces and provides require.
        is_exact: whether a single relation has no version or an exact one, which provides requires.
        relation: example of a relation, in quotes, for messages.
        single: example of a relation that names one package.
        provided: example of a relation for provides.
        library: example of a relation for a library.
    """

    parse: Callable[[str], R | None]
    is_single: Callable[[R], bool]
    is_exact: Callable[[R], bool]
    relation: str
    single: str
    provided: str
    library: str


def relation_problems(settings: Settings, grammar: Grammar[R]) -> Iterator[str]:
    """Yield a sentence for each declared relation that the family does not accept."""
    for key in ("depends", "recommends", "suggests"):
        for text in settings.declared_depends if key == "depends" else getattr(settings, key):
            if grammar.parse(text) is None:
                yield f"{key}: {text!r} is not a valid relation; expected e.g. {grammar.relation}"
    for key in ("conflicts", "breaks", "replaces", "provides"):
        for text in getattr(settings, key):
            relation = grammar.parse(text)
            if relation is None or not grammar.is_single(relation):
                yield f"{key}: {text!r} does not name one package; expected e.g. {grammar.single!r}"
            elif key == "provides" and not grammar.is_exact(relation):
                yield f"{key}: {text!r} provides more than one version; expected e.g. {grammar.provided!r}"
    for rule in settings.sonames:
        if rule.relation and grammar.parse(rule.relation) is None:
            key = f'sonames."{rule.soname}"'
            yield f"{key}: {rule.relation!r} is not a valid relation; expected e.g. {grammar.library!r}"
