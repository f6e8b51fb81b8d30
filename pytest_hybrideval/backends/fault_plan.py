"""`--hybrid-inject`: which faults a run is to meet, read from their spelling. No I/O."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pytest_hybrideval.core.domain import Tier
from pytest_hybrideval.core.errors import ConfigurationError

OPTION = "--hybrid-inject"
_DURATION = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(ms|s)")
_EXAMPLES = {
    "latency": "latency=2s or latency=300ms",
    "slow": "slow=20 (tokens per second)",
    "down": "down, without a value",
    "cut": "cut=0.1 (a probability)",
    "empty": "empty=0.1 (a probability)",
    "429": "429=0.1 (a probability); likewise 400, 500, 503 and every other status from 400 to 599",
}
_FAULTS = ", ".join(("latency", "slow", "down", "cut", "empty", "and statuses from 400 to 599"))


@dataclass(frozen=True)
class Faults:
    """How one tier misbehaves.

    `latency` (seconds) passes before each try, `slow` (tokens per second) is how fast answers come at most, None for as
    fast as they do. `down` refuses every connection. `statuses` (HTTP status -> probability), `cut` and `empty`
    (probabilities) share out the tries, so that they add up to no more than 1.
    """

    latency: float = 0.0
    slow: float | None = None
    down: bool = False
    cut: float = 0.0
    empty: float = 0.0
    statuses: tuple[tuple[int, float], ...] = ()

    @property
    def shares(self) -> float:
        """The part of the tries that come to nothing or to no whole answer."""
        return math.fsum((self.cut, self.empty, *(share for _, share in self.statuses)))


@dataclass(frozen=True)
class FaultPlan:
    """The faults of both tiers. `text` is how the user wrote them."""

    text: str
    tiers: Mapping[Tier, Faults]

    def of(self, tier: Tier) -> Faults | None:
        """The faults of a tier, None where it is left in peace."""
        return self.tiers.get(tier)


def parse_faults(text: str, source: str = OPTION) -> FaultPlan:
    """The plan of `local:latency=2s,cloud:429=0.1,local:down`: a comma list of TIER:FAULT or TIER:FAULT=VALUE.

    Raises `ConfigurationError` that begins with `source` and says what would be right.
    """
    tiers: dict[Tier, Faults] = {}
    seen: set[str] = set()
    for part in (part.strip() for part in text.split(",")):
        tier, name, value = _split(part, source)
        if f"{tier.value}:{name}" in seen:
            raise ConfigurationError(f"{source}: '{tier.value}:{name}' stands twice in '{text}'")
        seen.add(f"{tier.value}:{name}")
        tiers[tier] = _with(tiers.get(tier, Faults()), name, value, _Place(source, part))
    for tier, faults in tiers.items():
        _check(tier, faults, source)
    return FaultPlan(text, tiers)


@dataclass(frozen=True)
class _Place:
    source: str
    part: str

    def wrong(self, what: str) -> ConfigurationError:
        return ConfigurationError(f"{self.source}: '{self.part}': {what}")


def _split(part: str, source: str) -> tuple[Tier, str, str | None]:
    place = _Place(source, part)
    tier, colon, fault = part.partition(":")
    if not colon or not fault:
        raise place.wrong("a fault is written TIER:FAULT or TIER:FAULT=VALUE, as in local:latency=2s")
    tiers = {tier.value: tier for tier in Tier}
    if tier not in tiers:
        raise place.wrong(f"unknown tier '{tier}'; {_meant(tier, tiers)}({', '.join(tiers)})")
    name, equals, value = fault.partition("=")
    return tiers[tier], name, value if equals else None


def _with(faults: Faults, name: str, value: str | None, place: _Place) -> Faults:
    if name.isascii() and name.isdigit() and 400 <= int(name) <= 599:
        share = _read(value, _probability, "429", place)
        return replace(faults, statuses=(*faults.statuses, (int(name), share)))
    if name not in _EXAMPLES or name == "429":
        raise place.wrong(f"unknown fault '{name}'; {_meant(name, _EXAMPLES)}({_FAULTS})")
    if name == "down":
        if value is not None:
            raise place.wrong(f"write {_EXAMPLES[name]}")
        return replace(faults, down=True)
    readers: Mapping[str, Callable[[str], float]] = {"latency": _duration, "slow": _rate}
    found: dict[str, Any] = {name: _read(value, readers.get(name, _probability), name, place)}
    return replace(faults, **found)


def _read(value: str | None, read: Callable[[str], float], name: str, place: _Place) -> float:
    try:
        return read(value or "")
    except ValueError:
        raise place.wrong(f"write {_EXAMPLES[name]}") from None


def _check(tier: Tier, faults: Faults, source: str) -> None:
    if faults.down and (faults.shares or faults.slow):
        raise ConfigurationError(
            f"{source}: '{tier.value}:down' leaves no answer for the tier's other faults; leave it or them out"
        )
    if faults.shares > 1.0 + 1e-9:
        raise ConfigurationError(
            f"{source}: the probabilities of {tier.value} add up to {faults.shares:g}; a try meets one of them at "
            "most, so they may add up to 1"
        )


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean '{close[0]}'? " if close else ""


def _duration(text: str) -> float:
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError
    return float(found[1]) / (1000 if found[2] == "ms" else 1)


def _probability(text: str) -> float:
    number = float(text)
    if not 0.0 < number <= 1.0:
        raise ValueError
    return number


def _rate(text: str) -> float:
    number = float(text)
    if not 0.0 < number < math.inf:
        raise ValueError
    return number
