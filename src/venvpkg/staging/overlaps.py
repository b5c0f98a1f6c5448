"""Judge the paths that two distributions ship with different content: whether they matter, and whose file is kept."""

from __future__ import annotations

import ast
import csv
import io
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import PurePosixPath

    from venvpkg.staging.installed_paths import InstalledWheel, Overlap, VenvTree


# Files for people to read, not for programs.
_DOCUMENT: Final = re.compile(
    r"(?i)(readme|licen[cs]e|copying|notice|authors|contributors|contributing|change(log|s)|history|news|todo)"
    r"([._-].*)?|.*\.(md|rst)"
)
_NAMESPACE_CALLS: Final = frozenset({"declare_namespace", "extend_path", "__import__"})
_NAMESPACE_MODULES: Final = frozenset({"pkgutil", "pkg_resources"})
_SITE_CODE: Final = frozenset({".py", ".so"})


class Judgement(NamedTuple):
    """What to do about overlaps.

    Attributes:
        kept: harmless overlaps, in order, each with the reason; the first distribution's file is kept.
        real: overlaps that would replace code of one distribution.
    """

    kept: tuple[tuple[Overlap, str], ...]
    real: tuple[Overlap, ...]


def judge(overlaps: Iterable[Overlap], installed: Sequence[InstalledWheel], venv: VenvTree) -> Judgement:
    """Return which overlaps matter.

    Three kinds are harmless: documents, at the top or in a directory for them; modules that differ only in comments and
    docstrings, or that only declare a namespace; and files below a top-level name that no code outside it imports, if
    each distribution has other ones, such as a ``tests`` package that was installed by mistake. Compiled modules always
    matter.
    """
    imported = _Imports(installed, venv)
    kept, real = [], []
    for each in overlaps:
        reason = _reason_to_ignore(each, installed, imported, venv)
        if reason:
            kept.append((each, reason))
        else:
            real.append(each)
    return Judgement(tuple(kept), tuple(real))


def drop_from_records(overlaps: Iterable[Overlap], installed: Iterable[InstalledWheel], venv: VenvTree) -> None:
    """Remove the files that another distribution keeps from the RECORD of the distribution that lost them."""
    lost: dict[str, set[PurePosixPath]] = {}
    for overlap in overlaps:
        lost.setdefault(overlap.second, set()).add(overlap.path)
    for each in installed:
        if each.wheel.name not in lost:
            continue
        record = venv.on_host(each.dist_info / "RECORD")
        rows = list(csv.reader(io.StringIO(record.read_text("utf-8"), newline="")))
        names = {str(path.relative_to(venv.site)) for path in lost[each.wheel.name] if path.is_relative_to(venv.site)}
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(row for row in rows if row and row[0] not in names)
        record.write_text(text.getvalue(), "utf-8", newline="")


def _reason_to_ignore(overlap: Overlap, installed: Sequence[InstalledWheel], imported: _Imports, venv: VenvTree) -> str:
    """Return the reason why an overlap is harmless; empty if it is not."""
    path = overlap.path
    top = _top_level(path, venv)
    if _is_document(path, venv):
        return "it is a document"
    if path.suffix == ".py" and overlap.content is not None:
        first, second = venv.on_host(path).read_bytes(), overlap.content
        if _code(first) is not None and _code(first) == _code(second):
            return "only comments differ"
        if path.name == "__init__.py" and _declares_namespace(first) and _declares_namespace(second):
            return "both declare a namespace"
    pair = [each for each in installed if each.wheel.name in {overlap.first, overlap.second}]
    is_stray = (
        top
        and path.suffix != ".so"
        and all(canonicalize_name(top) != each.wheel.name and _top_level_names(each, venv) - {top} for each in pair)
    )
    if is_stray and not imported.from_outside(top):
        return f"nothing outside {top} imports it"
    return ""


def _is_document(path: PurePosixPath, venv: VenvTree) -> bool:
    share = venv.prefix / "share"
    return (path.parent in {venv.site, venv.prefix} and bool(_DOCUMENT.fullmatch(path.name))) or (
        path.is_relative_to(share / "doc")
    )


def _top_level(path: PurePosixPath, venv: VenvTree) -> str:
    """Return the top-level name that a path in site-packages is imported by; empty for others."""
    if not path.is_relative_to(venv.site):
        return ""
    top, *below = path.relative_to(venv.site).parts
    if not below and path.suffix not in _SITE_CODE:
        return ""
    name = top if below else top.partition(".")[0]  # not NAME.libs, where auditwheel puts libraries
    return name if name.isidentifier() else ""


def _top_level_names(wheel: InstalledWheel, venv: VenvTree) -> set[str]:
    """Return the top-level names of a distribution's modules."""
    return {_top_level(path, venv) for path in wheel.files if path.suffix in _SITE_CODE} - {""}


def _code(content: bytes) -> str | None:
    """Return a module's code without comments and docstrings; None when it does not compile here."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                del node.body[0]
    return ast.dump(tree)


def _declares_namespace(content: bytes) -> bool:
    """Return whether a module only declares a namespace package, in one of the ways that predate PEP 420."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(
        isinstance(node, ast.Try | ast.ExceptHandler | ast.Pass | ast.Expr)
        or (isinstance(node, ast.Import) and {each.name for each in node.names} <= _NAMESPACE_MODULES)
        or (isinstance(node, ast.ImportFrom) and node.module in _NAMESPACE_MODULES)
        or (isinstance(node, ast.Assign) and [ast.unparse(each) for each in node.targets] == ["__path__"])
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt | ast.ExceptHandler)
    ) and all(
        (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")) in _NAMESPACE_CALLS
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    )


class _Imports:
    """The imports of all modules of the environment, read on first use."""

    def __init__(self, installed: Iterable[InstalledWheel], venv: VenvTree) -> None:
        self._installed = installed
        self._venv = venv
        self._answers: dict[str, bool] = {}
        self._texts: list[tuple[str, bytes]] | None = None

    def from_outside(self, top: str) -> bool:
        """Return whether a module outside a top-level package, or an entry point, imports it."""
        if top not in self._answers:
            name = re.escape(top.encode())
            statement = re.compile(
                rb"^[ \t]*(?:from[ \t]+%s\b|import[ \t]+(?:[\w. \t]+,[ \t]*)*%s\b)" % (name, name), re.MULTILINE
            )
            entry_point = re.compile(rb"=[ \t]*%s(?:[.:]|[ \t]*$)" % name, re.MULTILINE)
            self._answers[top] = any(
                bool((statement if owner else entry_point).search(text)) for owner, text in self._read() if owner != top
            )
        return self._answers[top]

    def _read(self) -> list[tuple[str, bytes]]:
        """Return the top-level name and the text of each module, and of ``entry_points.txt`` with an empty name."""
        if self._texts is None:
            self._texts = [
                (_top_level(path, self._venv) if path.suffix == ".py" else "", self._venv.on_host(path).read_bytes())
                for each in self._installed
                for path in each.files
                if path.suffix == ".py" or path == each.dist_info / "entry_points.txt"
            ]
        return self._texts


def overlap_warnings(judgement: Judgement) -> Iterator[str]:
    """Yield a warning for each pair of distributions and reason."""
    found: dict[tuple[str, str, str], list[PurePosixPath]] = {}
    for each, reason in judgement.kept:
        found.setdefault((each.first, each.second, reason), []).append(each.path)
    for (first, second, reason), paths in found.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield f"{first} and {second} both ship {paths[0]}{more}; {first}'s stays, because {reason}"
