from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Tree:
    label: Any
    children: tuple[Tree, ...] = ()


class Compass:
    def __init__(self, tree):
        pass

    def here(self):
        pass

    def whole(self):
        pass

    def path(self):
        pass

    def down(self, index=0):
        pass

    def up(self):
        pass

    def left(self):
        pass

    def right(self):
        pass

    def next(self):
        pass

    def relabel(self, label):
        pass

    def replace(self, tree):
        pass

    def insert_left(self, tree):
        pass

    def insert_right(self, tree):
        pass

    def add_child(self, tree):
        pass

    def remove(self):
        pass
