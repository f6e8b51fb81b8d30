"""How many packs of each tea are left."""

from __future__ import annotations

from order_types import Order, OutOfStock, quantities

stock_levels: dict[str, int] = {}


def restock(tea: str, packs: int) -> None:
    stock_levels[tea] = stock_levels.get(tea, 0) + packs


def reserve(order: Order) -> None:
    """Take the packs of an order out of stock: all of them, or none and OutOfStock."""
    wanted = quantities(order)
    missing = {}
    for tea, packs in wanted.items():
        level = stock_levels.get(tea, 0)
        if packs > level:
            missing[tea] = packs - level
    if missing:
        raise OutOfStock(missing)
    for tea, packs in wanted.items():
        stock_levels[tea] -= packs


def release(order: Order) -> None:
    """Put the packs of a cancelled order back."""
    for tea, packs in quantities(order).items():
        restock(tea, packs)
