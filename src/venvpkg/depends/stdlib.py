"""Find uses of those parts of the standard library that the release ships in packages of their own.

An import is a dependency if it always happens, in a module that one of the application's commands always loads on
start, directly or through other modules of the payload. Any other import in the application itself, except in its
tests, is a recommendation: some feature needs it. Any other import in a library is ignored. Libraries have many modules
that an application never loads, such as a Tk backend, and a server should not get a window system for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from venvpkg.depends.derive import Claim
from venvpkg.depends.imports import guess_imports, imports_of
from venvpkg.model.depends import Dependency, Evidence, Source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path, PurePosixPath

    from venvpkg.console import Reporter
    from venvpkg.depends.imports import Import
    from venvpkg.model.staged import StagedVenv


# No import finds a module outside this directory.
_SITE_PACKAGES = "site-packages"
_SCRIPT_GROUPS = re.compile(r"(?ms)^\[(?:console|gui)_scripts\]$(.*?)(?=^\[|\Z)")
_ENTRY_POINT = re.compile(r"(?m)^[^=#\n]+=\s*([\w.]+)")
# A generated module of tables may be larger, and imports nothing.
_MOST_BYTES = 8 << 20


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """An import of the standard library by a module of the payload.

    Attributes:
        imported: dotted name of the module, or of an attribute in it.
        path: of the importing module on the target.
        distribution: that the importing module belongs to.
        own: whether it belongs to the application itself.
        always: whether it always happens when one of the application's commands starts.
    """

    imported: str
    path: PurePosixPath
    distribution: str
    own: bool
    always: bool


@dataclass(frozen=True, slots=True)
class _Module:
    name: str
    path: PurePosixPath
    distribution: str

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"


def find_uses(staged: StagedVenv, names: Collection[str]) -> tuple[Use, ...]:
    """Return the imports of one of the modules ``names``, or of a submodule, in the payload; sorted.

    Only source files with a line that looks like such an import are parsed. Modules that the payload ships itself do
    not count, nor does ``distutils`` where setuptools replaces it.
    """
    modules = tuple(_payload_modules(staged))
    wanted = frozenset(names) - {each.name.partition(".")[0] for each in modules} - _replaced_by_setuptools(staged)
    graph = _ImportGraph(staged.destdir, modules)
    own = canonicalize_name(staged.application.name)
    found = [
        (module, each)
        for module in graph.mentioning(wanted)
        for each in graph.imports(module)
        if any(f"{each.module}.".startswith(f"{name}.") for name in wanted)
    ]
    entry_modules = _entry_modules(staged, own, modules) if any(each.always for _, each in found) else frozenset()
    loaded = {
        name: graph.is_loaded(name, entry_modules) for name in {module.name for module, each in found if each.always}
    }
    uses = (
        Use(each.module, module.path, module.distribution, module.distribution == own,
            each.always and loaded[module.name])
        for module, each in found
    )  # fmt: skip
    return tuple(sorted(each for each in uses if each.always or not each.own or not _is_test(each.path)))


class _ImportGraph:
    """The modules of the payload with their imports, which are read on demand."""

    def __init__(self, destdir: Path, modules: tuple[_Module, ...]) -> None:
        self._destdir = destdir
        self._modules = modules
        self._by_name = {each.name: each for each in modules}
        self._parsed: dict[str, tuple[Import, ...]] = {}
        self._guessed: dict[str, frozenset[str]] = {}

    def mentioning(self, names: Collection[str]) -> Iterator[_Module]:
        """Yield the modules with a line that may import one of ``names``."""
        words = sorted({each.partition(".")[0].encode() for each in names})
        if not words:
            return
        line = re.compile(rb"(?m)^[^\n#]*\b(?:import|from)\b[^\n]*\b(?:%b)\b" % b"|".join(map(re.escape, words)))
        for module in self._modules:
            source = self._read_source(module)
            if any(each in source for each in words) and line.search(source):
                yield module

    def imports(self, module: _Module) -> tuple[Import, ...]:
        """Return the imports of a module."""
        if module.name not in self._parsed:
            self._parsed[module.name] = imports_of(self._read_source(module), module.name, is_package=module.is_package)
        return self._parsed[module.name]

    def is_loaded(self, target: str, entry_modules: Collection[str]) -> bool:
        """Whether loading one of ``entry_modules`` always loads ``target``.

        A chain of imports is first searched for among lines that look like imports, which is a hundred times faster
        than parsing. Then the modules of the chain are parsed. When one of them does not import the next one after all,
        the search continues.
        """
        while chain := self._import_chain(target, entry_modules):
            unparsed = [each for each in chain if each not in self._parsed]
            if not unparsed:
                return True
            for each in unparsed:
                self.imports(self._by_name[each])
        return False

    def _import_chain(self, target: str, entry_modules: Collection[str]) -> tuple[str, ...]:
        """Return the modules from ``target`` back to one of ``entry_modules``; empty when there is no chain."""
        imported_by = dict.fromkeys(sorted(entry_modules), "")
        pending = list(imported_by)
        while pending:
            module = pending.pop()
            if module == target:
                chain = [module]
                while imported_by[chain[-1]]:
                    chain.append(imported_by[chain[-1]])
                return tuple(chain)
            for each in self._always_loaded_by(module):
                if each not in imported_by:
                    imported_by[each] = module
                    pending.append(each)
        return ()

    def _always_loaded_by(self, name: str) -> Iterator[str]:
        """Yield the payload's modules that a module always loads, including the parent packages of them and it."""
        module = self._by_name[name]
        if name in self._parsed:
            names: Iterable[str] = (each.module for each in self._parsed[name] if each.always)
        else:
            if name not in self._guessed:
                self._guessed[name] = guess_imports(self._read_source(module), name, is_package=module.is_package)
            names = self._guessed[name]
        for each in sorted({*names, name}):
            parts = each.split(".")
            yield from (
                above for above in (".".join(parts[:end]) for end in range(1, len(parts) + 1)) if above in self._by_name
            )

    def _read_source(self, module: _Module) -> bytes:
        try:
            with (self._destdir / module.path.relative_to("/")).open("rb") as file:
                return file.read(_MOST_BYTES)
        except OSError:
            return b""


