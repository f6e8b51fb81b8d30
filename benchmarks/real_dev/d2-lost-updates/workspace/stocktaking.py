"""The list for the yearly stocktaking."""

from __future__ import annotations

import sqlite3


def stock_list(connection: sqlite3.Connection) -> str:
    """All articles with their pieces, as a table with tabs."""
    rows = connection.execute("SELECT sku, on_hand, reserved FROM stock ORDER BY sku")
    lines = ["sku\ton hand\treserved", *("\t".join(map(str, row)) for row in rows)]
    return "\n".join(lines) + "\n"
