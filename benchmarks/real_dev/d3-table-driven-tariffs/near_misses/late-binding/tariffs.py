"""The tariffs of the marina: fees in cents, labels, and which can be booked online."""

from __future__ import annotations

from berths import NotAllowed, Stay
from registry import TariffRegistry, UnknownTariff

__all__ = ["TARIFFS", "UnknownTariff", "VISITORS_TAX", "bookable_online", "fee", "label", "names"]

VISITORS_TAX = 150

TARIFFS = TariffRegistry()


def fee(name: str, stay: Stay) -> int:
    """The fee for a stay; upper and lower case, blanks and dashes in the name do not matter much."""
    tariff = TARIFFS.find(name)
    cents = tariff.berth_fee(stay)
    if stay.multihull and tariff.multihull_surcharge:
        cents += cents // 2
    if tariff.visitors_tax:
        cents += VISITORS_TAX * stay.people * stay.nights
    return cents


def label(name: str) -> str:
    return TARIFFS.find(name).label


def bookable_online(name: str) -> bool:
    return TARIFFS.find(name).online


def names() -> list[str]:
    """All tariffs without their other names, in the order of the price list."""
    return TARIFFS.names()


_PER_METRE_AND_NIGHT = [
    (240, "standard", {"label": "Guest berth", "aliases": ["guest"], "online": True}),
    (None, "weekly", {"label": "Guest berth by the week", "online": True}),
    (None, "season", {"label": "Season berth", "multihull_surcharge": False, "visitors_tax": False}),
    (120, "club", {"label": "Club berth", "aliases": ["member", "friend-of-the-club"], "visitors_tax": False}),
    (None, "regatta", {"label": "Regatta berth", "multihull_surcharge": False}),
    (90, "winter", {"label": "Winter berth", "aliases": ["off-season"], "online": True, "multihull_surcharge": False}),
    (60, "dry-dock", {"label": "Place ashore", "multihull_surcharge": False, "visitors_tax": False}),
]


def _weekly(stay: Stay) -> int:
    weeks, days = divmod(stay.nights, 7)
    return (weeks * 1300 + min(days * 240, 1300)) * stay.metres


def _season(stay: Stay) -> int:
    return 41000 + 2500 * max(0, stay.metres - 8)


def _regatta(stay: Stay) -> int:
    if stay.nights > 4:
        raise NotAllowed("regatta boats stay four nights at most")
    return 500 * stay.nights


_special = iter([_weekly, _season, _regatta])
for _rate, _name, _options in _PER_METRE_AND_NIGHT:
    TARIFFS.register(_name, **_options)(
        (lambda stay: _rate * stay.metres * stay.nights) if _rate else next(_special)
    )
