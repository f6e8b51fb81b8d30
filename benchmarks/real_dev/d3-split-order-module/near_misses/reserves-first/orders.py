"""Orders of the Copper Kettle tea shop: the one module that others import."""

from __future__ import annotations

from itertools import count

import pricing
from mail_text import confirmation_mail, format_cents, regret_mail
from order_types import Line, Order, OrderError, OutOfStock, Receipt, UnknownTea, quantities
from pricing import (
    PRICES,
    discount_cents,
    line_cents,
    set_free_shipping_from,
    shipping_cents,
    total_cents,
)
from stock import release, reserve, restock, stock_levels

__all__ = [  # noqa: F822 - free_shipping_from comes from __getattr__
    "Line",
    "Order",
    "OrderError",
    "OutOfStock",
    "PRICES",
    "Receipt",
    "UnknownTea",
    "confirmation_mail",
    "discount_cents",
    "format_cents",
    "free_shipping_from",
    "line_cents",
    "place_order",
    "quantities",
    "regret_mail",
    "release",
    "reserve",
    "restock",
    "set_free_shipping_from",
    "shipping_cents",
    "stock_levels",
    "total_cents",
]

_numbers = count(1001)


def __getattr__(name: str) -> int:
    # The setting can change, so it is read where it lives.
    if name == "free_shipping_from":
        return pricing.free_shipping_from
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def place_order(order: Order) -> Receipt:
    """Price an order, reserve its packs and give it a number."""
    reserve(order)
    total = total_cents(order)
    number = next(_numbers)
    return Receipt(number, total, confirmation_mail(order, number))
