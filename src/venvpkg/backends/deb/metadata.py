"""The control file of a binary package: composed, rendered, read back."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from venvpkg.backends.deb.deb822 import require_same
from venvpkg.backends.deb.description import folded_description
from venvpkg.backends.deb.relations import parse_relation, spelled
from venvpkg.backends.deb.size import installed_size
from venvpkg.backends.deb.versions import to_debian
from venvpkg.errors import AssembleError
from venvpkg.model.target import Family
from venvpkg.templates import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from venvpkg.model.package import PackageSpec
    from venvpkg.model.staged import PayloadPath
    from venvpkg.model.target import Target

# Fields of the template that a package may lack.
_OPTIONAL = ("depends", "recommends", "suggests", "conflicts", "breaks", "replaces", "provides", "homepage")
# Line breaks of every reader, not only of dpkg: see staging/text.py.
_UNFIT = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def package_version(spec: PackageSpec, target: Target, *, epoch: bool = True) -> str:
    """Return ``[epoch:]1.0.0-1~debian12[+2]``; file names go without the epoch.

    What is rebuilt for one release sorts behind its first build and before any build for the next release.

    Source:
        Debian Policy 5.6.12.
    """
    again = f"+{spec.target_revision}" if spec.target_revision else ""
    version = f"{to_debian(spec.upstream_version, epoch=spec.epoch)}-{spec.revision}~{target.release.suffix}{again}"
    return version if epoch else version.rpartition(":")[2]


def package_architecture(spec: PackageSpec, target: Target) -> str:
    """Return the target's architecture, or ``all`` when nothing in the payload is tied to one."""
    return target.architecture if spec.staged.payload.has_elf else "all"


def control_fields(spec: PackageSpec, target: Target, paths: Iterable[PayloadPath]) -> Mapping[str, str]:
    """Return the fields of the control file, in order; those without a value are left out.

    Args:
        spec: the package.
        target: where it will be installed.
        paths: everything that will be in it.

    Raises:
        AssembleError: a value cannot stand in a control file; all of them are given.

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
        **_declared(spec),
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
            "A value cannot stand in a control file: it holds line breaks or control characters.",
            details="\n".join(f"  {each}" for each in unfit),
            resolution="Correct it in the configuration or in the application's metadata.",
        )
    return fields


def _declared(spec: PackageSpec) -> dict[str, str]:
    """Return the fields of the relations that only the user declares, in one spelling.

    Source:
        Debian Policy 7.2 to 7.6.
    """
    fields = {}
    for field in dataclasses.fields(spec.relations):
        parsed = map(parse_relation, getattr(spec.relations, field.name))
        fields[field.name.capitalize()] = ", ".join(dict.fromkeys(spelled(each) for each in parsed if each))
    return fields


def rendered_control(fields: Mapping[str, str], own: Path | None = None) -> str:
    """Return the text of the control file, read back and compared.

    Args:
        fields: of ``control_fields``.
        own: the project's templates.

    Raises:
        AssembleError: what was rendered is not what was composed.
    """
    values = dict.fromkeys(_OPTIONAL, "") | {name.lower().replace("-", "_"): text for name, text in fields.items()}
    text = render(Family.DEB, "control.j2", {"installed_kib": values.pop("installed_size"), **values}, own)
    require_same(fields, text, "The rendered control file")
    return text
