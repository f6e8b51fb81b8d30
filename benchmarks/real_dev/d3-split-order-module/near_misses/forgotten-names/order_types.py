"""What an order is, and what can be wrong with one."""

from __future__ import annotations

from dataclasses import dataclass


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
