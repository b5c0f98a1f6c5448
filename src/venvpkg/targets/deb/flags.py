"""The flags with which Debian compiles."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from venvpkg.errors import MissingToolError
from venvpkg.host.runner import Command

if TYPE_CHECKING:
    from venvpkg.host.runner import Runner

# dpkg's own path features are switched off: they would map this process's directory, and so put it into the flags.
_OPTIONS = "hardening=+all reproducible=-fixfilepath,-fixdebugpath"
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


def read_flags(runner: Runner) -> dict[str, str]:
    """Return dpkg-buildflags' answer; see ``Traits``.

    Source:
        dpkg-buildflags(1).
    """
    done = runner.run(
        Command(
            ("/usr/bin/dpkg-buildflags", "--export=cmdline"),
            env={"DEB_BUILD_MAINT_OPTIONS": _OPTIONS, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            clean=True,
            timeout_s=60,
        )
    )
    if not done.ok:
        raise MissingToolError(
            [f"dpkg-buildflags, for compiling wheels: {done.outcome()} {done.errors.strip()[-300:]}".rstrip()],
            install=["dpkg-dev"],
        )
    return _flags(done.text)


def _flags(text: str) -> dict[str, str]:
    try:
        words = shlex.split(text)
    except ValueError:
        words = [""]
    pairs = [word.partition("=") for word in words]
    if not pairs or not all(_VARIABLE.fullmatch(name) and equals for name, equals, _ in pairs):
        raise MissingToolError(
            [f"a dpkg-buildflags that answers with flags; this one says {text.strip()[:200]!r}"], install=["dpkg-dev"]
        )
    return {name: flags for name, _, flags in pairs}
