"""Compose and render the control file and the maintainer scripts of a binary package."""

from __future__ import annotations

import dataclasses
import re
import shlex
from typing import TYPE_CHECKING, Final

from venvpkg.errors import AssembleError
from venvpkg.families.common.units import state_words, units_of
from venvpkg.families.deb.deb822 import require_same
from venvpkg.families.deb.documents import folded_description, installed_size
from venvpkg.families.deb.relations import parse_relation, spell_relation
from venvpkg.families.deb.versions import package_version
from venvpkg.templates import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from venvpkg.model.package import PackageSpec
    from venvpkg.model.staged import PayloadPath
    from venvpkg.model.target import Target


# Fields of the template that a package may lack.
_OPTIONAL = ("depends", "recommends", "suggests", "conflicts", "breaks", "replaces", "provides", "homepage")
# Line breaks for any reader, not only for dpkg: see text.py.
_UNFIT = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def package_architecture(spec: PackageSpec, target: Target) -> str:
    """Return the target's architecture, or ``all`` if the payload does not depend on one."""
    return target.architecture if spec.staged.payload.has_elf else "all"


def control_fields(spec: PackageSpec, target: Target, paths: Iterable[PayloadPath]) -> Mapping[str, str]:
    """Return the fields of the control file, in order, without empty ones.

    Args:
        spec: the package.
        target: where it will be installed.
        paths: all paths in the package.

    Raises:
        AssembleError: values are not valid in a control file; the error lists all of them.

    Source:
        Debian Policy 5.3; deb-control(5).
    """
    fields = {
        "Package": spec.name,
        "Version": package_version(spec, target),
        "Architecture": package_architecture(spec, target),
        "Maintainer": spec.maintainer,
        "Installed-Size": str(installed_size(paths)),
        "Depends": ", ".join(spec.dependencies.relations()),
        **_declared_fields(spec),
        "Section": spec.section,
        "Priority": "optional",
        "Homepage": spec.homepage,
        "Description": folded_description(spec.summary, spec.description, spec.name),
    }
    fields = {name: value for name, value in fields.items() if value}
    unfit = [
        f"{name}: {value!r:.300}"
        for name, value in fields.items()
        if _UNFIT.search(value) or value != value.strip() or ("\n" in value and name != "Description")
    ]
    if "\n" in spec.summary:
        unfit.append(f"the synopsis: {spec.summary!r:.300}")
    if unfit:
        raise AssembleError(
            "values are not valid in a control file: they have line breaks or control characters.",
            details="\n".join(f"  {each}" for each in unfit),
            resolution="Fix them in the configuration or in the application's metadata.",
        )
    return fields


def _declared_fields(spec: PackageSpec) -> dict[str, str]:
    """Return the fields of the user's own relations, in normal spelling.

    Source:
        Debian Policy 7.2 to 7.6.
    """
    fields = {}
    for field in dataclasses.fields(spec.relations):
        parsed = map(parse_relation, getattr(spec.relations, field.name))
        fields[field.name.capitalize()] = ", ".join(dict.fromkeys(spell_relation(each) for each in parsed if each))
    return fields


def render_control(fields: Mapping[str, str], own: Path | None = None) -> str:
    """Return the text of the control file, after reading it back and comparing it with the fields.

    Args:
        fields: the result of ``control_fields``.
        own: directory of the project's templates.

    Raises:
        AssembleError: the rendered text has other fields.
    """
    values = dict.fromkeys(_OPTIONAL, "") | {name.lower().replace("-", "_"): text for name, text in fields.items()}
    text = render("deb", "control.j2", {"installed_kib": values.pop("installed_size"), **values}, own)
    require_same(fields, text, "the rendered control file")
    return text


_SCRIPTS: Final = ("preinst", "postinst", "prerm", "postrm")


def maintainer_scripts(spec: PackageSpec) -> tuple[tuple[str, bytes], ...]:
    """Return the names and contents of the maintainer scripts that are needed.

    Every package has a postinst, because the files of earlier versions in /etc are unknown at build time.

    Units are enabled, started, restarted and stopped as in the release's own packages, with debhelper's defaults.
    Accounts and directories exist before the project's own postinst runs; units are started after it. On purge, the
    application's state is removed after the project's own postrm, which may still read it.

    Source:
        Debian Policy 6.1: fail on errors, so ``set -e``; 6.5 for the arguments; 6.8 and 10.8 for purging; 9.3 for
        services. deb-systemd-helper(1p), deb-systemd-invoke(1p). dh_installsystemd(1) and dh_installsysusers(1) for the
        order of actions.
    """
    units = units_of(spec.staged)
    wanted = {"postinst", *units.scripts(), *(("postrm",) if spec.state else ())}
    wanted |= {"prerm"} if spec.staged.has_modules else set()
    snippets = dict(spec.project_files.scripts)
    return tuple(
        (
            name,
            render(
                "deb",
                "maintainer-script.j2",
                {
                    "name": name,
                    "package": spec.name,
                    "snippet": snippets.get(name, "").rstrip("\n"),
                    "units": units.words(),
                    "prefix": shlex.quote(str(spec.staged.prefix)),
                    "modules": spec.staged.has_modules,
                    "bytecode": shlex.quote(spec.staged.bytecode_pattern),
                    **{name: " ".join(words) for name, words in state_words(spec).items()},
                },
                spec.project_files.templates,
            ).encode(),
        )
        for name in _SCRIPTS
        if name in {*snippets, *wanted}
    )
