"""Deliveries from the wholesaler."""

from orders import restock, stock_levels

REORDER_BELOW = 12


def receive(delivery: dict[str, int]) -> None:
    for tea, packs in delivery.items():
        restock(tea, packs)


def to_reorder() -> list[str]:
    return sorted(tea for tea, packs in stock_levels.items() if packs < REORDER_BELOW)
