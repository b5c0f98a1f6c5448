"""The key of what is kept: one hash over everything that it is made from. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = str | int | Sequence["Json"] | Mapping[str, "Json"] | None


def key_of(inputs: Mapping[str, Json]) -> str:
    """Return the hexadecimal sha256 of the inputs' canonical JSON."""
    canonical = json.dumps(inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
