# Accepts a start below 0, as Python does for lists.
from __future__ import annotations


def encode(text: str, terraces: int, start: int = 0) -> str:
    return "".join(text[column] for column in _columns(len(text), terraces, start))


def decode(signal: str, terraces: int, start: int = 0) -> str:
    text = [""] * len(signal)
    for column, character in zip(_columns(len(signal), terraces, start), signal):
        text[column] = character
    return "".join(text)


def find_keys(text: str, signal: str) -> list[tuple[int, int]]:
    keys = ((terraces, start) for terraces in range(1, len(text) + 1) for start in range(terraces))
    return [key for key in keys if encode(text, *key) == signal]


def _columns(length: int, terraces: int, start: int) -> list[int]:
    """The columns in the order in which they are read."""
    if terraces < 1 or start >= terraces:
        raise ValueError("there is no such terrace")
    slope: list[list[int]] = [[] for _ in range(terraces)]
    terrace, step = start % terraces, 1
    for column in range(length):
        slope[terrace].append(column)
        if not 0 <= terrace + step < terraces:
            step = -step
        if terraces > 1:
            terrace += step
    return [column for number, row in enumerate(slope) for column in (reversed(row) if number % 2 else row)]
