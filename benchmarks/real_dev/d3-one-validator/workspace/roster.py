"""Who may row in which class of boats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

JUNIORS_BELOW = 18
MASTERS_FROM = 27


def boat_class(member: Mapping[str, Any]) -> str:
    age = member.get("age")
    if age is None:
        return "guest"
    return "juniors" if age < JUNIORS_BELOW else "masters" if age >= MASTERS_FROM else "seniors"


def by_class(members: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    classes: dict[str, list[str]] = {}
    for member in members:
        classes.setdefault(boat_class(member), []).append(member["name"])
    return {name: sorted(names) for name, names in sorted(classes.items())}
