# Meets every min wish before it looks at the others.
from __future__ import annotations

Wish = tuple[str, str, int]


def mix(strongest: dict[str, int], customers: list[list[Wish]]) -> dict[str, int] | None:
    for wishes in customers:
        _check(wishes, strongest)
    strengths = dict.fromkeys(strongest, 0)
    for wishes in customers:
        for colour, kind, strength in wishes:
            if kind == "min" and strength <= strongest[colour]:
                strengths[colour] = max(strengths[colour], strength)
    while unhappy := [wishes for wishes in customers if not any(_is_met(wish, strengths) for wish in wishes)]:
        for wishes in unhappy:
            # Colours only ever get stronger, so a "max" wish that is not met now never will be.
            needed = next((wish for wish in wishes if wish[1] == "min"), None)
            if needed is None or needed[2] > strongest[needed[0]]:
                return None
            strengths[needed[0]] = max(strengths[needed[0]], needed[2])
    return strengths


def _check(wishes: list[Wish], strongest: dict[str, int]) -> None:
    if any(colour not in strongest or kind not in ("min", "max") for colour, kind, _ in wishes):
        raise ValueError("a wish is for an unknown colour or kind")
    if sum(kind == "min" for _, kind, _ in wishes) > 1:
        raise ValueError('a customer has more than one "min" wish')


def _is_met(wish: Wish, strengths: dict[str, int]) -> bool:
    colour, kind, strength = wish
    return strengths[colour] >= strength if kind == "min" else strengths[colour] <= strength
