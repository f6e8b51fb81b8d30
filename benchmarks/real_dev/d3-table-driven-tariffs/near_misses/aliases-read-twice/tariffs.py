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


@TARIFFS.register("standard", label="Guest berth", aliases=["guest"], online=True)
def _standard(stay: Stay) -> int:
    return 240 * stay.metres * stay.nights


@TARIFFS.register("weekly", label="Guest berth by the week", online=True)
def _weekly(stay: Stay) -> int:
    weeks, days = divmod(stay.nights, 7)
    return (weeks * 1300 + min(days * 240, 1300)) * stay.metres


@TARIFFS.register("season", label="Season berth", multihull_surcharge=False, visitors_tax=False)
def _season(stay: Stay) -> int:
    return 41000 + 2500 * max(0, stay.metres - 8)


@TARIFFS.register("club", label="Club berth", aliases=["member", "friend-of-the-club"], visitors_tax=False)
def _club(stay: Stay) -> int:
    return 120 * stay.metres * stay.nights


@TARIFFS.register("regatta", label="Regatta berth", multihull_surcharge=False)
def _regatta(stay: Stay) -> int:
    if stay.nights > 4:
        raise NotAllowed("regatta boats stay four nights at most")
    return 500 * stay.nights


@TARIFFS.register("winter", label="Winter berth", aliases=["off-season"], online=True, multihull_surcharge=False)
def _winter(stay: Stay) -> int:
    return 90 * stay.metres * stay.nights


@TARIFFS.register("dry-dock", label="Place ashore", multihull_surcharge=False, visitors_tax=False)
def _dry_dock(stay: Stay) -> int:
    return 60 * stay.metres * stay.nights
