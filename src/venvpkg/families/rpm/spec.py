"""Compose and render the spec file of a package, and the header that rpm must derive from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.utils import canonicalize_name

from venvpkg.errors import AssembleError
from venvpkg.families.common.units import account_lines
from venvpkg.families.rpm.documents import (
    account_provides,
    bundled_provides,
    changelog_entry,
    license_of,
    summary_and_description,
)
from venvpkg.families.rpm.files import UNFIT, file_list, literal
from venvpkg.families.rpm.header import RELATIONS, SCRIPTS, Header
from venvpkg.families.rpm.host import DIST
from venvpkg.families.rpm.relations import spell_relation
from venvpkg.families.rpm.repositories import BUILT_BY
from venvpkg.families.rpm.scripts import Scriptlet, scriptlets
from venvpkg.families.rpm.versions import to_rpm
from venvpkg.templates import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from venvpkg.families.rpm.documents import ChangelogEntry
    from venvpkg.model.package import PackageSpec
    from venvpkg.model.staged import PayloadPath
    from venvpkg.model.target import Target


NOARCH: Final = "noarch"
# Spec tag → relations of the model; Breaks is Debian's weaker form of a conflict.
_DECLARED: Final = {
    "Recommends": ("recommends",),
    "Suggests": ("suggests",),
    "Conflicts": ("conflicts", "breaks"),
    "Obsoletes": ("replaces",),
    "Provides": ("provides",),
}
_NAMING: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_RELEASE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^]*")


@dataclass(frozen=True, slots=True)
class SpecFile:
    """The values of a spec file, as they must appear in the package.

    Attributes:
        name: of the package.
        epoch: 0 for none.
        version: rpm's spelling.
        release: revision and the target's mark.
        architecture: the target's, or noarch.
        summary: one line.
        license: SPDX expression.
        url: may be empty.
        packager: ``Name <address>``.
        description: wrapped paragraphs.
        relations: tag and relations, in the order of the tags; without empty ones.
        scripts: scriptlets.
        changelog: its one entry.
    """

    name: str
    epoch: int
    version: str
    release: str
    architecture: str
    summary: str
    license: str
    url: str
    packager: str
    description: str
    relations: tuple[tuple[str, tuple[str, ...]], ...]
    scripts: tuple[Scriptlet, ...]
    changelog: ChangelogEntry

    def filename(self) -> str:
        """Return ``guestbook-1.0.0-1.el9.x86_64.rpm``, without epoch."""
        return f"{self.name}-{self.version}-{self.release}.{self.architecture}.rpm"

    def script_files(self) -> Mapping[str, str]:
        """Return file name → escaped text of each scriptlet."""
        return {each.file: literal(each.text) for each in self.scripts}

    def header(self) -> Header:
        """Return the header that the package must have."""
        fields = {
            "NAME": self.name,
            "EPOCHNUM": str(self.epoch),
            "VERSION": self.version,
            "RELEASE": self.release,
            "ARCH": self.architecture,
            "SUMMARY": self.summary,
            "LICENSE": self.license,
            "URL": self.url,
            "PACKAGER": self.packager,
            "DESCRIPTION": self.description,
        }
        return Header(
            {tag: value for tag, value in fields.items() if value},
            {RELATIONS[tag]: tuple(sorted(relations)) for tag, relations in self.relations},
            {SCRIPTS[each.section]: each.text for each in self.scripts},
            (f"{self.changelog.author} - {self.changelog.version}", f"- {self.changelog.entry}"),
        )


def package_version(spec: PackageSpec, target: Target) -> tuple[str, str]:
    """Return version and release, ``1.0~rc1`` and ``1.el9[.2]``, without epoch.

    A rebuild for one release sorts after its first build, and before any build for the next release.

    Source:
        Fedora Packaging Guidelines, "Versioning", minor release bumps.
    """
    again = f".{spec.target_revision}" if spec.target_revision else ""
    return to_rpm(spec.upstream_version).rpartition(":")[2], f"{spec.revision}{target.mark(DIST)}{again}"


def package_epoch(spec: PackageSpec) -> int:
    """Return the user's epoch, else the version's own; 0 for none."""
    own = to_rpm(spec.upstream_version).rpartition(":")[0]
    return spec.epoch or int(own or 0)


def package_architecture(spec: PackageSpec, target: Target) -> str:
    """Return the target's architecture, or ``noarch`` when nothing in the payload is tied to one."""
    return target.architecture if spec.staged.payload.has_elf else NOARCH


