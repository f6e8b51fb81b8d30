"""What the shop earned by the bikes that are sold."""

from __future__ import annotations

import sqlite3


def margin_by_brand(connection: sqlite3.Connection) -> dict[str, int]:
    rows = connection.execute(
        "SELECT brand, SUM(price - bought_for) FROM bikes WHERE sold AND bought_for IS NOT NULL"
        " GROUP BY brand ORDER BY brand"
    )
    return dict(rows)
