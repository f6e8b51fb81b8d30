"""Connections and transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS stock (
    sku TEXT PRIMARY KEY,
    on_hand INTEGER NOT NULL,
    reserved INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS orders (
    order_id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    reserved_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS order_items (
    order_id TEXT NOT NULL REFERENCES orders,
    sku TEXT NOT NULL REFERENCES stock,
    quantity INTEGER NOT NULL
);
"""


def connect(path: str | Path) -> sqlite3.Connection:
    """A connection of one worker; creates the tables in a new file."""
    connection = sqlite3.connect(path, timeout=10, isolation_level=None)
    connection.executescript(SCHEMA)
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block as one transaction, which is rolled back if the block raises.

    The transaction begins with the block, so what the block reads belongs to it.
    """
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
