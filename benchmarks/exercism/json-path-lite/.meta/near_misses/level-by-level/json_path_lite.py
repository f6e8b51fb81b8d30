# Gives the values inside a value level by level.
from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Selected = tuple[tuple[Any, ...], Any]
Step = Callable[[Any], Iterable[Selected]]

STRING = r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"'
NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
LITERAL = re.compile(f"{STRING}|{NUMBER}|true|false|null")
OPERATOR = re.compile(" *(!=|<=|>=|=|<|>) *")
NAME = re.compile(r"\.([A-Za-z0-9_]+)")
KEY = re.compile(rf"\[({STRING})\]")
POSITION = re.compile(r"\[(-?[0-9]+)\]")
SLICE = re.compile(r"\[(-?[0-9]+)?:(-?[0-9]+)?\]")

ORDERINGS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def select(data: Any, query: str) -> list[Selected]:
    parser = Parser(query)
    steps = parser.steps()
    if parser.position < len(query):
        raise ValueError(f"unexpected {query[parser.position :]!r}")
    return _apply(steps, data)


def _apply(steps: list[Step], data: Any) -> list[Selected]:
    selected: dict[tuple[Any, ...], Any] = {(): data}
    for step in steps:
        selected = {path + more: inner for path, value in selected.items() for more, inner in step(value)}
    return list(selected.items())


class Parser:
    def __init__(self, query: str) -> None:
        self.query = query
        self.position = 0

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.query, self.position)
        if found:
            self.position = found.end()
        return found

    def accept(self, text: str) -> bool:
        found = self.query.startswith(text, self.position)
        if found:
            self.position += len(text)
        return found

    def skip_spaces(self) -> None:
        while self.accept(" "):
            pass

    def steps(self) -> list[Step]:
        steps = []
        while step := self.step():
            steps.append(step)
        return steps

    def step(self) -> Step | None:
        if self.accept(".."):
            return _everything
        if self.accept(".*"):
            return _children
        if found := self.match(NAME):
            return _key(found[1])
        if found := self.match(KEY):
            return _key(json.loads(found[1]))
        if found := self.match(POSITION):
            return _at(int(found[1]))
        if found := self.match(SLICE):
            return _slice(slice(*(int(number) if number else None for number in found.groups())))
        if self.accept("[?"):
            return self.filter()
        return None

    def filter(self) -> Step:
        self.skip_spaces()
        steps = self.steps()
        test = self.comparison() or (lambda value: True)
        self.skip_spaces()
        if not self.accept("]"):
            raise ValueError("a filter does not end")
        return lambda value: (
            child for child in _children(value) if any(test(inner) for _, inner in _apply(steps, child[1]))
        )

    def comparison(self) -> Callable[[Any], bool] | None:
        found = self.match(OPERATOR)
        if not found:
            return None
        literal_text = self.match(LITERAL)
        if not literal_text:
            raise ValueError("an operator without a literal")
        literal = json.loads(literal_text[0])
        if found[1] == "=":
            return lambda value: _equal(value, literal)
        if found[1] == "!=":
            return lambda value: not _equal(value, literal)
        ordering = ORDERINGS[found[1]]
        if _type(literal) not in ("string", "number"):
            return lambda value: False
        return lambda value: _type(value) == _type(literal) and ordering(value, literal)


def _key(key: str) -> Step:
    return lambda value: [((key,), value[key])] if isinstance(value, dict) and key in value else []


def _at(position: int) -> Step:
    def step(value: Any) -> list[Selected]:
        if not isinstance(value, list) or not -len(value) <= position < len(value):
            return []
        index = position % len(value)
        return [((index,), value[index])]

    return step


def _slice(part: slice) -> Step:
    def step(value: Any) -> list[Selected]:
        if not isinstance(value, list):
            return []
        return [((index,), value[index]) for index in range(len(value))[part]]

    return step


def _children(value: Any) -> Iterator[Selected]:
    if isinstance(value, dict):
        items: Iterable[tuple[Any, Any]] = value.items()
    else:
        items = enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield (key,), child


def _everything(value: Any) -> Iterator[Selected]:
    level: list[Selected] = [((), value)]
    while level:
        yield from level
        level = [(path + more, inner) for path, outer in level for more, inner in _children(outer)]


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return {str: "string", list: "list", dict: "dictionary"}.get(type(value), "null")


def _equal(value: Any, literal: Any) -> bool:
    return _type(value) == _type(literal) and value == literal
