"""The pieces of each article.

`hold`, `release` and `take` are steps of larger operations and run inside the transaction of the caller.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from db import transaction
from errors import OutOfStock, UnknownSku


@dataclass(frozen=True)
class Stock:
    on_hand: int
    reserved: int

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


def get_stock(connection: sqlite3.Connection, sku: str) -> Stock:
    row = connection.execute("SELECT on_hand, reserved FROM stock WHERE sku = ?", (sku,)).fetchone()
    if row is None:
        raise UnknownSku(sku)
    return Stock(*row)


def restock(connection: sqlite3.Connection, sku: str, quantity: int) -> None:
    """Add delivered pieces of a known or new article."""
    if quantity < 1:
        raise ValueError("quantity must be at least 1")
    with transaction(connection):
        try:
            stock = get_stock(connection, sku)
        except UnknownSku:
            stock = Stock(0, 0)
        _store(connection, sku, Stock(stock.on_hand + quantity, stock.reserved))


def hold(connection: sqlite3.Connection, sku: str, quantity: int) -> None:
    """Reserve pieces."""
    stock = get_stock(connection, sku)
    if stock.available < quantity:
        raise OutOfStock(sku)
    _store(connection, sku, Stock(stock.on_hand, stock.reserved + quantity))


def release(connection: sqlite3.Connection, sku: str, quantity: int) -> None:
    """Make reserved pieces available again."""
    stock = get_stock(connection, sku)
    _store(connection, sku, Stock(stock.on_hand, stock.reserved - quantity))


def take(connection: sqlite3.Connection, sku: str, quantity: int) -> None:
    """Remove reserved pieces from the stock."""
    stock = get_stock(connection, sku)
    _store(connection, sku, Stock(stock.on_hand - quantity, stock.reserved - quantity))


def _store(connection: sqlite3.Connection, sku: str, stock: Stock) -> None:
    connection.execute(
        "INSERT INTO stock (sku, on_hand, reserved) VALUES (?, ?, ?) "
        "ON CONFLICT (sku) DO UPDATE SET on_hand = excluded.on_hand, reserved = excluded.reserved",
        (sku, stock.on_hand, stock.reserved),
    )
