"""Everything that can change the bytes of a package, by hash or version. Nothing of the machine's paths is in it."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

import venvpkg
from venvpkg.host.files import sha256_of
from venvpkg.model.lock import RemoteFile
from venvpkg.model.wheels import Action, SourceTree
from venvpkg.templates import template_dir

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from venvpkg.model.depends import DependencySet
    from venvpkg.model.lock import BuildPins
    from venvpkg.model.project import ProjectFiles
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import ReadyWheel, WheelPlan


# Libraries of venvpkg's own that write what ends up in a package.
_WRITERS = ("cyclonedx-python-lib", "installer", "jinja2", "packaging", "uv", "virtualenv")


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What the stages of a build made and used.

    Attributes:
        target: what was built for.
        plan: where each wheel came from.
        wheels: what was installed.
        pins: build requirements known at the end of the build, of any target.
        dependencies: with the packages linked against.
        project_files: files of the project that shape the package, beside its wheel.
        flags: of the compilers, by variable.
        packages: installed build packages and their versions.
        tools: installed packages that pack and compile bytecode, and their versions.
        conflicts: packages that ship a path of this one, found in what is installed and in apt-file's index.
    """

    target: Target
    plan: WheelPlan
    wheels: tuple[ReadyWheel, ...]
    pins: tuple[BuildPins, ...]
    dependencies: DependencySet
    project_files: ProjectFiles
    flags: Iterable[tuple[str, str]]
    packages: Iterable[tuple[str, str]]
    tools: Iterable[tuple[str, str]]
    conflicts: Iterable[str] = ()


def inputs_of(of: Ingredients) -> dict[str, dict[str, str]]:
    """Return section → name → value; equal for two builds that must give equal bytes.

    Flags and build packages count only where something was compiled: a package of pure wheels does not depend on them.
    """
    target, interpreter = of.target, of.target.interpreter
    compiled = any(wheel.origin in {Action.COMPILE, Action.REUSE} for wheel in of.wheels)
    return {
        "source trees": {
            each.name: f"tree sha256={each.source.sha256}"
            for each in of.plan.wheels
            if isinstance(each.source, SourceTree)
        },
        "prepared files": _prepared(of.plan),
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
        "wheels": _wheels(of),
        "build requirements": _build_requirements(of),
        "compiler flags": dict(of.flags) if compiled else {},
        "build packages": dict(of.packages) if compiled else {},
        "linked packages": {name: package.version for name, package in of.dependencies.owners},
        "system distributions": {
            each.name: f"{each.distribution.title} modules={','.join(each.distribution.modules)}"
            for each in of.plan.system
        },
        "templates": _hashes(template_dir(target.family)),
        "own templates": _hashes(of.project_files.templates) if of.project_files.templates else {},
        "own scripts": {name: hashlib.sha256(text.encode()).hexdigest() for name, text in of.project_files.scripts},
        "own files": {
            str(file.target): f"{file.mode:04o} sha256={sha256_of(file.source)}" for file in of.project_files.files
        },
        "tools": dict(of.tools),
        "found conflicts": dict.fromkeys(of.conflicts, "in its way"),
        "venvpkg": {
            "venvpkg": venvpkg.__version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _WRITERS},
        },
    }


def changes_between(before: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """Return in words which inputs changed, one sentence each, in the order of sections; empty when none did."""
    changes = []
    for section in dict.fromkeys((*before, *now)):
        old, new = before.get(section, {}), now.get(section, {})
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) != new.get(name):
                was, is_ = old.get(name, "not there"), new.get(name, "not there")
                changes.append(f"{section}: {name}: was {was:.200}, is {is_:.200}")
    return tuple(changes)


def _prepared(plan: WheelPlan) -> dict[str, str]:
    """Return what prepare commands made, each file with a hash over its kind and content."""
    trees = (each.source for each in plan.wheels if isinstance(each.source, SourceTree))
    return {name: f"sha256={digest}" for tree in trees if tree.prepared for name, digest in tree.prepared.files}


def _wheels(of: Ingredients) -> dict[str, str]:
    """Return for each distribution its wheel, and for a compiled one its source and wheelhouse key."""
    sources = {each.name: each.source for each in of.plan.wheels}
    found = {}
    for wheel in of.wheels:
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


def _build_requirements(of: Ingredients) -> dict[str, str]:
    """Return what each wheel was compiled with: the pins of its source, as ``FILE sha256=…``."""
    sources = {each.name: each.source for each in of.plan.wheels}
    compiled = {wheel.name for wheel in of.wheels if wheel.key is not None}
    found = {}
    for each in of.pins:
        source = sources.get(each.name)
        wanted = source.sha256 if isinstance(source, RemoteFile) else "directory"
        if each.name in compiled and (each.source, each.target) == (wanted, of.target.abi_name):
            found[each.name] = ", ".join(f"{file.filename} sha256={file.sha256}" for file in sorted(each.files))
    return found


def _hashes(directory: Path) -> dict[str, str]:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): sha256_of(path) for path in files}
