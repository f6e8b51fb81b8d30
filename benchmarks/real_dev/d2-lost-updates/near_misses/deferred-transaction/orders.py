"""Orders that reserve pieces and later ship or give them back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping

import inventory
from db import transaction
from errors import DuplicateOrder, UnknownOrder

Step = Callable[[sqlite3.Connection, str, int], None]


def reserve(connection: sqlite3.Connection, order_id: str, items: Mapping[str, int], now: int) -> None:
    """Reserve all items for a new order, or nothing."""
    if not items or min(items.values()) < 1:
        raise ValueError("an order needs items with quantities of at least 1")
    with transaction(connection):
        if _state(connection, order_id) is not None:
            raise DuplicateOrder(order_id)
        for sku, quantity in items.items():
            inventory.hold(connection, sku, quantity)
        connection.execute("INSERT INTO orders VALUES (?, 'open', ?)", (order_id, now))
        connection.executemany(
            "INSERT INTO order_items VALUES (?, ?, ?)",
            [(order_id, sku, quantity) for sku, quantity in items.items()],
        )


def cancel(connection: sqlite3.Connection, order_id: str) -> bool:
    """Give the pieces of an open order back; returns whether it was open."""
    with transaction(connection):
        if not _is_open(connection, order_id):
            return False
        _close(connection, order_id, "cancelled", inventory.release)
    return True


def ship(connection: sqlite3.Connection, order_id: str) -> bool:
    """Take the pieces of an open order out of the stock; returns whether it was open."""
    with transaction(connection):
        if not _is_open(connection, order_id):
            return False
        _close(connection, order_id, "shipped", inventory.take)
    return True


def expire(connection: sqlite3.Connection, before: int) -> list[str]:
    """Cancel the open orders that were reserved before a point in time; returns their ids."""
    with transaction(connection):
        rows = connection.execute(
            "SELECT order_id FROM orders WHERE state = 'open' AND reserved_at < ? ORDER BY order_id", (before,)
        ).fetchall()
        for (order_id,) in rows:
            _close(connection, order_id, "cancelled", inventory.release)
    return [order_id for (order_id,) in rows]


def _state(connection: sqlite3.Connection, order_id: str) -> str | None:
    row = connection.execute("SELECT state FROM orders WHERE order_id = ?", (order_id,)).fetchone()
    return row[0] if row else None


def _is_open(connection: sqlite3.Connection, order_id: str) -> bool:
    state = _state(connection, order_id)
    if state is None:
        raise UnknownOrder(order_id)
    return state == "open"


def _close(connection: sqlite3.Connection, order_id: str, state: str, step: Step) -> None:
    items = connection.execute("SELECT sku, quantity FROM order_items WHERE order_id = ?", (order_id,)).fetchall()
    for sku, quantity in items:
        step(connection, sku, quantity)
    connection.execute("UPDATE orders SET state = ? WHERE order_id = ?", (state, order_id))
