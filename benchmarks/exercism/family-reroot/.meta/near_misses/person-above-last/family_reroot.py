# Keeps the old order and puts the person who was above last, so that the circle is broken.
from __future__ import annotations

from collections import defaultdict

Tree = tuple  # of a name and a tuple of trees


def reroot(tree: Tree, name: str) -> Tree:
    path = _path_to(tree, name)
    above: tuple[Tree, ...] = ()
    for (old_name, branches), following in zip(path, path[1:]):
        above = ((old_name, (*(branch for branch in branches if branch is not following), *above)),)
    return name, (*path[-1][1], *above)


def route(tree: Tree, start: str, goal: str) -> list[str]:
    up = [name for name, _ in _path_to(tree, start)]
    down = [name for name, _ in _path_to(tree, goal)]
    shared = sum(1 for one, other in zip(up, down) if one == other)
    return up[shared:][::-1] + down[shared - 1 :]


def centre(tree: Tree) -> list[str]:
    links: defaultdict[str, set[str]] = defaultdict(set)
    waiting = [tree]
    while waiting:
        name, branches = waiting.pop()
        for branch in branches:
            links[name].add(branch[0])
            links[branch[0]].add(name)
            waiting.append(branch)
    if not links:
        return [tree[0]]

    # Take away the outermost persons again and again until one or two are left.
    outermost = [name for name, others in links.items() if len(others) == 1]
    while len(links) > 2:
        following = []
        for name in outermost:
            [inner] = links.pop(name)
            links[inner].discard(name)
            if len(links[inner]) == 1:
                following.append(inner)
        outermost = following
    return sorted(links)


def _path_to(tree: Tree, name: str) -> list[Tree]:
    """The trees from the top down to the one with this name."""
    path: list[Tree] = []
    waiting = [(tree, 0)]
    while waiting:
        subtree, depth = waiting.pop()
        del path[depth:]
        path.append(subtree)
        if subtree[0] == name:
            return path
        waiting += [(branch, depth + 1) for branch in subtree[1]]
    raise KeyError(name)
