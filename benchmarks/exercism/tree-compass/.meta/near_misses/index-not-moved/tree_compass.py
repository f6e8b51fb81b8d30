# Stands at the inserted node after insert_left.
from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Tree:
    label: Any
    children: tuple[Tree, ...] = ()


class Compass:
    """A place in a tree: the trees from the root down to the current node, and the indices that lead there."""

    def __init__(self, tree: Tree) -> None:
        self._trees: tuple[Tree, ...] = (tree,)
        self._path: tuple[int, ...] = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Compass):
            return NotImplemented
        return self._path == other._path and self.whole() == other.whole()

    def __hash__(self) -> int:
        return hash((self._path, self.whole()))

    def here(self) -> Tree:
        return self._trees[-1]

    def whole(self) -> Tree:
        return self._trees[0]

    def path(self) -> tuple[int, ...]:
        return self._path

    def down(self, index: int = 0) -> Compass | None:
        if not 0 <= index < len(self.here().children):
            return None
        return self._at((*self._trees, self.here().children[index]), (*self._path, index))

    def up(self) -> Compass | None:
        return self._at(self._trees[:-1], self._path[:-1]) if self._path else None

    def left(self) -> Compass | None:
        parent = self.up()
        return parent and parent.down(self._path[-1] - 1)

    def right(self) -> Compass | None:
        parent = self.up()
        return parent and parent.down(self._path[-1] + 1)

    def next(self) -> Compass | None:
        place = self.down()
        above: Compass | None = self
        while place is None and above is not None:
            place = above.right()
            above = above.up()
        return place

    def relabel(self, label: Any) -> Compass:
        return self.replace(Tree(label, self.here().children))

    def replace(self, tree: Tree) -> Compass:
        trees = [tree]
        for parent, index in zip(reversed(self._trees[:-1]), reversed(self._path)):
            children = (*parent.children[:index], trees[-1], *parent.children[index + 1 :])
            trees.append(Tree(parent.label, children))
        return self._at(tuple(reversed(trees)), self._path)

    def insert_left(self, tree: Tree) -> Compass:
        return self._among_siblings((tree, self.here()), 0)

    def insert_right(self, tree: Tree) -> Compass:
        return self._among_siblings((self.here(), tree), 0)

    def add_child(self, tree: Tree) -> Compass:
        return self.replace(Tree(self.here().label, (*self.here().children, tree)))

    def remove(self) -> Compass:
        parent = self._among_siblings((), None)
        index = self._path[-1]
        return parent.down(index) or parent.down(index - 1) or parent

    def _among_siblings(self, trees: tuple[Tree, ...], offset: int | None) -> Compass:
        """Put these trees in the place of this one; stand at the one with this offset, or at the parent."""
        parent = self.up()
        if parent is None:
            raise ValueError("the root has no siblings")
        index = self._path[-1]
        label, children = parent.here().label, parent.here().children
        changed = parent.replace(Tree(label, (*children[:index], *trees, *children[index + 1 :])))
        return changed if offset is None else changed.down(index + offset)

    @classmethod
    def _at(cls, trees: tuple[Tree, ...], path: tuple[int, ...]) -> Compass:
        compass = cls(trees[0])
        compass._trees = trees
        compass._path = path
        return compass
