"""What visitors and fixers of the repair café can do."""

from __future__ import annotations

import sqlite3

SORTS = {"newest": "id DESC", "oldest": "id", "owner": "owner, id"}


class Conflict(Exception):
    """The ticket is not in the state that the request needs."""


def open_ticket(db: sqlite3.Connection, owner: str, item: str, notes: str = "") -> int:
    if not owner.strip() or not item.strip():
        raise ValueError("owner and item must not be blank")
    with db:
        cursor = db.execute("INSERT INTO tickets (owner, item, notes) VALUES (?, ?, ?)", (owner, item, notes))
        ticket_id = cursor.lastrowid
        db.execute("INSERT INTO log (ticket_id, entry) VALUES (?, ?)", (ticket_id, f"opened by {owner}"))
    return ticket_id


def show_ticket(db: sqlite3.Connection, ticket_id: int) -> dict | None:
    row = db.execute("SELECT id, owner, item, notes, fixer, closed FROM tickets WHERE id = ?", (ticket_id,)).fetchone()
    return _as_dict(row) if row else None


def take_ticket(db: sqlite3.Connection, ticket_id: int, fixer: str) -> None:
    with db:
        cursor = db.execute(
            "UPDATE tickets SET fixer = ? WHERE id = ? AND fixer IS NULL AND closed = 0", (fixer, ticket_id)
        )
        if cursor.rowcount == 0:
            raise Conflict(f"ticket {ticket_id} cannot be taken")
        db.execute("INSERT INTO log (ticket_id, entry) VALUES (?, ?)", (ticket_id, f"taken by {fixer}"))


def close_ticket(db: sqlite3.Connection, ticket_id: int, fixer: str) -> None:
    with db:
        cursor = db.execute(
            "UPDATE tickets SET closed = 1 WHERE id = ? AND fixer = ? AND closed = 0", (ticket_id, fixer)
        )
        if cursor.rowcount == 0:
            raise Conflict(f"ticket {ticket_id} cannot be closed by {fixer}")
        db.execute("INSERT INTO log (ticket_id, entry) VALUES (?, ?)", (ticket_id, f"closed by {fixer}"))


def search(db: sqlite3.Connection, text: str, sort: str = "newest") -> list[dict]:
    """The tickets with the text in item or notes."""
    if sort not in SORTS:
        raise ValueError(f"no such sort order: {sort}")
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = db.execute(
        "SELECT id, owner, item, notes, fixer, closed FROM tickets "
        r"WHERE item LIKE :like ESCAPE '\' OR notes LIKE :like ESCAPE '\' "
        f"ORDER BY {SORTS[sort]}",
        {"like": f"%{escaped}%"},
    )
    return [_as_dict(row) for row in rows]


def rename_owner(db: sqlite3.Connection, old: str, new: str) -> int:
    """Give all tickets of one owner another owner, and return how many there were."""
    if not new.strip():
        raise ValueError("owner must not be blank")
    with db:
        ids = [row[0] for row in db.execute("SELECT id FROM tickets WHERE owner = ? ORDER BY id", (old,))]
        db.execute("UPDATE tickets SET owner = ? WHERE owner = ?", (new, old))
        entries = [(ticket_id, f"owner {old} is now {new}") for ticket_id in ids]
        db.executemany("INSERT INTO log (ticket_id, entry) VALUES (?, ?)", entries)
    return len(ids)


def history(db: sqlite3.Connection, ticket_id: int) -> list[str]:
    return [row[0] for row in db.execute("SELECT entry FROM log WHERE ticket_id = ? ORDER BY id", (ticket_id,))]


def _as_dict(row: tuple) -> dict:
    ticket_id, owner, item, notes, fixer, closed = row
    state = "closed" if closed else "taken" if fixer else "open"
    return {"id": ticket_id, "owner": owner, "item": item, "notes": notes, "fixer": fixer, "state": state}
