"""What an order costs, in cents."""

from __future__ import annotations

from order_types import Line, Order, UnknownTea, quantities

PRICES = {"assam": 890, "ceylon": 640, "darjeeling": 1250, "oolong": 1480, "rooibos": 520}

DISCOUNT_FROM = 10
DISCOUNT_PERCENT = 7
SHIPPING = 490

free_shipping_from = 6000


def set_free_shipping_from(cents: int) -> None:
    """Ship orders without charge from this value of goods on."""
    global free_shipping_from
    if cents < 0:
        raise ValueError("cents must not be negative")
    free_shipping_from = cents


def line_cents(line: Line) -> int:
    try:
        return PRICES[line.tea] * line.packs
    except KeyError:
        raise UnknownTea(line.tea) from None


def discount_cents(order: Order) -> int:
    """The discount on each tea of which at least DISCOUNT_FROM packs are ordered, rounded down per tea."""
    discount = 0
    for tea, packs in quantities(order).items():
        if packs >= DISCOUNT_FROM:
            discount += line_cents(Line(tea, packs)) * DISCOUNT_PERCENT // 100
    return discount


def shipping_cents(order: Order) -> int:
    return 0 if _goods_cents(order) >= free_shipping_from else SHIPPING


def total_cents(order: Order) -> int:
    return _goods_cents(order) + shipping_cents(order)


def _goods_cents(order: Order) -> int:
    return sum(line_cents(line) for line in order.lines) - discount_cents(order)
