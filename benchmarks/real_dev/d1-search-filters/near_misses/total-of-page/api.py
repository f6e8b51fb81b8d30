"""Requests of the shop's web site. The web server calls these functions and sends what they return as JSON."""

from __future__ import annotations

import sqlite3

from filters import parse_search

COLUMNS = ("id", "brand", "model", "price", "year", "weight", "sold")


def get_bike(connection: sqlite3.Connection, bike_id: int) -> tuple[int, dict]:
    row = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM bikes WHERE id = ?", (bike_id,)).fetchone()
    return (200, as_bike(row)) if row else (404, {"error": "no such bike"})


def search_bikes(connection: sqlite3.Connection, query: str) -> tuple[int, dict]:
    """Answer GET /bikes?QUERY; `query` is the query string as it was sent."""
    search, errors = parse_search(query)
    if errors:
        return 400, {"errors": errors}
    rows = connection.execute(
        f"SELECT {', '.join(COLUMNS)} FROM bikes WHERE {search.where} ORDER BY {search.order_by} LIMIT ? OFFSET ?",
        [*search.values, search.limit, search.offset],
    ).fetchall()
    return 200, {"bikes": [as_bike(row) for row in rows], "total": len(rows)}


def as_bike(row: tuple) -> dict:
    bike = dict(zip(COLUMNS, row, strict=True))
    bike["sold"] = bool(bike["sold"])
    return bike
