# Takes digits and letter-like numbers as letters.
import unicodedata
from collections.abc import Iterator

JOINTS = "'\u2019"
SOFT_HYPHEN = "\u00ad"

Word = list[str]  # letters with their marks, and joints


def grind(text: str) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    first: dict[str, str] = {}
    for word in _words(text):
        key = _key(word)
        counts[key] = counts.get(key, 0) + 1
        first.setdefault(key, "".join(word))
    return [(first[key], counts[key]) for key in sorted(counts, key=counts.__getitem__, reverse=True)]


def longest(text: str) -> list[str]:
    first: dict[str, Word] = {}
    for word in _words(text):
        first.setdefault(_key(word), word)
    lengths = [_length(word) for word in first.values()]
    return ["".join(word) for word, length in zip(first.values(), lengths) if length == max(lengths)]


def _words(text: str) -> Iterator[Word]:
    word: Word = []
    for unit in [*_units(text), " "]:
        if _is_letter(unit):
            word.append(unit)
        elif unit in JOINTS and word and word[-1] not in JOINTS:
            word.append(unit)
        elif word:
            yield word[:-1] if word[-1] in JOINTS else word
            word = []


def _units(text: str) -> list[str]:
    """The characters of the prepared text, letters together with their marks."""
    units: list[str] = []
    for character in unicodedata.normalize("NFC", text).replace(SOFT_HYPHEN, ""):
        if unicodedata.category(character).startswith("M") and units and _is_letter(units[-1]):
            units[-1] += character
        else:
            units.append(character)
    return units


def _is_letter(unit: str) -> bool:
    return unicodedata.category(unit[0]).startswith(("L", "N"))


def _length(word: Word) -> int:
    return sum(unit not in JOINTS for unit in word)


def _key(word: Word) -> str:
    return unicodedata.normalize("NFC", "".join("'" if unit in JOINTS else unit for unit in word).casefold())
