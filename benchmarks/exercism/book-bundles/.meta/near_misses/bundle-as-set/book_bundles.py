# Counts a title once per bundle, however often it is in there.
from __future__ import annotations

from collections import Counter


def lowest_price(prices: dict[str, int], bundles: list[tuple[list[str], int, int | None]], order: list[str]) -> int:
    wanted = Counter(order)
    singles = [([title], prices[title], None) for title in wanted if title in prices]
    costs = {tuple(wanted.values()): 0}
    for titles, price, limit in [*bundles, *singles]:
        content = Counter(set(titles))
        counts = [content[title] for title in wanted]
        for _ in range(len(order) if limit is None else min(limit, len(order))):
            costs = _buy_once_more(costs, counts, price)
    nothing_left = (0,) * len(wanted)
    if nothing_left not in costs:
        raise ValueError("the order can not be met")
    return costs[nothing_left]


def _buy_once_more(costs: dict[tuple[int, ...], int], counts: list[int], price: int) -> dict[tuple[int, ...], int]:
    """Take the lowest costs for what is still wanted, and allow one more purchase of these counts."""
    result = dict(costs)
    for missing, cost in costs.items():
        rest = tuple(max(0, number - count) for number, count in zip(missing, counts))
        if cost + price < result.get(rest, cost + price + 1):
            result[rest] = cost + price
    return result
