"""The command ``guestbook``."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from guestbook.entries import StoreError
from guestbook.postgres import PostgresStore
from guestbook.server import Server
from guestbook.web import create_app

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_DATABASE = "dbname=guestbook"
DEFAULT_BIND = "127.0.0.1:8000"
WORKERS_MAX = 64


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 the database cannot be used, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    store = PostgresStore(os.environ.get("GUESTBOOK_DATABASE") or DEFAULT_DATABASE)
    if options.command == "serve":
        Server(create_app(store), bind=options.bind, workers=options.workers).run()
        return 0
    try:
        store.create_schema()
    except StoreError as error:
        print(f"guestbook: {error}", file=sys.stderr)
        print("guestbook: GUESTBOOK_DATABASE says which database is used.", file=sys.stderr)
        return 1
    print("The database is ready.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="guestbook",
        description="A guestbook for a web site.",
        epilog=f"GUESTBOOK_DATABASE: libpq connection string ({DEFAULT_DATABASE}). GUESTBOOK_BIND: where to listen.",
    )
    parser.add_argument("--version", action="version", version=f"guestbook {version('guestbook')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("init-db", help="make the table in the database; harmless when it is there")
    serve = commands.add_parser("serve", help="serve the guestbook over HTTP until told to stop")
    serve.add_argument(
        "--bind",
        metavar="ADDRESS:PORT",
        default=os.environ.get("GUESTBOOK_BIND") or DEFAULT_BIND,
        help="where to listen, or unix:PATH (default: %(default)s)",
    )
    serve.add_argument("--workers", type=_workers, default=2, metavar="N", help="processes (default: %(default)s)")
    return parser


def _workers(text: str) -> int:
    number = int(text)
    if not 1 <= number <= WORKERS_MAX:
        raise argparse.ArgumentTypeError(f"between 1 and {WORKERS_MAX}")
    return number
