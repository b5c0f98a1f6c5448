"""What is refused before anything is built: by every family, and for an interpreter that no package owns."""

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
    from venvpkg.host.runner import Runner
    from venvpkg.model.project import Project, ProjectFiles, Settings
    from venvpkg.model.target import Target


def check_project(project: Project, project_files: ProjectFiles, problems: Iterable[str]) -> None:
    """Raise one error with every problem that is known before anything is built; nothing when there is none.

    Args:
        project: what the user declared.
        project_files: what of the project's own files shapes the package.
        problems: those that the family finds.

    Raises:
        ConfigurationError: there are problems.
    """
    anonymous = (NO_MAINTAINER,) if project.is_anonymous and not project.settings.maintainer else ()
    found = (*anonymous, *problems, *_template_problems(project_files))
    if found:
        raise ConfigurationError(project.source, found)


def _template_problems(project_files: ProjectFiles) -> tuple[str, ...]:
    """Return which templates of the project shadow none of venvpkg's, one sentence each."""
    if project_files.templates is None:
        return ()
    unknown = unknown_templates(project_files.templates)
    return tuple(f"templates: {name} shadows no template of venvpkg's" for name in unknown)


def is_owned(target: Target, runner: Runner, package_format: PackageFormat) -> bool:
    """Whether a package ships the target's interpreter.

    The release's own is not looked at: without its package its dependencies cannot be derived anyway.

    Raises:
        PackageDatabaseError: it cannot be found out.
    """
    interpreter = target.interpreter
    return interpreter.is_default or interpreter.path in package_format.packages_shipping(
        [interpreter.path], target, runner
    )


def require_owned(project: Project, target: Target, runner: Runner, package_format: PackageFormat) -> None:
    """Refuse an interpreter that no package owns, where the project does not want that.

    Raises:
        PackageDatabaseError: no package owns it, or that cannot be found out.
    """
    interpreter = target.interpreter
    if not project.settings.unowned_python and not is_owned(target, runner, package_format):
        raise PackageDatabaseError(
            f"No package owns {interpreter.path}, and unowned-python is false.",
            details="  A package cannot depend on it: it may be missing, or another one, where that is installed.",
            resolution="Name an interpreter of the release's packages with the key 'python', or allow this one with"
            " unowned-python = true.",
        )


def warning_of(path: PurePosixPath) -> str:
    """Return what the user should know who builds for such an interpreter."""
    return (
        f"no package owns {path}, so the package does not depend on an interpreter: whoever installs it must have that"
        " one, at that path, and gets no updates of it from the release"
    )


R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Grammar(Generic[R]):
    """How a family spells relations.

    Attributes:
        parse: returns one relation; None when the text is none.
        is_single: whether it names one package, as all must that are about packages to be kept away or provided.
        is_exact: whether a single one has no version or an exact one, as those must that are provided.
        relation: for people: examples of relations, in quotes.
        single: an example of one that names a package.
        provided: an example of one that is provided.
        library: an example of one that stands for a library.
    """

    parse: Callable[[str], R | None]
    is_single: Callable[[R], bool]
    is_exact: Callable[[R], bool]
    relation: str
    single: str
    provided: str
    library: str


def relation_problems(settings: Settings, grammar: Grammar[R]) -> Iterator[str]:
    """Yield which declared relations the family would not accept, one sentence each."""
    for key in ("depends", "recommends", "suggests"):
        for text in settings.declared_depends if key == "depends" else getattr(settings, key):
            if grammar.parse(text) is None:
                yield f"{key}: {text!r} is no relation such as {grammar.relation}"
    for key in ("conflicts", "breaks", "replaces", "provides"):
        for text in getattr(settings, key):
            relation = grammar.parse(text)
            if relation is None or not grammar.is_single(relation):
                yield f"{key}: {text!r} is not one package such as {grammar.single!r}"
            elif key == "provides" and not grammar.is_exact(relation):
                yield f"{key}: {text!r} provides more than one version; {grammar.provided!r} would be one"
    for rule in settings.sonames:
        if rule.relation and grammar.parse(rule.relation) is None:
            yield f'sonames."{rule.soname}": {rule.relation!r} is no relation such as {grammar.library!r}'
