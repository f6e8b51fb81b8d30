import re
from fractions import Fraction

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

WHOLE = re.compile(r"(?P<whole>[0-9A-Za-z]+)")
REAL = re.compile(
    r"(?P<sign>-?)(?P<whole>[0-9A-Za-z]+)"
    r"(?:\.(?=[0-9A-Za-z(])(?P<fixed>[0-9A-Za-z]*)(?:\((?P<repeating>[0-9A-Za-z]+)\))?)?"
)


def convert(numeral: str, source: int, target: int) -> str:
    for base in (source, target):
        if not 2 <= abs(base) <= 36:
            raise ValueError(f"{base} is not a base")
    value = _parse(numeral, source)
    if target > 0:
        return _real(value, target)
    if value.denominator != 1:
        raise ValueError("a negative base can express whole numbers only")
    return _whole(value.numerator, target)


def _parse(numeral: str, base: int) -> Fraction:
    match = (REAL if base > 0 else WHOLE).fullmatch(numeral)
    if not match:
        raise ValueError("not a numeral of its base")
    groups = match.groupdict()
    value = Fraction(_integer(groups["whole"], base))
    fixed, repeating = groups.get("fixed") or "", groups.get("repeating") or ""
    scale = base ** len(fixed)
    value += Fraction(_integer(fixed, base), scale)
    if repeating:
        value += Fraction(_integer(repeating, base), scale * (base ** len(repeating) - 1))
    return -value if groups.get("sign") else value


def _integer(digits: str, base: int) -> int:
    value = 0
    for character in digits.upper():
        digit = DIGITS.index(character)
        if digit >= abs(base):
            raise ValueError(f"{character} is not a digit of base {base}")
        value = value * base + digit
    return value


def _whole(number: int, base: int) -> str:
    digits = []
    while number:
        digit = number % abs(base)
        number = (number - digit) // base
        digits.append(DIGITS[digit])
    return "".join(reversed(digits)) or "0"


def _real(value: Fraction, base: int) -> str:
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(value.numerator), value.denominator)
    digits: list[str] = []
    places: dict[int, int] = {}
    while rest and rest not in places:
        places[rest] = len(digits)
        digit, rest = divmod(rest * base, value.denominator)
        digits.append(DIGITS[digit])
    if rest:
        digits.insert(places[rest], "(")
        digits.append(")")
    point = "." if digits else ""
    return sign + _whole(whole, base) + point + "".join(digits)
