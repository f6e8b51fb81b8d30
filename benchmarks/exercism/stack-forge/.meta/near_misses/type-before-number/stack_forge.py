# Reports a wrong type of a value that is there before it counts the values.
from __future__ import annotations

import re
from collections.abc import Iterator

INTEGER = re.compile(r"-?[0-9]+")
OPERANDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(["+", "-", "*", "/", "<", "="], (int, int)),
    "dup": (object,),
    "drop": (object,),
    "swap": (object, object),
    "over": (object, object),
    "do": (tuple,),
    "pick": (int, tuple, tuple),
    "repeat": (tuple, int),
    "as": (tuple,),
}

# A value is an integer or a block. Code is a tuple of values, words (strings) and definitions.
Code = tuple


class ForgeError(Exception):
    def __init__(self, kind: str, token: str) -> None:
        super().__init__(f"{kind}: {token}")
        self.kind = kind
        self.token = token


class Definition:
    def __init__(self, name: str) -> None:
        self.name = name


class Forge:
    def __init__(self) -> None:
        self._stack: list[int | Code] = []
        self._words: dict[str, Code] = {}

    def run(self, text: str) -> list[int | str]:
        code = parse(text.split())
        saved = self._stack.copy(), self._words.copy()
        try:
            self._execute(code)
        except ForgeError:
            self._stack, self._words = saved
            raise
        return [value if isinstance(value, int) else render(value) for value in self._stack]

    def _execute(self, code: Code) -> None:
        running: list[Iterator] = [iter(code)]
        while running:
            try:
                item = next(running[-1])
            except StopIteration:
                running.pop()
                continue
            if isinstance(item, (int, tuple)):
                self._stack.append(item)
            elif isinstance(item, Definition):
                [self._words[item.name]] = self._pop("as")
            elif item in self._words:
                running.append(iter(self._words[item]))
            elif item in OPERANDS:
                running.append(self._built_in(item))
            else:
                raise ForgeError("unknown word", item)

    def _built_in(self, word: str) -> Iterator:
        """Execute a word of the language and yield the code that it wants to have executed."""
        operands = self._pop(word)
        match word, operands:
            case "+", (a, b):
                self._stack.append(a + b)
            case "-", (a, b):
                self._stack.append(a - b)
            case "*", (a, b):
                self._stack.append(a * b)
            case "/", (a, b):
                if b == 0:
                    raise ForgeError("division by zero", word)
                quotient = abs(a) // abs(b)
                self._stack.append(quotient if (a < 0) == (b < 0) else -quotient)
            case "<", (a, b):
                self._stack.append(int(a < b))
            case "=", (a, b):
                self._stack.append(int(a == b))
            case "dup", (a,):
                self._stack += [a, a]
            case "swap", (a, b):
                self._stack += [b, a]
            case "over", (a, b):
                self._stack += [a, b, a]
            case "do", (block,):
                yield from block
            case "pick", (flag, block, other):
                yield from block if flag else other
            case "repeat", (block, times):
                for _ in range(times):
                    yield from block

    def _pop(self, word: str) -> list:
        types = OPERANDS[word]
        operands = self._stack[-len(types) :]
        if not all(map(isinstance, reversed(operands), reversed(types))):
            raise ForgeError("wrong type", word)
        if len(operands) < len(types):
            raise ForgeError("too few values", word)
        del self._stack[-len(types) :]
        return operands


def parse(tokens: list[str]) -> Code:
    check_brackets(tokens)
    open_blocks: list[list] = [[]]
    position = 0
    while position < len(tokens):
        token = tokens[position]
        position += 1
        if token == "[":
            open_blocks.append([])
        elif token == "]":
            block = tuple(open_blocks.pop())
            open_blocks[-1].append(block)
        elif token == "as":
            name = tokens[position] if position < len(tokens) else "]"
            if name in ("[", "]", "as") or INTEGER.fullmatch(name):
                raise ForgeError("bad name", token)
            position += 1
            open_blocks[-1].append(Definition(name))
        else:
            open_blocks[-1].append(int(token) if INTEGER.fullmatch(token) else token)
    return tuple(open_blocks[0])


def check_brackets(tokens: list[str]) -> None:
    depth = 0
    for token in tokens:
        depth += (token == "[") - (token == "]")
        if depth < 0:
            raise ForgeError("bad block", token)
    if depth:
        raise ForgeError("bad block", "[")


def render(block: Code) -> str:
    parts = []
    pending: list = [block]
    while pending:
        item = pending.pop()
        if isinstance(item, tuple):
            pending += ["]", *reversed(item), "["]
        elif isinstance(item, Definition):
            parts += ["as", item.name]
        else:
            parts.append(str(item))
    return " ".join(parts)
