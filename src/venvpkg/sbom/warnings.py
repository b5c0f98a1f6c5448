"""Warnings about native code that was not compiled here, or that a wheel did not announce. Pure."""

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


_NAMED_FILES = 3


def native_code_in_pure_wheels(
    elf: ElfReport, distributions: Iterable[InstalledDistribution], wheels: Iterable[ReadyWheel]
) -> tuple[str, ...]:
    """Return one sentence for each publisher's wheel with a pure tag that holds ELF files for the target.

    Such a file was compiled elsewhere, though everything else with native code is compiled here; debugpy's
    ``py2.py3-none-any`` wheel brings one. Its dependencies are computed all the same. Files for another machine do
    nothing here and are not told.

    Args:
        elf: every ELF file of the payload.
        distributions: what is installed.
        wheels: what they were installed from.
    """
    pure = {wheel.name for wheel in wheels if wheel.origin is Action.PURE}
    native = {each.path for each in elf.objects}
    sentences = []
    for distribution in distributions:
        names = [path.name for path in distribution.files if path in native]
        if names and distribution.name in pure:
            named = ", ".join(names[:_NAMED_FILES]) + (", …" if len(names) > _NAMED_FILES else "")
            sentences.append(
                f"{distribution.name} {distribution.version}: the publisher's wheel is tagged as pure Python and holds"
                f" native code ({named}) that was not compiled here"
            )
    return tuple(sentences)


# A Rust program's SBOM lists hundreds of crates; the bill of materials in the package has them all.
_MOST = 20
# auditwheel puts a part of the file's sha256 into its name: libssl-81ffa89e.so.3
_MANGLED = re.compile(r"-[0-9a-f]{8}(?=\.so)")


def binary_warnings(plan: WheelPlan, staged: StagedVenv, elf: ElfReport, bundled: Iterable[Bundled]) -> Iterator[str]:
    """Yield a sentence for each publisher's binary wheel: why it is used, and the libraries bundled in it.

    The objects under ``*.libs`` are all that was grafted into the wheel, while an SBOM that auditwheel wrote names only
    those that a package of its build image owns; so the SBOM is asked only where there is no such object.

    Args:
        plan: with the reasons.
        staged: which files belong to which distribution.
        elf: the ELF files of the payload.
        bundled: what the SBOMs tell.
    """
    owners = staged.owners()
    grafted: dict[str, set[str]] = {}
    for each in (*elf.objects, *elf.foreign):
        if each.path in owners and any(part.endswith(".libs") for part in each.path.parts):
            grafted.setdefault(owners[each.path], set()).add(_MANGLED.sub("", each.path.name))
    told: dict[str, set[str]] = {}
    for library in bundled:
        if canonicalize_name(library.name) != library.distribution:
            told.setdefault(library.distribution, set()).add(f"{library.name} {library.version}".rstrip())
    for wheel in plan.by_action(Action.BINARY):
        names = sorted(grafted.get(wheel.name) or told.get(wheel.name) or ())
        yield f"{wheel.name} {wheel.version}: {wheel.reason}; {_listed(names)}"


def _listed(names: list[str]) -> str:
    if not names:
        return "it names none, but may have some linked into its modules"
    more = len(names) - _MOST
    return f"it brings {', '.join(names[:_MOST])}{f' and {more} more' if more > 0 else ''}"
