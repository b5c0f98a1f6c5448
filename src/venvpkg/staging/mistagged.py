"""Find native code in wheels that their publishers tagged as pure. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.model.wheels import Action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvpkg.model.elf import ElfReport
    from venvpkg.model.staged import InstalledDistribution
    from venvpkg.model.wheels import ReadyWheel

_NAMED_FILES = 3


def native_code_in_pure_wheels(
    report: ElfReport, distributions: Iterable[InstalledDistribution], wheels: Iterable[ReadyWheel]
) -> tuple[str, ...]:
    """Return one sentence for each publisher's wheel with a pure tag that holds ELF files for the target.

    Such a file was compiled elsewhere, though everything else with native code is compiled here; debugpy's
    ``py2.py3-none-any`` wheel brings one. Its dependencies are computed all the same. Files for another machine do
    nothing here and are not told.

    Args:
        report: every ELF file of the payload.
        distributions: what is installed.
        wheels: what they were installed from.
    """
    pure = {wheel.name for wheel in wheels if wheel.origin is Action.PURE}
    native = {each.path for each in report.objects}
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
