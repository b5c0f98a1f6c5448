"""Render templates: a package family's, or those of jobs. Templates lay out; Python decides, folds and checks."""

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
# What rendering raises: jinja's own, and what a project's expressions do with the values.
_OF_TEMPLATES = (
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
    """Return the directory with the templates of ``family``.

    In an installed venvpkg they are inside the package; in a checkout, or an editable install of one, beside ``src``.
    Exactly one of the two is there.

    Args:
        family: package family, or ``ci``.
        package: directory of the venvpkg package.

    Raises:
        AssembleError: neither is there; the installation is damaged.
    """
    installed = package / "_templates" / family
    candidates = (installed, package.parents[1] / (_CI_TEMPLATES if family == CI else FAMILIES[family].templates))
    for directory in candidates:
        if directory.is_dir():
            return directory
    raise AssembleError(
        f"The {family} templates are not there.",
        details="\n".join(f"  {directory}" for directory in candidates),
        resolution="Reinstall venvpkg.",
    )


def unknown_templates(own: Path) -> tuple[str, ...]:
    """Return the names in a project's directory of templates that shadow none of ours, of any family, sorted.

    Those that begin with an underscore are for the project's other templates to include, and are left out.
    """
    ours = {
        path.name for family in FAMILIES.values() if family.templates for path in template_dir(family.name).iterdir()
    }
    return tuple(sorted(path.name for path in own.iterdir() if path.name not in ours and path.name[0] not in "._"))


def render(family: str, name: str, values: Mapping[str, object], own: Path | None = None) -> str:
    """Return a template's text with ``values`` in it.

    A value is written as it is: a template in a value is text, and nothing is escaped, because each format escapes in
    its own way and what was rendered is parsed back and compared.

    Args:
        family: package family, or ``ci``.
        name: of the template.
        values: what it may ask for.
        own: the project's directory of templates; one of the same name there is taken instead of ours, which it can
            include as ``venvpkg/NAME``.

    Raises:
        AssembleError: no such template, or it is malformed, or it asks for a value that is not there.
    """
    # A sandbox: a project's template lays out what it is given, and has no business with the program that runs it.
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        loader=_loader(template_dir(family), own),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # control files are no HTML
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.get_template(name).render(values)
    except (
        jinja2.TemplateError,
        ArithmeticError,
        LookupError,
        OSError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise AssembleError(f"The template {name} cannot be rendered.", details=f"  {error}") from error


def _loader(ours: Path, own: Path | None) -> jinja2.BaseLoader:
    first = jinja2.FileSystemLoader([*([own] if own else []), ours])
    return jinja2.ChoiceLoader([first, jinja2.PrefixLoader({"venvpkg": jinja2.FileSystemLoader(ours)})])
