"""Finds an order in which steps can be done."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from steps import Step

Edges = Sequence[Iterable[int]]


class ScheduleError(ValueError):
    """The steps cannot be put into an order."""


class DuplicateStepError(ScheduleError):
    def __init__(self, names: list[str]) -> None:
        super().__init__(f"several steps have the same name: {', '.join(names)}")
        self.names = names


class UnknownStepError(ScheduleError):
    def __init__(self, missing: list[tuple[str, str]]) -> None:
        super().__init__("unknown steps: " + ", ".join(f"{needed} (for {name})" for name, needed in missing))
        self.missing = missing


class CycleError(ScheduleError):
    def __init__(self, groups: list[list[str]], blocked: list[str]) -> None:
        super().__init__("steps wait for each other: " + "; ".join(", ".join(group) for group in groups))
        self.groups = groups
        self.blocked = blocked


@dataclass(frozen=True)
class Plan:
    order: list[str]
    batches: list[list[str]]
    dropped: list[tuple[str, str]]


def schedule(steps: Iterable[Step]) -> Plan:
    steps = list(steps)
    names = [step.name for step in steps]
    place = {name: number for number, name in enumerate(names)}
    _check_names(steps, place)

    before = [{place[name] for name in step.after} for step in steps]
    groups = _cycles(before)
    if groups:
        looped = {number for group in groups for number in group}
        blocked = _reachable(_reversed(before), looped) - looped
        raise CycleError(
            [[names[number] for number in group] for group in groups], [names[number] for number in sorted(blocked)]
        )

    soft = [{place[name] for name in step.soft_after if name in place} for step in steps]
    together = [hard | wanted for hard, wanted in zip(before, soft)]
    dropped: list[tuple[str, str]] = []
    if _cycles(together):
        for number, step in enumerate(steps):
            dropped += dict.fromkeys(
                (step.name, name) for name in step.soft_after if name in place and place[name] not in before[number]
            )
    else:
        before = together

    return Plan(
        [names[number] for number in _order(before)],
        [[names[number] for number in batch] for batch in _batches(before)],
        dropped,
    )


def _check_names(steps: list[Step], place: dict[str, int]) -> None:
    repeated = {step.name: None for number, step in enumerate(steps) if place[step.name] != number}
    if repeated:
        raise DuplicateStepError([name for name in dict.fromkeys(step.name for step in steps) if name in repeated])
    missing = dict.fromkeys((step.name, name) for step in steps for name in step.after if name not in place)
    if missing:
        raise UnknownStepError(list(missing))


def _reversed(edges: Edges) -> list[list[int]]:
    result: list[list[int]] = [[] for _ in edges]
    for start, ends in enumerate(edges):
        for end in ends:
            result[end].append(start)
    return result


def _reachable(edges: Edges, starts: Iterable[int]) -> set[int]:
    """Return the nodes to which a path leads from one of the starts, these included."""
    seen = set(starts)
    waiting = list(seen)
    while waiting:
        for node in edges[waiting.pop()]:
            if node not in seen:
                seen.add(node)
                waiting.append(node)
    return seen


def _cycles(edges: Edges) -> list[list[int]]:
    """Return the sets of nodes that reach each other, or themselves, each sorted, in order of their first node."""
    finished: list[int] = []
    seen: set[int] = set()
    for root in range(len(edges)):
        if root in seen:
            continue
        seen.add(root)
        stack = [(root, iter(edges[root]))]
        while stack:
            node, ends = stack[-1]
            for end in ends:
                if end not in seen:
                    seen.add(end)
                    stack.append((end, iter(edges[end])))
                    break
            else:
                finished.append(node)
                stack.pop()

    backwards = _reversed(edges)
    assigned: set[int] = set()
    groups = []
    for root in reversed(finished):
        if root in assigned:
            continue
        assigned.add(root)
        group = [root]
        for node in group:
            for start in backwards[node]:
                if start not in assigned:
                    assigned.add(start)
                    group.append(start)
        if len(group) > 1 or root in edges[root]:
            groups.append(sorted(group))
    return sorted(groups)


def _order(before: Edges) -> list[int]:
    after = _reversed(before)
    waiting = [len(set(nodes)) for nodes in before]
    ready = [node for node, count in enumerate(waiting) if count == 0]
    order = []
    while ready:
        node = heapq.heappop(ready)
        order.append(node)
        for follower in after[node]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                heapq.heappush(ready, follower)
    return order


def _batches(before: Edges) -> list[list[int]]:
    level: dict[int, int] = {}
    for node in _order(before):
        level[node] = 1 + max((level[needed] for needed in before[node]), default=-1)
    batches: list[list[int]] = [[] for _ in set(level.values())]
    for node in range(len(before)):
        batches[level[node]].append(node)
    return batches
