"""Write what a command reports: results to standard output, the rest to standard error, or all as JSON events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from venvpkg.console import Verbosity
from venvpkg.console.events import Both, Events
from venvpkg.text import hide_passwords

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TextIO

    from venvpkg.console import Reporter
    from venvpkg.console.terminal import Console
    from venvpkg.errors import VenvpkgError


class Output:
    """The output of one run of venvpkg; ``main`` creates it, and commands get it as click's context object.

    Args:
        stdout: gets results, or events.
        stderr: gets text for people.
        environ: venvpkg's own environment variables.
        as_json: whether to write events.
    """

    def __init__(self, stdout: TextIO, stderr: TextIO, environ: Mapping[str, str], *, as_json: bool) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._environ = environ
        self._events = Events(stdout) if as_json else None
        self._console: Console | None = None
        self.verbosity = Verbosity.NORMAL

    @property
    def reporter(self) -> Reporter:
        """The reporter of this run, with the ``verbosity`` that was set when it was first used."""
        return Both(self._terminal(), self._events) if self._events is not None else self._terminal()

    @property
    def as_json(self) -> bool:
        """Whether events are written."""
        return self._events is not None

    def write_result(self, command: str, text: str, facts: Mapping[str, object]) -> None:
        """Write a command's result: ``text`` for people, or ``facts`` as an event."""
        if self._events is not None:
            self._events.result(command, facts)
        elif text:
            click.echo(hide_passwords(text), file=self._stdout, nl=not text.endswith("\n"))

    def report_error(self, error: VenvpkgError) -> None:
        """Report the failure of the command, to people and as an event."""
        self.close()
        self._terminal().error(error.brief, error.details, error.resolution)
        self.write_error_event(error.exit_code, error.brief, error.details, error.resolution)

    def report_target_failure(self, target: str, error: VenvpkgError) -> None:
        """Report the failure of one of several targets, after which the command continues."""
        self._terminal().error(f"{target}: {error.brief}", error.details, error.resolution)
        if self._events is not None:
            self._events.with_target(target).warn("\n".join(part for part in (error.brief, error.details) if part))

    def write_error_event(self, exit_code: int, brief: str, details: str = "", resolution: str = "") -> None:
        """Write the event of a failure that is reported to people in another way."""
        if self._events is not None:
            self._events.error(exit_code, brief, details, resolution)

    def close(self) -> None:
        """Restore the terminal, even if tasks are still running."""
        if self._console is not None:
            self._console.close()

    def require_written(self) -> None:
        """Raise the error of an event that could not be written.

        Raises:
            OSError: an event could not be written.
        """
        if self._events is not None:
            self._events.close()

    def _terminal(self) -> Console:
        if self._console is None:
            from venvpkg.console.terminal import Console  # noqa: PLC0415 - rich, which --help does not need

            # Events on the same terminal would garble the live display.
            live = self._stderr.isatty() and not (self.as_json and self._stdout.isatty())
            self._console = Console(self._stderr, self.verbosity, self._environ, live=live)
        return self._console


def current_output() -> Output:
    """Return the output of the current command."""
    output = click.get_current_context().find_object(Output)
    if output is None:
        raise RuntimeError("a command was called without main")
    return output


def print_result(text: str | Iterable[str], facts: Mapping[str, object]) -> None:
    """Write the result of the current command to standard output.

    Args:
        text: for people: lines, or text, which gets a final newline if it has none. Nothing is printed if it is empty.
        facts: for ``--json``, as docs/events.schema.json describes them for this command.
    """
    command = click.get_current_context().command_path.partition(" ")[2]
    current_output().write_result(command, text if isinstance(text, str) else "\n".join(text), facts)
