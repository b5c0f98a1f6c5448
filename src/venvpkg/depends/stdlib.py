"""Which modules of the payload need a part of the standard library that the release ships in a package of its own.

Policy: an import that always happens, in a module that starting one of the application's commands always loads (from
import to import, through whatever distribution), is a dependency. Any other one in the application itself, but for its
tests, is a recommendation: it is of a feature that can be missed. Any other one in a library is nothing: libraries are
full of modules that nobody loads (a Tk backend, a plugin for a build tool), and a server should not get a window system
for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from venvpkg.depends.derive import Claim
from venvpkg.depends.imports import guessed_imports, imports_of
from venvpkg.model.depends import Dependency, Evidence, Source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path, PurePosixPath

    from venvpkg.console import Reporter
    from venvpkg.depends.imports import Import
    from venvpkg.model.staged import StagedVenv


# Where modules begin in the payload; a module in another place is loaded by nobody's import.
_SITE_PACKAGES = "site-packages"
_GROUPS = re.compile(r"(?ms)^\[(?:console|gui)_scripts\]$(.*?)(?=^\[|\Z)")
_ENTRY = re.compile(r"(?m)^[^=#\n]+=\s*([\w.]+)")
# A generated module of tables may be larger, and imports nothing.
_MOST_BYTES = 8 << 20


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """A module of the payload, and what it imports.

    Attributes:
        imported: dotted name, perhaps of something in a module.
        path: of the importing module, on the target.
        distribution: that it belongs to.
        own: whether that is the application's own.
        always: whether it happens whenever one of the application's commands is started.
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


def uses_of(staged: StagedVenv, names: Collection[str]) -> tuple[Use, ...]:
    """Return where the payload imports one of the modules ``names``, or something below one; sorted.

    Source files are parsed only where a line that may be such an import is in them. Modules that the payload has itself
    are not looked for, nor is ``distutils`` where setuptools puts its own in that place.
    """
    modules = tuple(_modules(staged))
    wanted = frozenset(names) - {each.name.partition(".")[0] for each in modules} - _replaced(staged)
    scan = _Scan(staged.destdir, modules)
    own = canonicalize_name(staged.application.name)
    found = [
        (module, each)
        for module in scan.mentioning(wanted)
        for each in scan.imports(module)
        if any(f"{each.module}.".startswith(f"{name}.") for name in wanted)
    ]
    started = _started(staged, own, modules) if any(each.always for _, each in found) else frozenset()
    loaded = {name: scan.is_loaded(name, started) for name in {module.name for module, each in found if each.always}}
    uses = (
        Use(each.module, module.path, module.distribution, module.distribution == own,
            each.always and loaded[module.name])
        for module, each in found
    )  # fmt: skip
    return tuple(sorted(each for each in uses if each.always or not each.own or not _is_test(each.path)))


class _Scan:
    """The payload's modules."""

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
            source = self._source(module)
            if any(each in source for each in words) and line.search(source):
                yield module

    def imports(self, module: _Module) -> tuple[Import, ...]:
        """Return what a module imports."""
        if module.name not in self._parsed:
            self._parsed[module.name] = imports_of(self._source(module), module.name, is_package=module.is_package)
        return self._parsed[module.name]

    def is_loaded(self, target: str, started: Collection[str]) -> bool:
        """Whether starting one of the modules ``started`` always loads ``target``.

        A way there is looked for among lines that look like imports, which is a hundred times faster than parsing, and
        then made sure of: the modules on it are parsed, and where one of them does not import the next one another way
        is looked for.
        """
        while way := self._way(target, started):
            unsure = [each for each in way if each not in self._parsed]
            if not unsure:
                return True
            for each in unsure:
                self.imports(self._by_name[each])
        return False

    def _way(self, target: str, started: Collection[str]) -> tuple[str, ...]:
        came_from = dict.fromkeys(sorted(started), "")
        pending = list(came_from)
        while pending:
            module = pending.pop()
            if module == target:
                way = [module]
                while came_from[way[-1]]:
                    way.append(came_from[way[-1]])
                return tuple(way)
            for each in self._loads(module):
                if each not in came_from:
                    came_from[each] = module
                    pending.append(each)
        return ()

    def _loads(self, name: str) -> Iterator[str]:
        """Yield the payload's modules that a module always loads, with the packages that they and it are in."""
        module = self._by_name[name]
        if name in self._parsed:
            names: Iterable[str] = (each.module for each in self._parsed[name] if each.always)
        else:
            if name not in self._guessed:
                self._guessed[name] = guessed_imports(self._source(module), name, is_package=module.is_package)
            names = self._guessed[name]
        for each in sorted({*names, name}):
            parts = each.split(".")
            yield from (
                above for above in (".".join(parts[:end]) for end in range(1, len(parts) + 1)) if above in self._by_name
            )

    def _source(self, module: _Module) -> bytes:
        try:
            with (self._destdir / module.path.relative_to("/")).open("rb") as file:
                return file.read(_MOST_BYTES)
        except OSError:
            return b""


def _started(staged: StagedVenv, own: str, modules: Iterable[_Module]) -> frozenset[str]:
    """Return the modules that the application's commands begin with.

    Source:
        PyPA, Entry points specification: the groups console_scripts and gui_scripts.
    """
    found = {each.name for each in modules if each.distribution == own and each.name.endswith(".__main__")}
    for distribution in staged.distributions:
        for path in distribution.files if distribution.name == own else ():
            if path.name == "entry_points.txt" and path.parent.suffix == ".dist-info":
                file = staged.destdir / path.relative_to("/")
                text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
                for group in _GROUPS.findall(text):
                    found.update(_ENTRY.findall(group))
    return frozenset(found & {each.name for each in modules})


def _modules(staged: StagedVenv) -> Iterator[_Module]:
    for distribution in staged.distributions:
        for path in distribution.files:
            name = _module_name(path) if path.suffix == ".py" else ""
            if name:
                yield _Module(name, path, distribution.name)


def _module_name(path: PurePosixPath) -> str:
    """Return the dotted name under which a file is imported; empty for what is not."""
    if _SITE_PACKAGES not in path.parts:
        return ""
    parts = list(path.with_suffix("").parts[path.parts.index(_SITE_PACKAGES) + 1 :])
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) if parts and all(each.isidentifier() for each in parts) else ""


def _replaced(staged: StagedVenv) -> frozenset[str]:
    """Return what setuptools' start-up hook puts its own copy in the place of.

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
    """Return what imports make the package depend on, and what they make it recommend.

    Args:
        uses: where the payload imports what.
        packages: import → the package that has it; None for what comes with the interpreter.
        reporter: hears of imports that cause nothing.
    """
    # One reason a file will do: `from tkinter import *` spelled out has fifty.
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


def recommended(recommendation: Dependency) -> str:
    """Return what the user should know of a recommendation."""
    modules = sorted({f"{each.module} in {each.needed_by}" for each in recommendation.evidence})
    return (
        f"{recommendation.relation} is recommended, for {', '.join(modules)}: not all of the application needs it."
        f" '{recommendation.relation}' in depends makes it a dependency, '!{recommendation.relation}' leaves it out"
    )
