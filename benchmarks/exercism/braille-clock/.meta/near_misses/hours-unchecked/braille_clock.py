# Checks only the minute when it shows a time.
DIGITS = {
    "1": ("o.", "..", ".."),
    "2": ("o.", "o.", ".."),
    "3": ("oo", "..", ".."),
    "4": ("oo", ".o", ".."),
    "5": ("o.", ".o", ".."),
    "6": ("oo", "o.", ".."),
    "7": ("oo", "oo", ".."),
    "8": ("o.", "oo", ".."),
    "9": (".o", "o.", ".."),
    "0": (".o", "oo", ".."),
}
BLANK = ("..", "..", "..")


def show(hour: int, minute: int, twelve: bool = False) -> str:
    if not (0 <= minute <= 59):
        raise ValueError("no such time of day")
    if twelve:
        digits = f"{hour % 12 or 12:2}{minute:02}"
        colon = (".", "o", "o" if hour >= 12 else ".")
    else:
        digits = f"{hour:02}{minute:02}"
        colon = (".", "o", "o")
    cells = [DIGITS.get(digit, BLANK) for digit in digits]
    cells.insert(2, colon)
    return "\n".join(" ".join(row) for row in zip(*cells))


def read(text: str) -> tuple[int, int]:
    time = TIMES.get(text.removesuffix("\n"))
    if time is None:
        raise ValueError("not the time of day")
    return time


TIMES = {show(hour, minute): (hour, minute) for hour in range(24) for minute in range(60)}
