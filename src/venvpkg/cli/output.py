"""Where a command's words go: results to standard output, the rest to standard error; for programs, events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from venvpkg.console import Verbosity
from venvpkg.console.events import Both, Events

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TextIO

    from venvpkg.console import Reporter
    from venvpkg.console.terminal import Console
    from venvpkg.errors import VenvpkgError


class Output:
    """What one run of venvpkg says; ``main`` makes it, and it is click's object for every command.

    Args:
        stdout: results, or events.
        stderr: for people.
        environment: venvpkg's own.
        as_json: events are wanted.
    """

    def __init__(self, stdout: TextIO, stderr: TextIO, environment: Mapping[str, str], *, as_json: bool) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._environment = environment
        self._events = Events(stdout) if as_json else None
        self._console: Console | None = None
        self.verbosity = Verbosity.NORMAL

    @property
    def reporter(self) -> Reporter:
        """What hears what happens in this run, as loud as ``verbosity`` was when it was first asked for."""
        return Both(self._people(), self._events) if self._events is not None else self._people()

    @property
    def as_json(self) -> bool:
        """Whether events are wanted."""
        return self._events is not None

    def result(self, command: str, text: str, facts: Mapping[str, object]) -> None:
        """Give a command's result: ``text`` to people, ``facts`` to programs."""
        if self._events is not None:
            self._events.result(command, facts)
        elif text:
            click.echo(text, file=self._stdout, nl=not text.endswith("\n"))

    def error(self, error: VenvpkgError) -> None:
        """Tell people and programs of a failure."""
        self.close()
        self._people().error(error.brief, error.details, error.resolution)
        self.failure(error.exit_code, error.brief, error.details, error.resolution)

    def setback(self, subject: str, error: VenvpkgError) -> None:
        """Tell of the failure of a part, after which the command goes on."""
        self._people().error(f"{subject}: {error.brief}", error.details, error.resolution)
        if self._events is not None:
            self._events.with_target(subject).warn("\n".join(part for part in (error.brief, error.details) if part))

    def failure(self, exit_code: int, brief: str, details: str = "", resolution: str = "") -> None:
        """Tell programs of a failure that people hear of otherwise."""
        if self._events is not None:
            self._events.error(exit_code, brief, details, resolution)

    def close(self) -> None:
        """Give the terminal back, whatever still runs."""
        if self._console is not None:
            self._console.close()

    def require_written(self) -> None:
        """Raise what standard output refused.

        Raises:
            OSError: an event could not be written.
        """
        if self._events is not None:
            self._events.close()

    def _people(self) -> Console:
        if self._console is None:
            from venvpkg.console.terminal import Console  # noqa: PLC0415 - rich, which --help does not need

            # Events on the same terminal would run through the display.
            live = self._stderr.isatty() and not (self.as_json and self._stdout.isatty())
            self._console = Console(self._stderr, self.verbosity, self._environment, live=live)
        return self._console


def current_output() -> Output:
    """Return the output of the command that runs."""
    output = click.get_current_context().find_object(Output)
    if output is None:
        raise RuntimeError("a command was called without main")
    return output


def tell(text: str | Iterable[str], facts: Mapping[str, object]) -> None:
    """Give the result of the command that runs to standard output.

    Args:
        text: for people; lines, or text that ends with a newline or gets one. Nothing is printed when it is empty.
        facts: for programs, as docs/events.schema.json describes them for this command; JSON.
    """
    command = click.get_current_context().command_path.partition(" ")[2]
    current_output().result(command, text if isinstance(text, str) else "\n".join(text), facts)
