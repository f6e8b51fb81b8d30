"""How numbers are written: rates without a leading nought, intervals in brackets, money to a hundredth of a cent."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_hybrideval.analysis.cells import CellKey
from pytest_hybrideval.analysis.intervals import Interval

NONE = "n/a"
_EXACT = 9  # limits are worked out to 1e-10
_DECIMALS = 2
_MOST_DECIMALS = 6
_LEAST_USD = 0.0001


def rate(value: float | None, decimals: int = _DECIMALS) -> str:
    """A rate or difference of rates: `.96`, `1.00`, `-.23`. What lies half-way is not decided by its last bits."""
    return NONE if value is None else _without_nought(f"{round(value, _EXACT):.{decimals}f}")


def declared(value: float) -> str:
    """A number that was chosen, with all its decimals: `.05`, `.025`."""
    return _without_nought(f"{value:.{_MOST_DECIMALS}g}")


def beside_bound(value: float, bound: float) -> str:
    """A rate with as many decimals as it takes to see on which side of a bound it lies: `.849` where that is .85."""
    side = (value > bound) - (value < bound)
    for decimals in range(_DECIMALS, _MOST_DECIMALS):
        shown = round(value, decimals)
        if (shown > bound) - (shown < bound) == side:
            return rate(value, decimals)
    return rate(value, _MOST_DECIMALS)


def interval_text(interval: Interval | None) -> str:
    """`[.88, 1.00]`; n/a where there is none."""
    return NONE if interval is None else f"[{rate(interval.low)}, {rate(interval.high)}]"


def percent(value: float | None) -> str:
    """`55 %`."""
    if value is None:
        return NONE
    text = f"{value:.0%}"
    return ("0%" if text == "-0%" else text).replace("%", " %")


def percent_interval(interval: Interval | None) -> str:
    """`[39 %, 70 %]`."""
    return NONE if interval is None else f"[{percent(interval.low)}, {percent(interval.high)}]"


def usd(value: float | None) -> str:
    """`2.4227`; `<0.0001` for what is not nothing, but less than is shown."""
    if value is None:
        return NONE
    return f"<{_LEAST_USD}" if 0.0 < value < _LEAST_USD / 2.0 else f"{value:.4f}"


def name_of(key: CellKey) -> str:
    """A line's name: the strategy, with its threshold where it takes one."""
    return key.strategy + ("" if key.threshold is None else f" t={str(key.threshold).removesuffix('.0')}")


def names_of(keys: Iterable[CellKey]) -> dict[CellKey, str]:
    """A name for each line: with the models, and the agent, where there are several of them."""
    keys = list(keys)
    models = {(key.local_model, key.cloud_model) for key in keys}
    agents = {key.agent for key in keys}
    return {
        key: name_of(key)
        + (f" ({key.local_model} + {key.cloud_model})" if len(models) > 1 else "")
        + (f" [{key.agent}]" if len(agents) > 1 else "")
        for key in keys
    }


def _without_nought(text: str) -> str:
    """`-0.00` is `.00`, `0.5` is `.5`; `0` stays."""
    number = text.removeprefix("-")
    sign = "-" if number != text and float(number) else ""
    return sign + (number.removeprefix("0") if number.startswith("0.") else number)
