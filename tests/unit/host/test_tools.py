"""Programs of this machine that run elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.fakes import ScriptedRunner, expect
from venvpkg.errors import MissingToolError
from venvpkg.host.command import Completed
from venvpkg.host.tools import libraries_of

LDD = b"""\
\tlinux-vdso.so.1 (0x00007f7f40179000)
\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f7f4005c000)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f7f3d81e000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f7f4017b000)
"""


def test_a_program_is_loaded_with_what_ldd_tells_but_for_the_kernels_own() -> None:
    runner = ScriptedRunner({expect("ldd", "/opt/uv"): Completed(0, LDD)})

    found = libraries_of(Path("/opt/uv"), runner)

    assert [each.name for each in found] == ["libm.so.6", "libc.so.6", "ld-linux-x86-64.so.2"]


def test_a_static_program_needs_nothing() -> None:
    runner = ScriptedRunner({expect("ldd", "/opt/uv"): Completed(1, b"", b"\tnot a dynamic executable\n")})

    assert libraries_of(Path("/opt/uv"), runner) == ()


def test_a_machine_without_ldd_is_told() -> None:
    with pytest.raises(MissingToolError, match="ldd, which lists the libraries of uv: not found"):
        libraries_of(Path("/opt/uv"), ScriptedRunner({expect("ldd", "/opt/uv"): Completed(127)}))
