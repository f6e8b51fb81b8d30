# Ignores any white space around the text and between the cells.
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
    if not (0 <= hour <= 23 and 0 <= minute <= 59):
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
    rows = [row.split() for row in text.strip().split("\n")]
    if [len(row) for row in rows] != [5, 5, 5]:
        raise ValueError("wrong shape")
    cells = list(zip(*rows))
    if cells.pop(2) != (".", "o", "o"):
        raise ValueError("no colon")
    names = {cell: digit for digit, cell in DIGITS.items()}
    if not all(cell in names for cell in cells):
        raise ValueError("not a digit")
    digits = "".join(names[cell] for cell in cells)
    hour, minute = int(digits[:2]), int(digits[2:])
    if hour > 23 or minute > 59:
        raise ValueError("no such time")
    return hour, minute
