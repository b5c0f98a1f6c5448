"""Toy packages: a magic line, a line of JSON, a tar archive."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.depends.derive import Claim, Clause, Library, derive
from venvpkg.families.common.contents import PackedContents
from venvpkg.families.common.destdir import EVIDENCE, add_files, move_whole, own_documents
from venvpkg.host.tree import set_times
from venvpkg.linking.loader import resolve_needs
from venvpkg.model.depends import Dependency, DependencySet, Evidence, NativePackage, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from venvpkg.families.base import TargetContext
    from venvpkg.families.common.artifact_cache import ArtifactCache
    from venvpkg.host.command import Runner, Streamer
    from venvpkg.model.elf import ElfReport
    from venvpkg.model.package import Artifact, Inspection, PackageSpec
    from venvpkg.model.project import Project, Settings
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import SystemDistribution

MAGIC = b"TOYPKG1\n"


@dataclass
class Toys:
    """Every library is in a package of its soname's own name."""

    def library(self, soname: str, places: Sequence[PurePosixPath]) -> Library | None:
        return Library(places[0], "toybox", Source.OWNER, (Clause(f"toy({soname})", None),), {}) if places else None

    def is_higher(self, version: str, than: str) -> bool:
        return version > than

    def dependencies(self, claims: Iterable[Claim]) -> tuple[Dependency, ...]:
        found: dict[str, list[Evidence]] = {}
        for each in claims:
            found.setdefault(each.template, []).append(each.evidence)
        return tuple(Dependency(relation, tuple(evidence)) for relation, evidence in sorted(found.items()))


def problems(project: Project) -> Iterator[str]:
    del project
    yield from ()


def warn_if_name_taken(name: str, context: TargetContext) -> None:
    del name, context


def system_distributions(names: Sequence[str], context: TargetContext) -> tuple[SystemDistribution, ...]:
    del names, context
    return ()


def derive_dependencies(
    elf: ElfReport, staged: StagedVenv, settings: Settings, context: TargetContext
) -> DependencySet:
    python = Claim(f"toy(python{context.target.interpreter.minor})", Evidence(Source.INTERPRETER))
    needs = resolve_needs(elf, staged.destdir, context.target).needs
    return derive(elf, needs, Toys(), staged.owners(), [python], rules=settings.sonames)


def packages_shipping(
    paths: Sequence[PurePosixPath], target: Target, runner: Runner
) -> Mapping[PurePosixPath, NativePackage]:
    del target, runner
    return {each: NativePackage("toybox", "1", "toy64") for each in paths}


def avoid_collisions(spec: PackageSpec, context: TargetContext) -> PackageSpec:
    del context
    return spec


def assemble(spec: PackageSpec, destination: Path, earlier: ArtifactCache, context: TargetContext) -> Artifact:
    destdir = spec.staged.destdir
    add_files(spec, own_documents(spec))
    set_times(destdir, spec.source_date_epoch)
    packed = destdir.with_name(f"{spec.name}-{spec.upstream_version}.{context.target.architecture}.toy")
    fields = {
        "Name": spec.name,
        "Version": spec.upstream_version,
        "Colour": context.target.mark("colour"),
        "Prefix": str(spec.staged.prefix),
        "Depends": ", ".join(spec.dependencies.relations()),
    }

    def pack() -> str:
        with packed.open("wb") as file:
            file.write(MAGIC + json.dumps(fields).encode() + b"\n")
            with tarfile.open(fileobj=file, mode="w|") as archive:
                archive.add(destdir, arcname=".")
        return ""

    earlier.get_or_build(packed, destdir, {"fields": fields}, pack)
    return move_whole(packed, destination.absolute() / packed.name, spec)


def packaging_tool_versions(target: Target, runner: Runner) -> tuple[tuple[str, str], ...]:
    del target, runner
    return (("toytar", "1"),)


def read_evidence(artifact: Path, runner: Streamer) -> bytes:
    del runner
    fields, archive = _read(artifact)
    member = archive.extractfile(f".{PurePosixPath(fields['Prefix']) / EVIDENCE}")
    return member.read() if member else b""


def differences(first: Path, second: Path, runner: Streamer) -> tuple[str, ...]:
    del runner
    return () if first.read_bytes() == second.read_bytes() else ("they differ",)


def inspect(artifact: Path, runner: Streamer) -> Inspection:
    del runner
    fields, archive = _read(artifact)
    contents = PackedContents()
    contents.add_all((member, archive.extractfile(member) if member.isfile() else None) for member in archive)
    return contents.inspection(artifact, tuple(fields.items()), (), ())


def _read(artifact: Path) -> tuple[dict[str, str], tarfile.TarFile]:
    magic, header, content = artifact.read_bytes().split(b"\n", 2)
    if magic + b"\n" != MAGIC:
        raise ValueError(f"{artifact} is not a toy")
    return json.loads(header), tarfile.open(fileobj=io.BytesIO(content))
