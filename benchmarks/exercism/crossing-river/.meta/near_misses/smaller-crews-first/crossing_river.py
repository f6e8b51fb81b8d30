# Compares two crossings by the number of travellers first.
from __future__ import annotations

from collections import deque

Traveller = tuple[str, int, bool]
Quarrel = tuple[str, str, "str | None"]


def plan(travellers: list[Traveller], load: int, quarrels: list[Quarrel]) -> list[list[str]] | None:
    # Sets of travellers are numbers with a bit for each of them.
    bits = {name: 1 << position for position, (name, _, _) in enumerate(travellers)}
    everybody = (1 << len(travellers)) - 1
    calm = [_is_calm(bank, bits, quarrels) for bank in range(everybody + 1)]
    crews = _crews(travellers, load)

    start = (0, False)
    goal = (everybody, True)
    if not travellers:
        return []
    came: dict[tuple[int, bool], tuple[tuple[int, bool], int] | None] = {start: None}
    queue = deque([start])
    # States are reached in the order of the plans that lead to them, so the first plan for a state is the best.
    while queue and goal not in came:
        far, boat_is_far = queue.popleft()
        here, there = (far, everybody & ~far) if boat_is_far else (everybody & ~far, far)
        for crew in crews:
            following = (far ^ crew, not boat_is_far)
            if crew & here == crew and calm[here & ~crew] and calm[there] and following not in came:
                came[following] = ((far, boat_is_far), crew)
                queue.append(following)
    if goal not in came:
        return None

    crossings = []
    state = goal
    while step := came[state]:
        state, crew = step
        crossings.append([name for name, bit in bits.items() if bit & crew])
    return crossings[::-1]


def _is_calm(bank: int, bits: dict[str, int], quarrels: list[Quarrel]) -> bool:
    return not any(
        bank & bits[one] and bank & bits[other] and not (keeper is not None and bank & bits[keeper])
        for one, other, keeper in quarrels
    )


def _crews(travellers: list[Traveller], load: int) -> list[int]:
    """All sets of travellers that the boat can carry, in the order in which they are preferred."""
    crews = []

    def extend(crew: int, first: int, weight: int, rowers: int) -> None:
        if rowers:
            crews.append(crew)
        for position in range(first, len(travellers)):
            _, more, rows = travellers[position]
            if weight + more <= load:
                extend(crew | 1 << position, position + 1, weight + more, rowers + bool(rows))

    extend(0, 0, 0, 0)
    return sorted(crews, key=lambda crew: bin(crew).count("1"))