def compose_spec_file(spec: PackageSpec, target: Target) -> SpecFile:
    """Return the values of the spec file.

    Raises:
        AssembleError: values are not valid in a spec file; the error lists all of them.
    """
    version, release = package_version(spec, target)
    epoch = package_epoch(spec)
    summary, description = summary_and_description(spec.summary, spec.description, spec.name)
    whole = f"{epoch}:{version}-{release}" if epoch else f"{version}-{release}"
    found = SpecFile(
        name=spec.name,
        epoch=epoch,
        version=version,
        release=release,
        architecture=package_architecture(spec, target),
        summary=summary,
        license=license_of(_licenses(spec)),
        url=spec.homepage,
        packager=spec.maintainer,
        description=description,
        relations=_relations(spec),
        scripts=scriptlets(spec),
        changelog=changelog_entry(spec, whole),
    )
    _require_fit(found)
    return found


def render_spec(of: SpecFile, paths: Iterable[PayloadPath], spec: PackageSpec) -> str:
    """Return the text of the spec file, with every value escaped.

    Args:
        of: values of the spec file.
        paths: everything that will be in the package.
        spec: the package.
    """
    files = file_list(paths, spec.staged.prefix, spec.directories_of_others)
    return render_spec_file(of, files, spec.project_files.templates)


def render_spec_file(of: SpecFile, files: Iterable[str], templates: Path | None = None) -> str:
    """Return the text of a spec file with these lines in %files, and every value escaped."""
    values = {
        "name": of.name,
        "epoch": of.epoch,
        "version": of.version,
        "release": of.release,
        "summary": literal(of.summary),
        "license": literal(of.license),
        "url": literal(of.url),
        "packager": literal(of.packager),
        "noarch": of.architecture == NOARCH,
        "relations": [(tag, [literal(each) for each in relations]) for tag, relations in of.relations],
        "description": literal(of.description),
        "scripts": [
            {"section": each.section, "program": each.program, "file": each.file, "text": literal(each.text)}
            for each in of.scripts
        ],
        "files": list(files),
        "changelog": {name: literal(value) for name, value in of.changelog._asdict().items()},
    }
    return render("rpm", "package.spec.j2", values, templates)


def _licenses(spec: PackageSpec) -> list[str]:
    application = canonicalize_name(spec.staged.application.name)
    others = [each.license_expression for each in spec.staged.distributions if each.name != application]
    return [spec.license_expression, *others]


def _relations(spec: PackageSpec) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: Mapping[str, list[str]] = {
        "Requires": list(spec.dependencies.relations()),
        **{
            tag: [spelled for key in keys for each in getattr(spec.relations, key) if (spelled := spell_relation(each))]
            for tag, keys in _DECLARED.items()
        },
    }
    found["Provides"].extend((BUILT_BY, *bundled_provides(spec), *account_provides(account_lines(spec.staged))))
    return tuple((tag, tuple(dict.fromkeys(relations))) for tag, relations in found.items() if relations)


def _require_fit(of: SpecFile) -> None:
    """Check that rpm cannot confuse a value with its own syntax.

    Raises:
        AssembleError: it could; the error lists every such value.
    """
    values = {
        "Version": of.version,
        "Release": of.release,
        "Summary": of.summary,
        "License": of.license,
        "URL": of.url,
        "Packager": of.packager,
        **{f"%description, line {number}": line for number, line in enumerate(of.description.splitlines(), 1)},
    }
    unfit = [
        f"{name}: {value!r:.300}" for name, value in values.items() if UNFIT.search(value) or value != value.strip()
    ]
    unfit += [
        f"{name}: {value!r:.300} has characters that rpm does not accept there"
        for name, value, naming in (("Name", of.name, _NAMING), ("Release", of.release, _RELEASE))
        if not naming.fullmatch(value)
    ]
    if re.search(r"\s", of.url):
        unfit.append(f"URL: {of.url!r:.300}")
    if unfit:
        raise AssembleError(
            "values are not valid in a spec file: they have line breaks or characters that rpm does not accept.",
            details="\n".join(f"  {each}" for each in unfit),
            resolution="Fix them in the configuration or in the application's metadata.",
        )
