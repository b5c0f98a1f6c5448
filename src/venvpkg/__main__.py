"""``python -m venvpkg``, and the console script."""

from __future__ import annotations

import os
import signal
import sys


def run() -> None:
    """Run the command line and end with its exit code, also when Ctrl-C comes while it is imported or cleans up."""
    try:
        _ensure_utf8()
        from venvpkg.cli.main import main  # noqa: PLC0415 - a traceback from here is what Ctrl-C would show

        code = main()
    except KeyboardInterrupt:
        _ignore_interrupts()
        sys.stderr.write("Interrupted.\n")
        code = 128 + signal.SIGINT
    _ignore_interrupts()
    sys.exit(code)


def _ensure_utf8() -> None:
    """Restart in Python's UTF-8 mode if the locale has another encoding.

    File names in projects and wheels are UTF-8, whatever the user's locale. In another encoding, a module
    ``modul\u00e9.py`` would be packaged under another name.

    Source:
        PEP 540.
    """
    if sys.getfilesystemencoding() != "utf-8":
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 - this very program


def _ignore_interrupts() -> None:
    """Let nothing end what has ended: Python takes its handlers away last, and a signal would then be the outcome."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    run()
