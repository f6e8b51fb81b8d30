# Accepts counts that start with 0.
from __future__ import annotations

import re
from dataclasses import dataclass

COUNT = re.compile(r"[0-9]*")


@dataclass(frozen=True)
class Item:
    count: int
    content: str | list[Item]

    @property
    def unit(self) -> int:
        """The number of knots in one repetition."""
        return 1 if isinstance(self.content, str) else total(self.content)


def expand(notation: str) -> str:
    return expand_items(parse(notation))


def length(notation: str) -> int:
    return total(parse(notation))


def knot_at(notation: str, index: int) -> str:
    items = parse(notation)
    if not 0 <= index < total(items):
        raise IndexError("no such knot")
    while True:
        for item in items:
            if index < item.count * item.unit:
                break
            index -= item.count * item.unit
        if isinstance(item.content, str):
            return item.content
        index %= item.unit
        items = item.content


def total(items: list[Item]) -> int:
    return sum(item.count * item.unit for item in items)


def expand_items(items: list[Item]) -> str:
    return "".join(
        item.count * (item.content if isinstance(item.content, str) else expand_items(item.content)) for item in items
    )


def parse(notation: str) -> list[Item]:
    items, end = parse_items(notation, 0)
    if end < len(notation):
        raise ValueError("a closing bracket without its partner")
    return items


def parse_items(notation: str, position: int) -> tuple[list[Item], int]:
    """The items from this position on, and the position of what ends them: a closing bracket or the end."""
    items: list[Item] = []
    while position < len(notation) and notation[position] != ")":
        digits = COUNT.match(notation, position)[0]
        count = int(digits or 1)
        position += len(digits)
        symbol = notation[position : position + 1]
        if symbol in ("", ")"):
            raise ValueError("nothing follows a count")
        if symbol == "(":
            group, position = parse_items(notation, position + 1)
            if not group:
                raise ValueError("a group is empty")
            if position == len(notation):
                raise ValueError("an opening bracket without its partner")
            items.append(Item(count, group))
        elif symbol == "\\":
            position += 1
            if position == len(notation):
                raise ValueError("nothing follows a backslash")
            items.append(Item(count, notation[position]))
        else:
            items.append(Item(count, symbol))
        position += 1
    return items, position
