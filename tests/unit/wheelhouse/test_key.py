"""The key changes with everything that can change a wheel, and with nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unit.wheelhouse.makers import TOOLCHAIN, bookworm, remote
from venvpkg.model.target import Release, Target
from venvpkg.store.filecache import key_of
from venvpkg.wheelhouse.key import key_inputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from venvpkg.model.lock import RemoteFile
    from venvpkg.wheelhouse.key import Toolchain

SETUPTOOLS, WHEEL = remote("setuptools-80-py3-none-any.whl"), remote("wheel-1-py3-none-any.whl")


def key(  # noqa: PLR0913 -- each is an input of its own
    *,
    name: str = "demo",
    version: str = "1.0",
    source: str = "ab",
    requirements: tuple[RemoteFile, ...] = (SETUPTOOLS, WHEEL),
    target: Target | None = None,
    toolchain: Toolchain = TOOLCHAIN,
) -> str:
    inputs = key_inputs(
        name=name,
        version=version,
        source=source,
        requirements=requirements,
        target=target or bookworm(),
        toolchain=toolchain,
    )
    return key_of(inputs)


@pytest.mark.parametrize(
    "other",
    [
        lambda: key(name="other"),
        lambda: key(target=replace(bookworm(), interpreter=replace(bookworm().interpreter, identity="of pyenv"))),
        lambda: key(version="2.0"),
        lambda: key(source="cd"),
        lambda: key(requirements=(SETUPTOOLS,)),
        lambda: key(target=replace(bookworm(), release=Release("debian", "13", "trixie"))),
        lambda: key(target=replace(bookworm(), interpreter=replace(bookworm().interpreter, version=(3, 11, 3)))),
        lambda: key(target=replace(bookworm(), interpreter=replace(bookworm().interpreter, ext_suffix=".so"))),
        lambda: key(toolchain=replace(TOOLCHAIN, flags=(("CFLAGS", "-O3"),))),
        lambda: key(toolchain=replace(TOOLCHAIN, packages=(("gcc:amd64", "4:13"),))),
    ],
)
def test_every_input_changes_the_key(other: Callable[[], str]) -> None:
    assert other() != key()


def test_neither_order_nor_index_nor_root_changes_the_key() -> None:
    mirrored = replace(SETUPTOOLS, url="https://mirror.example/x.whl")

    assert key(requirements=(WHEEL, mirrored), target=bookworm(Path("/srv/root"))) == key()
