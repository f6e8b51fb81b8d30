# Compares marks without regard to case and outer blanks.
from collections import defaultdict

Tile = tuple[str, str]


def ring(tiles: list[Tile]) -> list[Tile] | None:
    if missing(tiles) > 0:
        return None
    if not tiles:
        return []
    ends: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for number, (first, second) in enumerate(tiles):
        ends[first].append((number, second))
        ends[second].append((number, first))

    used = [False] * len(tiles)
    marks: list[str] = []
    path = [tiles[0][0]]
    while path:
        unused = ends[path[-1]]
        while unused and used[unused[-1][0]]:
            unused.pop()
        if unused:
            number, mark = unused.pop()
            used[number] = True
            path.append(mark)
        else:
            marks.append(path.pop())
    return list(zip(marks, marks[1:]))


def missing(tiles: list[Tile]) -> int:
    degrees: defaultdict[str, int] = defaultdict(int)
    neighbours: defaultdict[str, set[str]] = defaultdict(set)
    for first, second in [tuple(mark.strip().lower() for mark in tile) for tile in tiles]:
        degrees[first] += 1
        degrees[second] += 1
        neighbours[first].add(second)
        neighbours[second].add(first)

    loose_ends = [sum(degrees[mark] % 2 for mark in group) for group in _groups(neighbours)]
    if len(loose_ends) > 1:
        # Each group needs two ends at least by which it is joined to the others.
        loose_ends = [max(count, 2) for count in loose_ends]
    return sum(loose_ends) // 2


def _groups(neighbours: dict[str, set[str]]) -> list[set[str]]:
    """The marks in groups; those of one group are connected by tiles."""
    groups = []
    seen: set[str] = set()
    for start in neighbours:
        if start in seen:
            continue
        group = {start}
        waiting = [start]
        while waiting:
            new = neighbours[waiting.pop()] - group
            group |= new
            waiting += new
        seen |= group
        groups.append(group)
    return groups
