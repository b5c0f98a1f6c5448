"""Expand rpm's macros on the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from venvpkg.errors import MissingToolError
from venvpkg.host.runner import Command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from venvpkg.host.runner import Runner

# A macro may expand to several lines; between two of ours stands this.
_MARK: Final = "@venvpkg@"


def expanded(macros: Sequence[str], runner: Runner, defined: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return what each of ``macros`` expands to, its white space made one space.

    Args:
        macros: such as ``%{?dist}``.
        runner: runs rpm on the target.
        defined: macros with other values than the target's.

    Raises:
        MissingToolError: rpm is not there, or cannot expand them.

    Source:
        rpm(8), --eval and --define.
    """
    options = [word for name, value in (defined or {}).items() for word in ("--define", f"{name} {value}")]
    words = [word for macro in macros for word in ("--eval", macro, "--eval", _MARK)]
    done = runner.run(Command(("rpm", *options, *words), timeout_s=60))
    parts = done.text.split(f"{_MARK}\n")
    if not done.ok or len(parts) != len(macros) + 1:
        raise MissingToolError(
            [f"an rpm that expands macros: {done.outcome()} {done.errors.strip()[-300:]}".rstrip()],
            resolution="The target must have rpm itself, as every release with .rpm packages has.",
        )
    return tuple(" ".join(part.split()) for part in parts[:-1])
