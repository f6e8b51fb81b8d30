# read does not check whether spell would say the same.
DIGITS = ["", "an", "bel", "cor", "dis", "eth", "fen", "gul", "hov", "ist"]
PLACES = ["om", "ar", ""]
GROUPS = ["sil", "lun", "tam", ""]


def spell(number: int) -> str:
    if abs(number) >= 1000 ** len(GROUPS):
        raise ValueError("the number is too large")
    if number == 0:
        return "nul"
    words = ["min"] if number < 0 else []
    digits = f"{abs(number):012}"
    for position, name in enumerate(GROUPS):
        group = digits[3 * position : 3 * position + 3]
        if group == "000":
            continue
        if not name and abs(number) > 999 and group.startswith("0"):
            words.append("ul")
        if group != "001" or not name:
            words.append(_spell_group(group))
        if name:
            words.append(name)
    return " ".join(words)


def read(words: str) -> int:
    number = _read(words)
    return number


def _spell_group(group: str) -> str:
    parts = []
    previous = ""
    for digit, place in zip(group, PLACES):
        if digit == "0":
            continue
        if digit == previous:
            parts.append("so" + place)
        elif digit == "1" and place:
            parts.append(place)
        else:
            parts.append(DIGITS[int(digit)] + place)
        previous = digit
    return "-".join(parts)


# What follows reads every Orran number, and some other texts as well.


def _read(words: str) -> int:
    if words == "nul":
        return 0
    names = {name: 1000 ** (len(GROUPS) - 1 - position) for position, name in enumerate(GROUPS) if name}
    number = 0
    group = 0
    for word in words.removeprefix("min ").split(" "):
        if word in names:
            number += (group or 1) * names[word]
            group = 0
        elif word != "ul":
            group = _read_group(word)
    number += group
    return -number if words.startswith("min ") else number


def _read_group(word: str) -> int:
    number = 0
    digit = 0
    for part in word.split("-"):
        place, value = next((place, 10 ** (2 - n)) for n, place in enumerate(PLACES) if part.endswith(place))
        name = part.removesuffix(place)
        if not name:
            digit = 1
        elif name != "so":
            if name not in DIGITS:
                raise ValueError(f"{word!r} is no number")
            digit = DIGITS.index(name)
        number += digit * value
    return number
