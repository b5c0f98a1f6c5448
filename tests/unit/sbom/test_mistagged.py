"""Native code that comes in a wheel tagged as pure is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from unit.samples import SITE
from venvpkg.model.elf import Abi, ElfKind, ElfObject, ElfReport
from venvpkg.model.staged import InstalledDistribution
from venvpkg.model.wheels import Action, ReadyWheel
from venvpkg.sbom.bundled import native_code_in_pure_wheels

SHIPPED = SITE / "debugpy/attach.so"
DEBUGPY = InstalledDistribution("debugpy", "1.8", "0" * 64, (SITE / "debugpy/__init__.py", SHIPPED))
OBJECT = ElfObject(SHIPPED, Abi(64, little_endian=True, machine=62, flags=0), ElfKind.SHARED)


def told(reporter: ElfReport, origin: Action = Action.PURE) -> tuple[str, ...]:
    return native_code_in_pure_wheels(
        reporter, [DEBUGPY], [ReadyWheel("debugpy", "1.8", Path("/w.whl"), "0" * 64, origin)]
    )


def test_native_code_in_a_pure_wheel_is_told_by_file_and_distribution() -> None:
    (sentence,) = told(ElfReport((OBJECT,)))

    assert sentence.startswith("debugpy 1.8: ")
    assert "(attach.so)" in sentence


def test_native_code_that_was_compiled_here_is_not_told() -> None:
    assert told(ElfReport((OBJECT,)), Action.COMPILE) == ()
    assert told(ElfReport((OBJECT,)), Action.REUSE) == ()


def test_native_code_of_another_distribution_is_not_laid_at_its_door() -> None:
    assert told(ElfReport((dataclasses.replace(OBJECT, path=SITE / "lxml/etree.so"),))) == ()


def test_files_for_another_machine_are_not_told() -> None:
    assert told(ElfReport((), foreign=(OBJECT,))) == ()
