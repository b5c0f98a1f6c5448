"""Warnings about native code that was not compiled here, or that a pure wheel hides. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from venvpkg.model.wheels import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvpkg.model.elf import ElfReport
    from venvpkg.model.staged import InstalledDistribution, StagedVenv
    from venvpkg.model.wheels import ReadyWheel, WheelPlan
    from venvpkg.sbom.bundled import Bundled


_MOST_FILES = 3


def native_code_in_pure_wheels(
    elf: ElfReport, distributions: Iterable[InstalledDistribution], wheels: Iterable[ReadyWheel]
) -> tuple[str, ...]:
    """Return a warning for each publisher's wheel with a pure tag that contains ELF files for the target.

    Such a file was compiled elsewhere, unlike the other native code; debugpy's ``py2.py3-none-any`` wheel has one. Its
    dependencies are computed all the same. ELF files for another machine are harmless and cause no warning.

    Args:
        elf: every ELF file of the payload.
        distributions: installed distributions.
        wheels: that they were installed from.
    """
    pure = {wheel.name for wheel in wheels if wheel.origin is Action.PURE}
    native = {each.path for each in elf.objects}
    sentences = []
    for distribution in distributions:
        names = [path.name for path in distribution.files if path in native]
        if names and distribution.name in pure:
            named = ", ".join(names[:_MOST_FILES]) + (", …" if len(names) > _MOST_FILES else "")
            sentences.append(
                f"{distribution.name} {distribution.version}: the publisher's wheel is tagged as pure Python and holds"
                f" native code ({named}) that was not compiled here"
            )
    return tuple(sentences)


# The SBOM of a Rust program lists hundreds of crates; the package's own SBOM includes all of them.
_MOST_NAMES = 20
# auditwheel adds a part of the file's sha256 to its name: libssl-81ffa89e.so.3
_MANGLED = re.compile(r"-[0-9a-f]{8}(?=\.so)")


def binary_warnings(plan: WheelPlan, staged: StagedVenv, elf: ElfReport, bundled: Iterable[Bundled]) -> Iterator[str]:
    """Yield a warning for each prebuilt wheel: why it is used, and the libraries bundled in it.

    The objects under ``*.libs`` are the complete list of grafted libraries, while auditwheel's SBOMs list only those
    owned by a package of its build image. So the SBOM is used only for wheels without such objects.

    Args:
        plan: has the reasons.
        staged: has the files of each distribution.
        elf: ELF files of the payload.
        bundled: libraries listed in SBOMs.
    """
    owners = staged.owners()
    grafted: dict[str, set[str]] = {}
    for each in (*elf.objects, *elf.foreign):
        if each.path in owners and any(part.endswith(".libs") for part in each.path.parts):
            grafted.setdefault(owners[each.path], set()).add(_MANGLED.sub("", each.path.name))
    named_by_sbom: dict[str, set[str]] = {}
    for library in bundled:
        if canonicalize_name(library.name) != library.distribution:
            named_by_sbom.setdefault(library.distribution, set()).add(f"{library.name} {library.version}".rstrip())
    for wheel in plan.by_action(Action.BINARY):
        names = sorted(grafted.get(wheel.name) or named_by_sbom.get(wheel.name) or ())
        yield f"{wheel.name} {wheel.version}: {wheel.reason}; {_describe_libraries(names)}"


def _describe_libraries(names: list[str]) -> str:
    if not names:
        return "it lists no bundled libraries, but may have some linked into its modules"
    more = len(names) - _MOST_NAMES
    return f"it bundles {', '.join(names[:_MOST_NAMES])}{f' and {more} more' if more > 0 else ''}"
