# Does not check the denominator, so that ZeroDivisionError leaves the function.
import re
from fractions import Fraction

SPOONS = {"amphora": 576, "jug": 72, "cup": 12, "spoon": 1}
PLURALS = {"amphora": "amphorae", "jug": "jugs", "cup": "cups", "spoon": "spoons"}
SINGULARS = {plural: unit for unit, plural in PLURALS.items()}

QUANTITY = re.compile(r"(?:(?P<whole>[0-9]+) )?(?:(?P<top>[0-9]+)/(?P<bottom>[0-9]+) )?(?P<unit>[a-z]+)")


def convert(quantity: str, unit: str) -> str:
    if unit not in SPOONS:
        raise ValueError(f"{unit!r} is not a unit")
    return _written(_spoons(quantity) / SPOONS[unit], unit)


def total(quantities: list[str]) -> str:
    left = sum((_spoons(quantity) for quantity in quantities), Fraction(0))
    parts = []
    for unit, size in SPOONS.items():
        number = left if unit == "spoon" else Fraction(left // size)
        left -= number * size
        if number:
            parts.append(_written(number, unit))
    return ", ".join(parts) or "0 spoons"


def _spoons(quantity: str) -> Fraction:
    match = QUANTITY.fullmatch(quantity)
    if not match or match["whole"] is None and match["top"] is None:
        raise ValueError(f"{quantity!r} is not a quantity")
    unit = SINGULARS.get(match["unit"], match["unit"])
    if unit not in SPOONS:
        raise ValueError(f"{quantity!r} has an unknown unit")
    number = Fraction(match["whole"] or 0)
    if match["top"] is not None:
        fraction = Fraction(int(match["top"]), int(match["bottom"]))
        if match["whole"] is not None and fraction >= 1:
            raise ValueError(f"the fraction in {quantity!r} is too large")
        number += fraction
    return number * SPOONS[unit]


def _written(number: Fraction, unit: str) -> str:
    whole, fraction = divmod(number, 1)
    figures = [str(part) for part in (whole, fraction) if part] or ["0"]
    name = unit if 0 < number <= 1 else PLURALS[unit]
    return " ".join([*figures, name])
