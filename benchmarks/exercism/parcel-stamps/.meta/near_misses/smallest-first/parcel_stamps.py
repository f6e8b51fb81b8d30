# Returns the smallest stamp first.
from math import inf


def stamps(price: int, drawer: dict[int, int]) -> list[int] | None:
    if price < 0:
        raise ValueError("the price is negative")
    values = sorted(drawer)
    # fewest[n][p]: how many stamps make up p with the n smallest values alone
    fewest: list[list[float]] = [[0] + [inf] * price]
    for value in values:
        fewest.append(_with_one_more_value(fewest[-1], value, drawer[value]))
    if fewest[-1][price] == inf:
        return None

    chosen: list[int] = []
    rest = price
    for number in range(len(values), 0, -1):
        value = values[number - 1]
        used = max(
            count
            for count in range(min(drawer[value], rest // value) + 1)
            if fewest[number - 1][rest - count * value] + count == fewest[number][rest]
        )
        chosen += [value] * used
        rest -= used * value
    return chosen[::-1]


def _with_one_more_value(fewest: list[float], value: int, available: int) -> list[float]:
    return [
        min(fewest[price - count * value] + count for count in range(min(available, price // value) + 1))
        for price in range(len(fewest))
    ]
