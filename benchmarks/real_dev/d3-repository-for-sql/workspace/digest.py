"""The sheet on the door: who still waits for something."""

from __future__ import annotations

import sqlite3


def digest(db: sqlite3.Connection) -> str:
    rows = db.execute(
        "SELECT owner, COUNT(*) FROM tickets WHERE closed = 0 GROUP BY owner ORDER BY COUNT(*) DESC, owner"
    ).fetchall()
    if not rows:
        return "Nobody is waiting."
    return "\n".join(f"{owner}: {count} waiting" for owner, count in rows)
