"""Migrations of the database schema."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

_FILE_NAME = re.compile(r"([0-9]+)_([a-z0-9_]+)\.sql")
_CREATE_HISTORY = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at REAL NOT NULL
)
"""


class MigrationError(Exception):
    """The database cannot be migrated."""


class MigrationFailed(MigrationError):
    """A migration failed and was undone; `applied` are those that were applied before it by the same call."""

    def __init__(self, migration: Migration, applied: list[Migration], reason: str) -> None:
        super().__init__(f"migration {migration.number} {migration.name} failed: {reason}")
        self.number = migration.number
        self.applied = applied


@dataclass(frozen=True)
class Migration:
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.replace("\r\n", "\n").encode("utf-8")).hexdigest()


def load_migrations(folder: str | Path) -> list[Migration]:
    """Return the migrations of a folder in the order of their numbers."""
    migrations: dict[int, Migration] = {}
    for path in Path(folder).iterdir():
        match = _FILE_NAME.fullmatch(path.name)
        if not match:
            continue
        number = int(match[1])
        if number in migrations:
            raise MigrationError(f"two migrations have the number {number}")
        migrations[number] = Migration(number, match[2], path.read_bytes().decode("utf-8"))
    return [migrations[number] for number in sorted(migrations)]


def applied_numbers(connection: sqlite3.Connection) -> list[int]:
    return sorted(_history(connection))


def migrate(
    connection: sqlite3.Connection,
    migrations: Iterable[Migration],
    target: int | None = None,
    clock: Callable[[], float] = time.time,
) -> list[Migration]:
    """Apply the pending migrations up to and including the number `target`, and return them."""
    known = {migration.number: migration for migration in migrations}
    if target is not None and target not in known:
        raise ValueError(f"no migration has the number {target}")
    history = _history(connection)
    _check_history(known, history)
    applied: list[Migration] = []
    for number in sorted(known.keys() - history.keys()):
        if target is not None and number > target:
            break
        _apply(connection, known[number], applied, clock)
    return applied


def _history(connection: sqlite3.Connection) -> dict[int, str]:
    """Return the checksums of the applied migrations by number."""
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'"
    if not connection.execute(query).fetchone():
        return {}
    return dict(connection.execute("SELECT number, checksum FROM schema_migrations"))


def _check_history(known: dict[int, Migration], history: dict[int, str]) -> None:
    for number, checksum in history.items():
        if number not in known:
            raise MigrationError(f"migration {number} was applied and is no longer there")
        if known[number].checksum != checksum:
            raise MigrationError(f"migration {number} was changed after it was applied")
    late = [number for number in known.keys() - history.keys() if number < max(history, default=0)]
    if late:
        raise MigrationError(f"migration {min(late)} is older than one that was applied")


def _apply(
    connection: sqlite3.Connection, migration: Migration, applied: list[Migration], clock: Callable[[], float]
) -> None:
    try:
        connection.executescript(migration.sql)
        connection.execute(_CREATE_HISTORY)
        connection.execute(
            "INSERT INTO schema_migrations VALUES (?, ?, ?, ?)",
            (migration.number, migration.name, migration.checksum, clock()),
        )
        connection.commit()
    except sqlite3.Error as error:
        raise MigrationFailed(migration, applied, str(error)) from error
    else:
        applied.append(migration)
    finally:
        if connection.in_transaction:
            connection.rollback()
