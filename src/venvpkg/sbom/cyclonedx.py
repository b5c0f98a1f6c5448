"""Write the SBOM of a package or a wheel as CycloneDX; the same contents give the same bytes. Pure.

The only module that imports cyclonedx.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from cyclonedx.model import (  # noqa: TID251
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    Property,
    XsUri,
)
from cyclonedx.model.bom import Bom, BomMetaData  # noqa: TID251
from cyclonedx.model.component import Component, ComponentType  # noqa: TID251
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression  # noqa: TID251
from cyclonedx.model.tool import ToolRepository  # noqa: TID251
from cyclonedx.output.json import JsonV1Dot6  # noqa: TID251
from packageurl import PackageURL  # noqa: TID251
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.utils import canonicalize_name

import venvpkg
from venvpkg.families.registry import FAMILIES
from venvpkg.model.depends import Source
from venvpkg.model.lock import RemoteFile
from venvpkg.model.wheels import Action

if TYPE_CHECKING:
    from venvpkg.model.depends import DependencySet, Exclusion, NativePackage
    from venvpkg.model.staged import InstalledDistribution, StagedVenv
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import ReadyWheel, SourceTree, WheelPlan
    from venvpkg.sbom.bundled import Bundled


_PACKAGE = "package"
_WHEEL = "wheel"
_NO_SERIAL = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class Contents:
    """Contents of a package.

    Attributes:
        package: its name.
        target: where it will be installed.
        staged: the payload.
        plan: origin of each wheel.
        wheels: installed wheels.
        dependencies: packages linked against, with the evidence.
        bundled: libraries inside distributions.
        source_date_epoch: timestamp of the document, seconds since 1970 UTC.
    """

    package: str
    target: Target
    staged: StagedVenv
    plan: WheelPlan
    wheels: tuple[ReadyWheel, ...]
    dependencies: DependencySet
    bundled: tuple[Bundled, ...]
    source_date_epoch: int


@dataclass(frozen=True, slots=True)
class WheelContents:
    """Contents of a vendor wheel.

    Attributes:
        name: normalised name of its distribution.
        version: PEP 440.
        source: that it was compiled from.
        linked: packages of the release that its ELF files are linked against, with the sonames.
        target: that it was compiled on.
    """

    name: str
    version: str
    source: RemoteFile | SourceTree
    linked: tuple[tuple[NativePackage, tuple[str, ...]], ...]
    target: Target


def bill_of_wheel(contents: WheelContents) -> bytes:
    """Return the SBOM inside a vendor wheel (PEP 770), in the same format as ``bill_of_materials``.

    It contains neither a time nor the version of venvpkg, so that compiling the wheel at another time, or with another
    version that builds wheels in the same way, gives the same bytes.

    Source:
        PEP 770; CycloneDX 1.6; package-url types ``pypi``, ``deb`` and ``rpm``.
    """
    packages = [_package_component(package, contents.target, sonames) for package, sonames in contents.linked]
    is_published = isinstance(contents.source, RemoteFile)
    root = Component(
        name=contents.name,
        version=contents.version,
        type=ComponentType.LIBRARY,
        bom_ref=_WHEEL,
        purl=PackageURL("pypi", None, contents.name, contents.version) if is_published else None,
        external_references=_file_references(None, contents.source),
    )
    own = Component(name="venvpkg", type=ComponentType.APPLICATION, bom_ref="tool:venvpkg")
    bom = Bom(
        serial_number=_NO_SERIAL,
        components=packages,
        metadata=BomMetaData(component=root, timestamp=_timestamp(0), tools=ToolRepository(components=[own])),
    )
    bom.register_dependency(root, packages)
    return _with_serial(JsonV1Dot6(bom).output_as_string(), is_timed=False)


def bill_of_materials(contents: Contents) -> bytes:
    """Return the SBOM of a package: CycloneDX 1.6 JSON, ASCII, with a serial number derived from the rest.

    Only distributions from an index have a package URL; a source tree is not part of the public name space. URLs of
    indexes are left out: the same files from a mirror give the same document.

    Source:
        CycloneDX 1.6; package-url types ``pypi``, ``deb`` and ``rpm``.
    """
    distributions = _distribution_components(contents)
    packages = {owner: _package_component(each, contents.target) for owner, each in contents.dependencies.owners}
    libraries = [(each.distribution, _bundled_component(each)) for each in contents.bundled]
    libraries += [
        (distribution, _excluded_component(each))
        for each in contents.dependencies.exclusions
        for distribution in sorted({evidence.distribution or "" for evidence in each.evidence})
    ]
    libraries += _user_declared_components(contents.dependencies)
    unowned = _unowned_interpreter_component(contents)
    everything = (*distributions.values(), *packages.values(), *(component for _, component in libraries), *unowned)
    root = Component(
        name=contents.package,
        version=contents.staged.application.version,
        type=ComponentType.APPLICATION,
        bom_ref=_PACKAGE,
    )
    bom = Bom(
        serial_number=_NO_SERIAL,
        components={str(each.bom_ref): each for each in everything}.values(),
        metadata=BomMetaData(component=root, timestamp=_timestamp(contents.source_date_epoch), tools=_own_tool()),
    )
    linked = _owners_by_distribution(contents.dependencies)
    own = canonicalize_name(contents.staged.application.name)
    needed = {name for each in contents.staged.distributions for name in each.requires} - {own}
    tops = [component for name, component in distributions.items() if name not in needed]
    own_packages = [packages[owner] for owner in linked.get(None, ()) if owner in packages]
    bom.register_dependency(root, [*tops, *own_packages, *unowned])
    for each in contents.staged.distributions:
        needs = [distributions[name] for name in each.requires if name in distributions]
        needs += [packages[owner] for owner in linked.get(each.name, ()) if owner in packages]
        needs += [component for distribution, component in libraries if distribution == each.name]
        bom.register_dependency(distributions[each.name], needs)
    for system in contents.staged.system:
        package, name = packages.get(system.distribution.package.name), system.distribution.name
        if package is not None:
            bom.register_dependency(package, [packages[each] for each in linked.get(name, ()) if each in packages])
    return _with_serial(JsonV1Dot6(bom).output_as_string())


def _with_serial(text: str, *, is_timed: bool = True) -> bytes:
    """Return the document with a serial number derived from its text, so that it is neither random nor local."""
    document = json.loads(text)
    if not is_timed:  # the library always writes one
        del document["metadata"]["timestamp"]
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    document["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:sha256:{digest}").urn
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode("ascii")


def _timestamp(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _own_tool() -> ToolRepository:
    own = Component(name="venvpkg", version=venvpkg.__version__, type=ComponentType.APPLICATION, bom_ref="tool:venvpkg")
    return ToolRepository(components=[own])


def _owners_by_distribution(dependencies: DependencySet) -> dict[str | None, list[str]]:
    """Return the packages that each distribution is linked against; under None those of the virtual environment."""
    found: dict[str | None, set[str]] = {}
    reasons = [each.evidence for each in dependencies.dependencies] + [
        each.evidence for each in dependencies.exclusions
    ]
    for evidence in (each for several in reasons for each in several):
        if evidence.owner is not None:
            found.setdefault(evidence.distribution, set()).add(evidence.owner)
    return {distribution: sorted(owners) for distribution, owners in found.items()}


def _distribution_components(contents: Contents) -> dict[str, Component]:
    sources = {each.name: each.source for each in contents.plan.wheels}
    wheels = {each.name: each for each in contents.wheels}
    return {
        each.name: _distribution_component(each, wheels.get(each.name), sources.get(each.name))
        for each in contents.staged.distributions
    }


def _distribution_component(
    installed: InstalledDistribution, wheel: ReadyWheel | None, source: RemoteFile | SourceTree | None
) -> Component:
    return Component(
        name=installed.name,
        version=installed.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"python:{installed.name}",
        purl=PackageURL("pypi", None, installed.name, installed.version) if isinstance(source, RemoteFile) else None,
        hashes=[_sha256_hash(installed.wheel_sha256)],
        licenses=[_parse_licence(installed.license_expression)] if installed.license_expression else [],
        external_references=_file_references(wheel, source),
        properties=[Property(name="venvpkg:wheel", value=_builder_of(wheel))] if wheel else [],
    )


def _builder_of(wheel: ReadyWheel) -> str:
    """Return whether venvpkg or the publisher built a wheel; reuse of a compiled one must not change the document."""
    return "compiled" if wheel.origin in {Action.COMPILE, Action.REUSE} else "published"


def _file_references(wheel: ReadyWheel | None, source: RemoteFile | SourceTree | None) -> list[ExternalReference]:
    """Return references to the installed wheel and the sdist it was compiled from, by name and hash."""
    found = []
    if wheel is not None:
        found.append(_file_reference(ExternalReferenceType.DISTRIBUTION, wheel.path.name, wheel.sha256))
    if isinstance(source, RemoteFile) and (wheel is None or source.sha256 != wheel.sha256):
        found.append(_file_reference(ExternalReferenceType.SOURCE_DISTRIBUTION, source.filename, source.sha256))
    return found


def _file_reference(kind: ExternalReferenceType, name: str, sha256: str) -> ExternalReference:
    return ExternalReference(type=kind, url=XsUri(quote(name)), hashes=[_sha256_hash(sha256)])


def _parse_licence(text: str) -> LicenseExpression | DisjunctiveLicense:
    try:
        return LicenseExpression(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return DisjunctiveLicense(name=text)


def _package_component(package: NativePackage, target: Target, sonames: tuple[str, ...] = ()) -> Component:
    qualifiers = {"arch": package.architecture, "distro": f"{target.release.id}-{target.release.version}"}
    version = package.version
    if FAMILIES[target.family].epoch_is_qualifier and ":" in version:
        qualifiers["epoch"], _, version = version.partition(":")
    purl = PackageURL(target.family, target.release.id, package.name, version, qualifiers)
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        purl=purl,
        bom_ref=str(purl),
        properties=[Property(name="venvpkg:soname", value=soname) for soname in sonames],
    )


def _bundled_component(bundled: Bundled) -> Component:
    parts = (bundled.distribution, bundled.name, bundled.version, bundled.purl, bundled.sha256)
    return Component(
        name=bundled.name,
        version=bundled.version or None,
        type=ComponentType.LIBRARY,
        bom_ref="bundled:" + ":".join(quote(part, safe="/@?=&.-_") for part in parts if part),
        purl=_parse_purl(bundled.purl),
        hashes=[_sha256_hash(bundled.sha256)] if bundled.sha256 else [],
        properties=[Property(name="venvpkg:bundled-in", value=bundled.distribution)],
    )


def _excluded_component(exclusion: Exclusion) -> Component:
    """Return the component for a dependency that the package's maintainer left out."""
    return Component(
        name=exclusion.what,
        type=ComponentType.LIBRARY,
        bom_ref="left-out:" + quote(exclusion.what),
        properties=[Property(name="venvpkg:left-out", value=exclusion.reason)],
    )


