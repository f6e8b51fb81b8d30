"""The tariffs of the marina: fees in cents, labels, and which can be booked online."""

from __future__ import annotations

from berths import NotAllowed, Stay

VISITORS_TAX = 150


class UnknownTariff(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(f"no such tariff: {name}")
        self.name = name


def fee(name: str, stay: Stay) -> int:
    """The fee for a stay; upper and lower case, blanks and dashes in the name do not matter much."""
    kind = "-".join(name.lower().split())
    if kind == "standard" or kind == "guest":
        cents = 240 * stay.metres * stay.nights
    elif kind == "weekly":
        weeks, days = divmod(stay.nights, 7)
        cents = (weeks * 1300 + min(days * 240, 1300)) * stay.metres
    elif kind == "season":
        return 41000 + 2500 * max(0, stay.metres - 8)
    elif kind == "club" or kind == "member" or kind == "friend-of-the-club":
        cents = 120 * stay.metres * stay.nights
    elif kind == "regatta":
        if stay.nights > 4:
            raise NotAllowed("regatta boats stay four nights at most")
        cents = 500 * stay.nights
    elif kind == "winter" or kind == "off-season":
        cents = 90 * stay.metres * stay.nights
    elif kind == "dry-dock":
        return 60 * stay.metres * stay.nights
    else:
        raise UnknownTariff(name)
    if stay.multihull and kind not in ("winter", "off-season", "regatta"):
        cents += cents // 2
    if kind != "club" and kind != "member" and kind != "friend-of-the-club":
        cents += VISITORS_TAX * stay.people * stay.nights
    return cents


def label(name: str) -> str:
    kind = "-".join(name.lower().split())
    if kind in ("standard", "guest"):
        return "Guest berth"
    elif kind == "weekly":
        return "Guest berth by the week"
    elif kind == "season":
        return "Season berth"
    elif kind in ("club", "member", "friend-of-the-club"):
        return "Club berth"
    elif kind == "regatta":
        return "Regatta berth"
    elif kind in ("winter", "off-season"):
        return "Winter berth"
    elif kind == "dry-dock":
        return "Place ashore"
    raise UnknownTariff(name)


def bookable_online(name: str) -> bool:
    kind = "-".join(name.lower().split())
    if kind in ("standard", "guest", "weekly", "winter", "off-season"):
        return True
    label(name)
    return False


def names() -> list[str]:
    """All tariffs without their other names, in the order of the price list."""
    return ["standard", "weekly", "season", "club", "regatta", "winter", "dry-dock"]
