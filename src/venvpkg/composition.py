"""From wheels to the package: staged, read, related to the release's packages, described, packed, recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from venvpkg.config.settings import settings_table
from venvpkg.console import Work
from venvpkg.depends.derive import require_known_floors
from venvpkg.explain.evidence import dump_evidence
from venvpkg.families import backend_of
from venvpkg.families.common.artifact_cache import ArtifactCache
from venvpkg.families.common.compose import describe
from venvpkg.host.files import sha256_of
from venvpkg.index.urls import strip_credentials
from venvpkg.linking.tree import scan
from venvpkg.lock.venvpkg_lock import read_build_pins
from venvpkg.model.package import BuildRecord
from venvpkg.record.inputs import Ingredients, inputs_of
from venvpkg.sbom.bundled import bundled_libraries
from venvpkg.sbom.cyclonedx import bill_of_materials
from venvpkg.sbom.warnings import binary_warnings, native_code_in_pure_wheels
from venvpkg.staging.stage import stage
from venvpkg.wheelbuild.debug_symbols import extract_debug

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from venvpkg.console import Reporter
    from venvpkg.lock.obtain import ObtainedLock
    from venvpkg.model.depends import DependencySet
    from venvpkg.model.elf import ElfReport
    from venvpkg.model.package import Artifact, PackageSpec
    from venvpkg.model.project import ProjectFiles
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.wheels import ReadyWheel, WheelPlan
    from venvpkg.sbom.bundled import Bundled
    from venvpkg.sbom.cyclonedx import Contents
    from venvpkg.wheelhouse.key import Toolchain
    from venvpkg.workbench import Workbench


def staged_of(
    wheels: tuple[ReadyWheel, ...], plan: WheelPlan, project_files: ProjectFiles, bench: Workbench
) -> StagedVenv:
    """Return the application with all wheels, as it will lie on the target."""
    reporter = bench.session.reporter
    with reporter.task(Work.STAGE, f"staging {len(wheels)} wheels"):
        staged = stage(
            bench.project, wheels, bench.target,
            workspace=bench.work, dirs=bench.session.dirs, runner=bench.runner, reporter=reporter,
            files=project_files.files, system=plan.system,
        )  # fmt: skip
    count = len(staged.distributions)
    reporter.step(f"staged {count} distribution{'s' * (count != 1)} at {staged.prefix}")
    return staged


def scanned(staged: StagedVenv, bench: Workbench) -> ElfReport:
    """Return every ELF file of the payload."""
    with bench.session.reporter.task(Work.SCAN, "reading ELF files"):
        return scan(staged.destdir, bench.target, bench.session.reporter)


def bundled_in(
    staged: StagedVenv, elf: ElfReport, plan: WheelPlan, wheels: tuple[ReadyWheel, ...], bench: Workbench
) -> tuple[Bundled, ...]:
    """Return the libraries that distributions brought along; warn of them, and of native code where none should be."""
    reporter = bench.session.reporter
    bundled = bundled_libraries(staged, elf, wheels, reporter)
    for warning in (
        *native_code_in_pure_wheels(elf, staged.distributions, wheels),
        *binary_warnings(plan, staged, elf, bundled),
    ):
        reporter.warn(warning)
    return bundled


def related(staged: StagedVenv, elf: ElfReport, bench: Workbench) -> DependencySet:
    """Return what the package depends on, with the evidence."""
    settings, reporter = bench.project.settings, bench.session.reporter
    with reporter.task(Work.DERIVE, "asking which packages own the libraries"):
        dependencies = backend_of(bench.target.family).derive_dependencies(
            elf, staged, bench.target, bench.runner, reporter,
            declared=settings.depends, sonames=settings.sonames, with_floors=settings.rpm_min_versions,
        )  # fmt: skip
    if settings.strict:
        require_known_floors(dependencies)
    return dependencies


def described(contents: Contents, elf: ElfReport, project_files: ProjectFiles, bench: Workbench) -> PackageSpec:
    """Return the package's description, with its bill of materials and the debug information of its wheels."""
    spec = describe(
        bench.project, contents.staged, contents.dependencies, contents.source_date_epoch,
        evidence=dump_evidence(contents.dependencies), project_files=project_files,
        sbom=bill_of_materials(contents), elf=elf,
    )  # fmt: skip
    if not bench.project.settings.debug_symbols:
        return spec
    return replace(spec, debug=_debug_files(contents.wheels, bench.work / "debug", bench.session.reporter))


def packed(
    spec: PackageSpec, contents: Contents, obtained: ObtainedLock, toolchain: Toolchain, bench: Workbench
) -> tuple[Artifact, BuildRecord]:
    """Return the package, in this run's private directory, and its record."""
    session, target, runner = bench.session, bench.target, bench.runner
    backend = backend_of(target.family)
    with session.reporter.task(Work.PACK, f"packing {spec.name}"):
        apart = backend.avoid_collisions(spec, target, runner, session.reporter, cache=session.dirs.cache)
        packaging_tool_versions = backend.packaging_tool_versions(target, runner)
        kept = bench.work / "packed" if session.repacks else session.dirs.packed
        earlier = ArtifactCache(kept, packaging_tool_versions, session.reporter)
        artifact = backend.assemble(apart, target, bench.work / "finished", runner, session.reporter, earlier=earlier)
    ingredients = Ingredients(
        target, contents.plan, contents.wheels, read_build_pins(bench.project.build_lock), contents.dependencies,
        spec.project_files, toolchain.flags, toolchain.packages, packaging_tool_versions,
        [each for each in apart.relations.conflicts if each not in spec.relations.conflicts],
    )  # fmt: skip
    return replace(artifact, wheels=contents.wheels), _record(artifact, obtained, ingredients, bench)


def _debug_files(wheels: Iterable[ReadyWheel], directory: Path, reporter: Reporter) -> tuple[tuple[str, Path], ...]:
    """Return build-id and file of all debug information that the wheels have; warn where there is none."""
    found = {
        build_id: file
        for wheel in wheels
        if wheel.debug is not None
        for build_id, file in extract_debug(wheel.debug, directory).items()
    }
    if not found:
        reporter.warn("debug-symbols: nothing in the package was compiled with debug information")
    return tuple(sorted(found.items()))


def _record(artifact: Artifact, obtained: ObtainedLock, ingredients: Ingredients, bench: Workbench) -> BuildRecord:
    """Return the record; its lock is the one that was built from, whichever program keeps it."""

    def text(path: Path) -> str:
        return strip_credentials(path.read_text(encoding="utf-8")) if path.exists() else ""

    project = bench.project
    return BuildRecord(
        name=project.name,
        requirement=strip_credentials(project.requirement) if project.requirement else None,
        settings=settings_table(replace(project.settings, lock=None)),
        source_date_epoch=artifact.spec.source_date_epoch,
        lock=strip_credentials(obtained.text(project.lock.parent)),
        build_lock=text(project.build_lock),
        inputs=inputs_of(ingredients),
        artifact=artifact.path.name,
        sha256=artifact.sha256,
        size_bytes=artifact.size_bytes,
        debug_packages={each.name: sha256_of(each) for each in artifact.debug_packages},
    )
