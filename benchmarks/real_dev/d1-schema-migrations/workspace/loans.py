"""Lending and taking back tools."""

from __future__ import annotations

import sqlite3


def lend(connection: sqlite3.Connection, member_id: int, tool: str) -> int:
    with connection:
        cursor = connection.execute("INSERT INTO loans (member_id, tool) VALUES (?, ?)", (member_id, tool))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def take_back(connection: sqlite3.Connection, loan_id: int) -> None:
    with connection:
        connection.execute("UPDATE loans SET returned = 1 WHERE id = ?", (loan_id,))
