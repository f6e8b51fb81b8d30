# Asks only whether everything around an area is of one kind.
from __future__ import annotations

from collections.abc import Iterator

Point = tuple[int, int]

EMPTY = "."
STONES = "BW"


def owner(board: list[str], row: int, column: int) -> str | None:
    if not (0 <= row < len(board) and 0 <= column < len(board[row])):
        raise IndexError("the board has no such point")
    if board[row][column] != EMPTY:
        return None
    _, around = _region(board, (row, column))
    return _owner_of_area(around)


def score(board: list[str]) -> dict[str, int]:
    result = {stone: sum(line.count(stone) for line in board) for stone in STONES}
    for points, around in _regions(board, EMPTY):
        stone = _owner_of_area(around)
        if stone:
            result[stone] += len(points)
    return result


def cleaned(board: list[str]) -> list[str]:
    result = [list(line) for line in board]
    for points, around in _regions(board, STONES):
        if not around & {EMPTY, "~"}:
            for row, column in points:
                result[row][column] = EMPTY
    return ["".join(line) for line in result]


def _owner_of_area(around: set[str]) -> str | None:
    return next(iter(around)) if len(around) == 1 else None


def _regions(board: list[str], kinds: str) -> Iterator[tuple[set[Point], set[str]]]:
    seen: set[Point] = set()
    for row, line in enumerate(board):
        for column, kind in enumerate(line):
            if kind in kinds and (row, column) not in seen:
                points, around = _region(board, (row, column))
                seen |= points
                yield points, around


def _region(board: list[str], start: Point) -> tuple[set[Point], set[str]]:
    """The points that hang together with this one, and the kinds of points that they touch."""
    kind = board[start[0]][start[1]]
    points = {start}
    around = set()
    unvisited = [start]
    while unvisited:
        row, column = unvisited.pop()
        for point in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if point in points or not (0 <= point[0] < len(board) and 0 <= point[1] < len(board[0])):
                continue
            neighbour = board[point[0]][point[1]]
            if neighbour == kind:
                points.add(point)
                unvisited.append(point)
            else:
                around.add(neighbour)
    return points, around
