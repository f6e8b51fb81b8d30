from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Node:
    properties: dict[str, list[str]] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)


class RecordError(ValueError):
    pass


def parse(text):
    pass


def write(node):
    pass