def _entry_modules(staged: StagedVenv, own: str, modules: Iterable[_Module]) -> frozenset[str]:
    """Return the modules that the application's commands load first.

    Source:
        PyPA, Entry points specification: the groups console_scripts and gui_scripts.
    """
    found = {each.name for each in modules if each.distribution == own and each.name.endswith(".__main__")}
    for distribution in staged.distributions:
        for path in distribution.files if distribution.name == own else ():
            if path.name == "entry_points.txt" and path.parent.suffix == ".dist-info":
                file = staged.destdir / path.relative_to("/")
                text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
                for group in _SCRIPT_GROUPS.findall(text):
                    found.update(_ENTRY_POINT.findall(group))
    return frozenset(found & {each.name for each in modules})


def _payload_modules(staged: StagedVenv) -> Iterator[_Module]:
    for distribution in staged.distributions:
        for path in distribution.files:
            name = _module_name(path) if path.suffix == ".py" else ""
            if name:
                yield _Module(name, path, distribution.name)


def _module_name(path: PurePosixPath) -> str:
    """Return the dotted name by which a file is imported; empty when no import can find it."""
    if _SITE_PACKAGES not in path.parts:
        return ""
    parts = list(path.with_suffix("").parts[path.parts.index(_SITE_PACKAGES) + 1 :])
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) if parts and all(each.isidentifier() for each in parts) else ""


def _replaced_by_setuptools(staged: StagedVenv) -> frozenset[str]:
    """Return the module that setuptools' start-up hook replaces by its own copy, if the payload has the hook.

    Source:
        setuptools, ``_distutils_hack`` and ``distutils-precedence.pth``, since 60.0.
    """
    files = (path for each in staged.distributions if each.name == "setuptools" for path in each.files)
    return frozenset({"distutils"} if any(each.name == "distutils-precedence.pth" for each in files) else ())


def _is_test(path: PurePosixPath) -> bool:
    return bool({"test", "tests", "testing"} & set(path.parts)) or path.name.startswith("test_")


def module_claims(
    uses: Iterable[Use], packages: Mapping[str, str | None], reporter: Reporter
) -> tuple[tuple[Claim, ...], tuple[Dependency, ...]]:
    """Return the dependencies that imports cause, as claims, and the recommendations.

    Args:
        uses: imports in the payload.
        packages: import → the package that ships it; None when it comes with the interpreter.
        reporter: receives a note for each import that has no effect.
    """
    # One reason per file is enough: `from tkinter import *`, spelled out, has fifty.
    reasons: dict[tuple[str, PurePosixPath], Use] = {}
    for use in sorted(uses, key=lambda each: (not each.always, each)):
        if package := packages.get(use.imported):
            reasons.setdefault((package, use.path), use)
    strong: dict[str, list[Evidence]] = {}
    weak: dict[str, list[Evidence]] = {}
    for (package, path), use in sorted(reasons.items(), key=lambda item: item[0]):
        if use.always or use.own:
            evidence = Evidence(Source.IMPORT, needed_by=path, distribution=use.distribution, module=use.imported)
            (strong if use.always else weak).setdefault(package, []).append(evidence)
        else:
            reporter.detail(f"{path} imports {use.imported} of {package}: no command always loads that module")
    claims = tuple(Claim(package, each) for package, evidence in strong.items() for each in evidence)
    return claims, tuple(
        Dependency(package, tuple(evidence)) for package, evidence in sorted(weak.items()) if package not in strong
    )


def recommendation_note(recommendation: Dependency) -> str:
    """Return a message about a recommendation, and how to change it."""
    modules = sorted({f"{each.module} in {each.needed_by}" for each in recommendation.evidence})
    return (
        f"{recommendation.relation} is recommended, for {', '.join(modules)}: not all of the application needs it."
        f" '{recommendation.relation}' in depends makes it a dependency, '!{recommendation.relation}' leaves it out"
    )
