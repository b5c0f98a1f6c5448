"""Render the templates of a package family or of CI jobs. Templates lay out; Python decides, folds and checks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import jinja2  # noqa: TID251
import jinja2.sandbox  # noqa: TID251

from venvpkg.errors import AssembleError
from venvpkg.families.registry import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Mapping


_PACKAGE = Path(__file__).parent
# Exceptions of rendering: jinja's own, and those of expressions in a project's template.
_RENDERING_ERRORS = (
    jinja2.TemplateError,
    ArithmeticError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)
CI: Final = "ci"
_CI_TEMPLATES: Final = "deploy/ci"


def template_dir(family: str, package: Path = _PACKAGE) -> Path:
    """Return the directory of the built-in templates of ``family``.

    An installed venvpkg has them inside the package; a checkout, editable installs included, next to ``src``.
    Exactly one of the two directories exists.

    Args:
        family: package family, or ``ci``.
        package: directory of the Python package ``venvpkg``.

    Raises:
        AssembleError: neither exists; the installation is damaged.
    """
    installed = package / "_templates" / family
    candidates = (installed, package.parents[1] / (_CI_TEMPLATES if family == CI else FAMILIES[family].templates))
    for directory in candidates:
        if directory.is_dir():
            return directory
    raise AssembleError(
        f"the {family} templates are missing.",
        details="\n".join(f"  {directory}" for directory in candidates),
        resolution="Reinstall venvpkg.",
    )


def unknown_templates(own: Path) -> tuple[str, ...]:
    """Return the names of a project's templates that override no built-in template of any family, sorted.

    Names that begin with an underscore are left out: other templates of the project include them.
    """
    ours = {
        path.name for family in FAMILIES.values() if family.templates for path in template_dir(family.name).iterdir()
    }
    return tuple(sorted(path.name for path in own.iterdir() if path.name not in ours and path.name[0] not in "._"))


def render(family: str, name: str, values: Mapping[str, object], own: Path | None = None) -> str:
    """Return the text of a template rendered with ``values``.

    Values are inserted unchanged. Template syntax inside a value has no effect. Nothing is escaped, because each format
    has its own escaping, and the result is parsed back and compared.

    Args:
        family: package family, or ``ci``.
        name: file name of the template.
        values: variables of the template.
        own: the project's directory of templates. A template of the same name there overrides the built-in one, and
            can include that one as ``venvpkg/NAME``.

    Raises:
        AssembleError: the template does not exist, is malformed, or uses an undefined variable.
    """
    # Sandboxed: a project's template lays out the values, and must not reach into the program that renders it.
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        loader=_loader(template_dir(family), own),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # control files are not HTML
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.get_template(name).render(values)
    except _RENDERING_ERRORS as error:
        raise AssembleError(f"the template {name} could not be rendered.", details=f"  {error}") from error


def _loader(ours: Path, own: Path | None) -> jinja2.BaseLoader:
    first = jinja2.FileSystemLoader([*([own] if own else []), ours])
    return jinja2.ChoiceLoader([first, jinja2.PrefixLoader({"venvpkg": jinja2.FileSystemLoader(ours)})])
