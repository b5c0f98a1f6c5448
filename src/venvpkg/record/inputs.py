"""Collect everything that can change the bytes of a package, by hash or version; no path of this machine is in it."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

import venvpkg
from venvpkg.families.registry import FAMILIES
from venvpkg.host.files import sha256_of
from venvpkg.model.lock import RemoteFile
from venvpkg.model.wheels import SourceTree
from venvpkg.templates import template_dir

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from venvpkg.model.depends import DependencySet
    from venvpkg.model.lock import BuildPins
    from venvpkg.model.project import ProjectFiles
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import ReadyWheel, WheelPlan
    from venvpkg.wheelhouse.key import Toolchain


# venvpkg's own dependencies that write files of a package.
_WRITERS = ("cyclonedx-python-lib", "installer", "jinja2", "packaging", "uv", "virtualenv")


@dataclass(frozen=True, slots=True)
class Ingredients:
    """The results of a build's stages, and the tools they used.

    Attributes:
        target: of the build.
        plan: origin of each wheel.
        wheels: installed wheels.
        pins: build requirements known at the end of the build, for any target.
        dependencies: including the packages linked against.
        project_files: files of the project that shape the package, apart from its wheel.
        toolchain: of the target; None where it was not read, because nothing was compiled.
        tools: installed packages that pack and compile bytecode, and their versions.
        conflicts: packages with a path of this one, among the installed packages and in apt-file's index.
    """

    target: Target
    plan: WheelPlan
    wheels: tuple[ReadyWheel, ...]
    pins: tuple[BuildPins, ...]
    dependencies: DependencySet
    project_files: ProjectFiles
    toolchain: Toolchain | None
    tools: Iterable[tuple[str, str]]
    conflicts: Iterable[str] = ()


def inputs_of(build: Ingredients) -> dict[str, dict[str, str]]:
    """Return the inputs as section → name → value. Builds with equal inputs must give equal bytes.

    Flags and build packages count only where something was compiled: a package of pure wheels does not depend on them.
    """
    target, interpreter = build.target, build.target.interpreter
    toolchain = build.toolchain if any(each.is_vendor for each in build.wheels) else None
    return {
        "source trees": {
            each.name: f"tree sha256={each.source.sha256}"
            for each in build.plan.wheels
            if isinstance(each.source, SourceTree)
        },
        "prepared files": _prepared_files(build.plan),
        "target": {
            "name": target.name,
            "codename": target.release.codename,
            "machine": target.machine,
            "interpreter": str(interpreter.path),
            "python": ".".join(map(str, interpreter.version)),
            "ext_suffix": interpreter.ext_suffix,
            "glibc": ".".join(map(str, interpreter.glibc or ())),
            **({"identity": interpreter.identity} if interpreter.identity else {}),
        },
        "wheels": _wheel_inputs(build),
        "build requirements": _build_requirements(build),
        "compiler flags": dict(toolchain.flags) if toolchain else {},
        "build packages": dict(toolchain.packages) if toolchain else {},
        "linked packages": {name: package.version for name, package in build.dependencies.owners},
        "system distributions": {
            each.name: f"{each.distribution.title} modules={','.join(each.distribution.modules)}"
            for each in build.plan.system
        },
        "templates": _file_hashes(template_dir(target.family)) if FAMILIES[target.family].templates else {},
        "own templates": _file_hashes(build.project_files.templates) if build.project_files.templates else {},
        "own scripts": {name: hashlib.sha256(text.encode()).hexdigest() for name, text in build.project_files.scripts},
        "own files": {
            str(file.target): f"{file.mode:04o} sha256={sha256_of(file.source)}" for file in build.project_files.files
        },
        "tools": dict(build.tools),
        "found conflicts": dict.fromkeys(build.conflicts, "in its way"),
        "venvpkg": {
            "venvpkg": venvpkg.__version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _WRITERS},
        },
    }


def changes_between(before: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """Return a sentence for each input that changed, in the order of sections."""
    changes = []
    for section in dict.fromkeys((*before, *now)):
        old, new = before.get(section, {}), now.get(section, {})
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) != new.get(name):
                was, is_ = old.get(name, "absent"), new.get(name, "absent")
                changes.append(f"{section}: {name}: was {was:.200}, is {is_:.200}")
    return tuple(changes)


def _prepared_files(plan: WheelPlan) -> dict[str, str]:
    """Return the outputs of prepare commands: file → hash of its kind and content."""
    trees = (each.source for each in plan.wheels if isinstance(each.source, SourceTree))
    return {name: f"sha256={digest}" for tree in trees if tree.prepared for name, digest in tree.prepared.files}


def _wheel_inputs(build: Ingredients) -> dict[str, str]:
    """Return the wheel of each distribution; for a compiled one with its source and wheelhouse key."""
    sources = {each.name: each.source for each in build.plan.wheels}
    found = {}
    for wheel in build.wheels:
        text = f"{wheel.path.name} sha256={wheel.sha256}"
        if wheel.key is None:
            text += " published"
        else:
            text += f" compiled key={wheel.key}"
            source = sources.get(wheel.name)
            if isinstance(source, RemoteFile):
                inside = f" subdirectory={source.subdirectory}" if source.subdirectory else ""
                text += f" from {source.filename} sha256={source.sha256}{inside}"
        found[wheel.name] = text
    return found


def _build_requirements(build: Ingredients) -> dict[str, str]:
    """Return the build requirements of each compiled wheel, as ``FILE sha256=…``."""
    sources = {each.name: each.source for each in build.plan.wheels}
    compiled = {wheel.name for wheel in build.wheels if wheel.key is not None}
    found = {}
    for each in build.pins:
        source = sources.get(each.name)
        wanted = source.sha256 if isinstance(source, RemoteFile) else "directory"
        if each.name in compiled and (each.source, each.target) == (wanted, build.target.abi_name):
            found[each.name] = ", ".join(f"{file.filename} sha256={file.sha256}" for file in sorted(each.files))
    return found


def _file_hashes(directory: Path) -> dict[str, str]:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): sha256_of(path) for path in files}
