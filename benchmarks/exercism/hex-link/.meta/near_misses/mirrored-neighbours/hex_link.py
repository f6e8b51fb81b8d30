# Takes the diagonal neighbours of a board whose rows are set off to the left.
from __future__ import annotations

from collections import deque

Cell = tuple[int, int]

STEPS = [(0, -1), (0, 1), (-1, 0), (-1, -1), (1, 0), (1, 1)]


def stones_needed(board: list[str], player: str) -> int | None:
    first, last = _sides(board, player)
    distances = _distances(board, player, first)
    return min((distances[cell] for cell in last if cell in distances), default=None)


def good_moves(board: list[str], player: str) -> list[Cell]:
    needed = stones_needed(board, player)
    if not needed:
        return []
    first, last = _sides(board, player)
    forth = _distances(board, player, first)
    back = _distances(board, player, last)
    # A cell's own stone is counted in both directions.
    return sorted(
        (row, column)
        for row, column in forth.keys() & back.keys()
        if board[row][column] == "." and forth[row, column] + back[row, column] == needed + 1
    )


def _sides(board: list[str], player: str) -> tuple[list[Cell], list[Cell]]:
    if not board or not board[0] or any(len(row) != len(board[0]) for row in board):
        raise ValueError("the board is not a parallelogram")
    if set().union(*board) - set(".NW#"):
        raise ValueError("the board has unknown characters")
    height, width = len(board), len(board[0])
    if player == "N":
        return [(0, column) for column in range(width)], [(height - 1, column) for column in range(width)]
    return [(row, 0) for row in range(height)], [(row, width - 1) for row in range(height)]


def _distances(board: list[str], player: str, side: list[Cell]) -> dict[Cell, int]:
    """The number of stones needed to link each cell to the side, the stone of the cell itself included."""
    cost = {
        (row, column): 0 if content == player else 1
        for row, line in enumerate(board)
        for column, content in enumerate(line)
        if content in (player, ".")
    }
    distances: dict[Cell, int] = {}
    queue = deque(sorted((cost[cell], cell) for cell in side if cell in cost))
    while queue:
        distance, cell = queue.popleft()
        if cell in distances:
            continue
        distances[cell] = distance
        for row_step, column_step in STEPS:
            neighbour = (cell[0] + row_step, cell[1] + column_step)
            if neighbour in cost and neighbour not in distances:
                if cost[neighbour]:
                    queue.append((distance + 1, neighbour))
                else:
                    queue.appendleft((distance, neighbour))
    return distances
