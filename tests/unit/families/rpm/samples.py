"""A target of the rpm family."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from unit.samples import debian_12

if TYPE_CHECKING:
    from venvpkg.model.target import Target


def el_9(dist: str = ".el9") -> Target:
    return replace(
        debian_12(), family="rpm", architecture="x86_64", multiarch="", marks=(("dist", dist), ("isa", "(x86-64)"))
    )
