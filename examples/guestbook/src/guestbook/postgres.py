"""Keeps entries in PostgreSQL."""

from __future__ import annotations

import uuid
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg2
import psycopg2.errors
from psycopg2.extensions import make_dsn, parse_dsn

from guestbook.entries import Entry, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import cursor

CONNECT_TIMEOUT_S = 5

_SCHEMA = """
CREATE TABLE IF NOT EXISTS guestbook_entry (
    uid uuid PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    message text NOT NULL CHECK (message <> ''),
    signed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS guestbook_entry_signed_at ON guestbook_entry (signed_at DESC, uid);
"""


class PostgresStore:
    """A Store in the database that ``dsn`` names (a libpq connection string or URI).

    Each call makes its own connection: nothing to share between workers, nothing to repair after the database
    restarted. A guestbook is not busy enough for a pool.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def create_schema(self) -> None:
        """Make the table and its index where they are missing."""
        with self._cursor() as database:
            database.execute(_SCHEMA)

    def sign(self, name: str, message: str) -> Entry:
        """Add an entry and return it."""
        uid = str(uuid.uuid4())
        with self._cursor() as database:
            database.execute(
                "INSERT INTO guestbook_entry (uid, name, message) VALUES (%s::uuid, %s, %s) RETURNING signed_at",
                (uid, name, message),
            )
            ((signed_at,),) = database.fetchall()
        return Entry(uid, name, message, signed_at)

    def newest(self, limit: int, offset: int = 0) -> list[Entry]:
        """Return at most ``limit`` entries, newest first, after skipping ``offset``."""
        with self._cursor() as database:
            database.execute(
                "SELECT uid::text, name, message, signed_at FROM guestbook_entry"
                " ORDER BY signed_at DESC, uid LIMIT %s OFFSET %s",
                (limit, offset),
            )
            return [Entry(*row) for row in database.fetchall()]

    def check(self) -> None:
        """Do nothing but prove that entries can be read."""
        self.newest(1)

    @contextmanager
    def _cursor(self) -> Iterator[cursor]:
        try:
            dsn = make_dsn(**{"connect_timeout": CONNECT_TIMEOUT_S, **parse_dsn(self._dsn)})
            with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as database:
                yield database
        except psycopg2.errors.UndefinedTable as error:
            raise StoreError("The database has no table for entries yet; run: guestbook init-db") from error
        except psycopg2.Error as error:
            raise StoreError(f"The database cannot be used: {str(error).strip()}") from error
