# Ignores what follows the record.
from __future__ import annotations

import re
from dataclasses import dataclass, field

BLANKS = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
NAME = re.compile(r"[a-z-]+")
PLAIN = re.compile(r"[^`|]*")
ESCAPES = {"`": "`", "|": "|", "n": "\n", "\n": ""}


@dataclass
class Node:
    properties: dict[str, list[str]] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)


class RecordError(ValueError):
    def __init__(self, position: int) -> None:
        super().__init__(f"not a game record at index {position}")
        self.position = position


def parse(text: str) -> Node:
    parser = _Parser(text)
    parser.skip_blanks()
    node = parser.node()
    return node


def write(node: Node) -> str:
    properties = (
        f"{name}=" + "".join(f"|{_escape(value)}|" for value in values) for name, values in node.properties.items()
    )
    return "{" + "".join(properties) + "".join(map(write, node.children)) + "}"


def _escape(value: str) -> str:
    return re.sub(r"[`|]", r"`\g<0>", value).replace("\n", "`n")


class _Parser:
    """Reads one part of the record after the other; each part takes the blanks after it along."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    @property
    def next(self) -> str:
        return self.text[self.position : self.position + 1]

    def skip_blanks(self) -> None:
        self.position = BLANKS.match(self.text, self.position).end()

    def expect(self, symbol: str) -> None:
        if self.next != symbol:
            raise RecordError(self.position)
        self.position += 1
        self.skip_blanks()

    def node(self) -> Node:
        node = Node()
        self.expect("{")
        while match := NAME.match(self.text, self.position):
            start, self.position = match.span()
            self.skip_blanks()
            self.expect("=")
            if match[0] in node.properties:
                raise RecordError(start)
            node.properties[match[0]] = self.values()
        while self.next == "{":
            node.children.append(self.node())
        self.expect("}")
        return node

    def values(self) -> list[str]:
        values = [self.value()]
        while self.next == "|":
            values.append(self.value())
        return values

    def value(self) -> str:
        if self.next != "|":
            raise RecordError(self.position)
        self.position += 1
        parts = []
        while True:
            match = PLAIN.match(self.text, self.position)
            parts.append(match[0])
            self.position = match.end()
            if self.next == "|":
                break
            self.position = min(self.position + 1, len(self.text))
            if self.next not in ESCAPES:
                raise RecordError(self.position)
            parts.append(ESCAPES[self.next])
            self.position += 1
        self.expect("|")
        return "".join(parts)
