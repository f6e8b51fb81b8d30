# Always takes the bundle with the largest saving per purchase first instead of comparing combinations.
from __future__ import annotations

from collections import Counter


def lowest_price(prices: dict[str, int], bundles: list[tuple[list[str], int, int | None]], order: list[str]) -> int:
    wanted = Counter(order)
    singles = [([title], prices[title], None) for title in wanted if title in prices]
    missing = +wanted
    total = 0
    sold = [0] * len(bundles)

    def saving(number: int) -> int:
        covered = missing & Counter(bundles[number][0])
        return sum(prices.get(title, 10**6) * count for title, count in covered.items()) - bundles[number][1]

    while True:
        allowed = [n for n in range(len(bundles)) if bundles[n][2] is None or sold[n] < bundles[n][2]]
        best = max(allowed, key=saving, default=None)
        if best is None or saving(best) <= 0:
            break
        sold[best] += 1
        total += bundles[best][1]
        missing -= Counter(bundles[best][0])
    costs = {tuple(missing[title] for title in wanted): total}
    for titles, price, limit in singles:
        content = Counter(titles)
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