def _user_declared_components(dependencies: DependencySet) -> list[tuple[str, Component]]:
    """Return components for libraries with a relation declared by the user, each with the distribution that needs it.

    The package that ships such a library is unknown.
    """
    return [
        (
            evidence.distribution or "",
            Component(
                name=evidence.soname,
                type=ComponentType.LIBRARY,
                bom_ref="by-hand:" + quote(evidence.soname),
                properties=[Property(name="venvpkg:relation", value=each.relation)],
            ),
        )
        for each in dependencies.dependencies
        for evidence in each.evidence
        if evidence.source is Source.USER and evidence.soname is not None
    ]


def _unowned_interpreter_component(contents: Contents) -> list[Component]:
    """Return the interpreter when no package of the dependencies ships it; the release's own always has one."""
    interpreter, dependencies = contents.target.interpreter, contents.dependencies
    reasons = [each.evidence for each in dependencies.dependencies]
    reasons += [each.evidence for each in dependencies.exclusions]
    if interpreter.is_default or any(each.source is Source.INTERPRETER for several in reasons for each in several):
        return []
    name = "pypy" if interpreter.is_pypy else "python"
    version = interpreter.marker_environment["implementation_version"]
    return [
        Component(
            name=name,
            version=version,
            type=ComponentType.APPLICATION,
            purl=PackageURL("generic", None, name, version),
            bom_ref="interpreter",
            properties=[Property(name="venvpkg:path", value=str(interpreter.path))],
        )
    ]


def _parse_purl(text: str) -> PackageURL | None:
    try:
        return PackageURL.from_string(text) if text else None
    except ValueError:
        return None


def _sha256_hash(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)
