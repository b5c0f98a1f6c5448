"""Native dependencies, each with the evidence that justifies it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DependencySet:
    """What the payload needs of the target.

    Attributes:
        relations: native spelling, sorted.
    """

    relations: tuple[str, ...] = ()
