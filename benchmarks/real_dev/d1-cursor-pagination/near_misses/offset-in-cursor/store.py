"""Sightings in SQLite."""

from __future__ import annotations

import sqlite3

SCHEMA = """
CREATE TABLE IF NOT EXISTS sightings (
    id INTEGER PRIMARY KEY,
    species TEXT NOT NULL,
    place TEXT NOT NULL,
    seen_at TEXT NOT NULL  -- UTC, YYYY-MM-DDTHH:MM:SSZ
);
CREATE INDEX IF NOT EXISTS sightings_by_time ON sightings (seen_at DESC, id);
"""


class SightingStore:
    def __init__(self, path: str = ":memory:") -> None:
        self._connection = sqlite3.connect(path)
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript(SCHEMA)

    def add(self, species: str, place: str, seen_at: str) -> int:
        with self._connection:
            cursor = self._connection.execute(
                "INSERT INTO sightings (species, place, seen_at) VALUES (?, ?, ?)", (species, place, seen_at)
            )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def delete(self, sighting_id: int) -> None:
        with self._connection:
            self._connection.execute("DELETE FROM sightings WHERE id = ?", (sighting_id,))

    def get(self, sighting_id: int) -> dict | None:
        row = self._connection.execute("SELECT * FROM sightings WHERE id = ?", (sighting_id,)).fetchone()
        return dict(row) if row else None

    def all(self, species: str | None = None) -> list[dict]:
        """Return the sightings, newest first, optionally of one species only."""
        rows = self._connection.execute(
            "SELECT * FROM sightings WHERE ? IS NULL OR species = ? ORDER BY seen_at DESC, id", (species, species)
        )
        return [dict(row) for row in rows]

    def page(self, limit: int, species: str | None = None, offset: int = 0) -> list[dict]:
        """Return at most `limit` sightings in the order of `all` from `offset` on."""
        conditions: list[str] = ["1"]
        values: list[str | int] = []
        if species is not None:
            conditions.append("species = ?")
            values.append(species)
        rows = self._connection.execute(
            f"SELECT * FROM sightings WHERE {' AND '.join(conditions)} ORDER BY seen_at DESC, id LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )
        return [dict(row) for row in rows]
