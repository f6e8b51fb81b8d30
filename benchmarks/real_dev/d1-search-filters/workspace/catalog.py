"""The second-hand bicycles of the shop, in SQLite."""

from __future__ import annotations

import sqlite3
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS bikes (
    id INTEGER PRIMARY KEY,
    brand TEXT NOT NULL,
    model TEXT NOT NULL,
    price INTEGER NOT NULL,           -- cents
    year INTEGER NOT NULL,
    weight REAL,                      -- kilograms, NULL: not weighed yet
    sold INTEGER NOT NULL DEFAULT 0,  -- 0 or 1
    bought_for INTEGER                -- cents, for our eyes only
);
"""


def connect(path: str | Path = ":memory:") -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    create_schema(connection)
    return connection


def create_schema(connection: sqlite3.Connection) -> None:
    connection.executescript(SCHEMA)


def add_bike(
    connection: sqlite3.Connection,
    brand: str,
    model: str,
    price: int,
    year: int,
    weight: float | None = None,
    sold: bool = False,
    bought_for: int | None = None,
) -> int:
    with connection:
        cursor = connection.execute(
            "INSERT INTO bikes (brand, model, price, year, weight, sold, bought_for) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (brand, model, price, year, weight, sold, bought_for),
        )
    assert cursor.lastrowid is not None
    return cursor.lastrowid
