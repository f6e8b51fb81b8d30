# Ends amounts that are not negative at the last column.
WIDTH = 38
TEXT_WIDTH = 19
AMOUNT_WIDTH = 12


def ledger(entries: list[tuple[int, int, str, int]]) -> str:
    lines = [_line(f"{day:02}/{month:02}", text, cents) for day, month, text, cents in entries]
    lines.append("-" * WIDTH)
    lines.append(_line("", "Total", sum(cents for *_, cents in entries)))
    return "".join(f"{line}\n" for line in lines)


def _line(date: str, text: str, cents: int) -> str:
    if len(text) > TEXT_WIDTH:
        text = text[: TEXT_WIDTH - 1].rstrip(" ") + "~"
    return f"{date:5} {text:{TEXT_WIDTH}} {_amount(cents):>{AMOUNT_WIDTH}}"


def _amount(cents: int) -> str:
    whole, rest = divmod(abs(cents), 100)
    number = f"{whole:,}.{rest:02}".replace(",", "'")
    return f"({number})" if cents < 0 else number
