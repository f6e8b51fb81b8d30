"""Orders of the Copper Kettle tea shop: types, prices, stock and mail texts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

__all__ = [
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

PRICES = {"assam": 890, "ceylon": 640, "darjeeling": 1250, "oolong": 1480, "rooibos": 520}

DISCOUNT_FROM = 10
DISCOUNT_PERCENT = 7
SHIPPING = 490

free_shipping_from = 6000
stock_levels: dict[str, int] = {}

_numbers = count(1001)


class OrderError(Exception):
    """An order cannot be carried out."""


class UnknownTea(OrderError):
    def __init__(self, tea: str) -> None:
        super().__init__(f"we do not sell {tea}")
        self.tea = tea


class OutOfStock(OrderError):
    def __init__(self, missing: dict[str, int]) -> None:
        super().__init__("out of stock: " + ", ".join(sorted(missing)))
        self.missing = missing


@dataclass(frozen=True)
class Line:
    tea: str
    packs: int


@dataclass(frozen=True)
class Order:
    customer: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Receipt:
    number: int
    total: int
    mail: str


def quantities(order: Order) -> dict[str, int]:
    """Packs per tea; an order may name a tea on several lines."""
    packs: dict[str, int] = {}
    for line in order.lines:
        packs[line.tea] = packs.get(line.tea, 0) + line.packs
    return packs


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
    goods = sum(line_cents(line) for line in order.lines) - discount_cents(order)
    return 0 if goods >= free_shipping_from else SHIPPING


def total_cents(order: Order) -> int:
    goods = sum(line_cents(line) for line in order.lines) - discount_cents(order)
    return goods + shipping_cents(order)


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


def format_cents(cents: int) -> str:
    return f"EUR {cents // 100}.{cents % 100:02}"


def confirmation_mail(order: Order, number: int) -> str:
    rows = [f"{line.packs} x {line.tea}: {format_cents(line_cents(line))}" for line in order.lines]
    if discount := discount_cents(order):
        rows.append(f"Discount: -{format_cents(discount)}")
    rows.append(f"Shipping: {format_cents(shipping_cents(order))}")
    rows.append(f"Total: {format_cents(total_cents(order))}")
    return "\n".join([f"Dear {order.customer},", f"thank you for order {number}.", *rows])


def regret_mail(order: Order, missing: dict[str, int]) -> str:
    rows = [f"{packs} x {tea} too few" for tea, packs in sorted(missing.items())]
    return "\n".join([f"Dear {order.customer},", "we cannot fill your order yet:", *rows])


def place_order(order: Order) -> Receipt:
    """Price an order, reserve its packs and give it a number."""
    total = total_cents(order)
    reserve(order)
    number = next(_numbers)
    return Receipt(number, total, confirmation_mail(order, number))
