# Gives up as soon as any rule demands more than the strongest, in force or not.
from __future__ import annotations

Condition = tuple[str, int]
Demand = tuple[str, int] | tuple[str, int, str] | None
Rule = tuple[list[Condition], Demand]


def mix(strongest: dict[str, int], rules: list[Rule]) -> dict[str, int] | None:
    _check(rules, strongest)
    strengths = dict.fromkeys(strongest, 0)
    if any(demand is not None and demand[1] > strongest[demand[0]] for _, demand in rules):
        return None
    changed = True
    while changed:
        changed = False
        for conditions, demand in rules:
            # Colours only ever get stronger, so a rule that is in force now will always be.
            if not all(strengths[colour] >= strength for colour, strength in conditions):
                continue
            if demand is None:
                return None
            colour, least, *others = demand
            least += sum(strengths[other] for other in others)
            if least > strongest[colour]:
                return None
            if least > strengths[colour]:
                strengths[colour] = least
                changed = True
    return strengths


def _check(rules: list[Rule], strongest: dict[str, int]) -> None:
    for conditions, demand in rules:
        colours = [colour for colour, _ in conditions]
        if demand is not None:
            colours += [demand[0], *demand[2:]]
        if not all(colour in strongest for colour in colours):
            raise ValueError("a rule has an unknown colour")
