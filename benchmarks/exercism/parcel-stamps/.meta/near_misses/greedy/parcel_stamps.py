# Takes the largest stamp that fits, again and again.
def stamps(price: int, drawer: dict[int, int]) -> list[int] | None:
    if price < 0:
        raise ValueError("the price is negative")
    chosen = []
    for value in sorted(drawer, reverse=True):
        used = min(drawer[value], price // value)
        chosen += [value] * used
        price -= used * value
    return None if price else chosen
