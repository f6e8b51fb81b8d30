"""All access to the tickets of the repair café."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

_TICKET = "SELECT id, owner, item, notes, fixer, closed FROM tickets"
_SORTS = {"newest": "id DESC", "oldest": "id", "owner": "owner, id"}


@dataclass(frozen=True)
class Ticket:
    id: int
    owner: str
    item: str
    notes: str
    fixer: str | None
    closed: bool


class TicketRepository:
    """Each method that changes something is one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, owner: str, item: str, notes: str) -> int:
        with self._connection:
            ticket_id = self._connection.execute(
                "INSERT INTO tickets (owner, item, notes) VALUES (?, ?, ?)", (owner, item, notes)
            ).lastrowid
            assert ticket_id is not None
            self._log([ticket_id], f"opened by {owner}")
        return ticket_id

    def get(self, ticket_id: int) -> Ticket | None:
        row = self._connection.execute(f"{_TICKET} WHERE id = ?", (ticket_id,)).fetchone()
        return _ticket(row) if row else None

    def assign(self, ticket_id: int, fixer: str) -> bool:
        with self._connection:
            changed = self._connection.execute(
                "UPDATE tickets SET fixer = ? WHERE id = ? AND fixer IS NULL AND closed = 0", (fixer, ticket_id)
            ).rowcount
            if changed:
                self._log([ticket_id], f"taken by {fixer}")
        return changed > 0

    def close(self, ticket_id: int, fixer: str) -> bool:
        with self._connection:
            changed = self._connection.execute(
                "UPDATE tickets SET closed = 1 WHERE id = ? AND fixer = ? AND closed = 0", (ticket_id, fixer)
            ).rowcount
            if changed:
                self._log([ticket_id], f"closed by {fixer}")
        return changed > 0

    def search(self, text: str, sort: str) -> list[Ticket]:
        """The tickets with the text in item or notes."""
        if sort not in _SORTS:
            raise ValueError(f"no such sort order: {sort}")
        escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        rows = self._connection.execute(
            f"{_TICKET} WHERE item LIKE :like ESCAPE '\\' OR notes LIKE :like ESCAPE '\\' ORDER BY {_SORTS[sort]}",
            {"like": f"%{escaped}%"},
        )
        return [_ticket(row) for row in rows]

    def rename_owner(self, old: str, new: str) -> int:
        with self._connection:
            rows = self._connection.execute("SELECT id FROM tickets WHERE owner = ? ORDER BY id", (old,))
            ids = [ticket_id for (ticket_id,) in rows]
            self._connection.execute("UPDATE tickets SET owner = ? WHERE owner = ?", (new, old))
            self._log(ids, f"owner {old} is now {new}")
        return len(ids)

    def history(self, ticket_id: int) -> list[str]:
        rows = self._connection.execute("SELECT entry FROM log WHERE ticket_id = ? ORDER BY id", (ticket_id,))
        return [entry for (entry,) in rows]

    def open_counts(self) -> list[tuple[str, int]]:
        """Owners with tickets not closed, those with the most first, then by name."""
        return self._connection.execute(
            "SELECT owner, COUNT(*) FROM tickets WHERE closed = 0 GROUP BY owner ORDER BY COUNT(*) DESC, owner"
        ).fetchall()

    def _log(self, ticket_ids: list[int], entry: str) -> None:
        self._connection.executemany(
            "INSERT INTO log (ticket_id, entry) VALUES (?, ?)", [(ticket_id, entry) for ticket_id in ticket_ids]
        )


def _ticket(row: tuple) -> Ticket:
    *values, closed = row
    return Ticket(*values, closed=bool(closed))
