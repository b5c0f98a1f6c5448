"""Lines of ``--json``, checked against the schema that is documented."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "events.schema.json").read_bytes())
_VALIDATOR = Draft202012Validator(SCHEMA)


def checked(text: str) -> list[dict[str, Any]]:
    """Return the event of each line after a check against the schema."""
    events = [json.loads(line) for line in text.splitlines()]
    for event in events:
        assert _VALIDATOR.is_valid(event), event
    return events
