"""A copy of the data as plain rows, for the weekly mail to the board."""

from __future__ import annotations

import sqlite3


def rows(connection: sqlite3.Connection) -> dict[str, list[tuple]]:
    return {
        "tickets": connection.execute("SELECT * FROM tickets ORDER BY id").fetchall(),
        "log": connection.execute("SELECT * FROM log ORDER BY id").fetchall(),
    }
