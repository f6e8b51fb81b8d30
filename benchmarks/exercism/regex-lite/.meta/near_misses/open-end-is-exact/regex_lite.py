# Reads {2,} like {2}.
from __future__ import annotations

import re
from collections.abc import Callable, Iterable

# A matcher takes a text and the start positions, and returns all positions where a match from one of them can end.
Ends = frozenset[int]
Matcher = Callable[[str, int], Ends]

REPETITION = re.compile(r"\*|\{([0-9]+)(,([0-9]*))?\}")


def matches(pattern: str, text: str) -> bool:
    return len(text) in Parser(pattern).parse()(text, 0)


class Parser:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.position = 0

    def parse(self) -> Matcher:
        matcher = self.alternatives()
        if self.position < len(self.pattern):
            raise ValueError("unexpected )")
        return matcher

    def peek(self) -> str:
        return self.pattern[self.position : self.position + 1]

    def alternatives(self) -> Matcher:
        parts = [self.conjunction()]
        while self.peek() == "|":
            self.position += 1
            parts.append(self.conjunction())
        return remembering(lambda text, start: frozenset().union(*(part(text, start) for part in parts)))

    def conjunction(self) -> Matcher:
        first = self.sequence()
        others = []
        while self.peek() == "&":
            self.position += 1
            others.append(self.sequence())
        return remembering(lambda text, start: first(text, start).intersection(*(p(text, start) for p in others)))

    def sequence(self) -> Matcher:
        parts = []
        while self.peek() not in ("", "|", "&", ")"):
            parts.append(self.repeated())

        def match(text: str, start: int) -> Ends:
            ends = frozenset([start])
            for part in parts:
                ends = step(part, text, ends)
            return ends

        return match

    def repeated(self) -> Matcher:
        matcher = self.single()
        found = REPETITION.match(self.pattern, self.position)
        if not found:
            return matcher
        self.position = found.end()
        if found[0] == "*":
            return remembering(repetition(matcher, 0, None))
        least = int(found[1])
        most = int(found[3]) if found[3] else least
        if most is not None and most < least:
            raise ValueError("the second number of a repetition is less than the first")
        return remembering(repetition(matcher, least, most))

    def single(self) -> Matcher:
        character = self.peek()
        self.position += 1
        if character == ".":
            return lambda text, start: frozenset([start + 1] if start < len(text) else [])
        if character == "(":
            matcher = self.alternatives()
            if self.peek() != ")":
                raise ValueError("missing )")
            self.position += 1
            return matcher
        if character == "\\":
            character = self.peek()
            self.position += 1
            if not character:
                raise ValueError("nothing after the last backslash")
        elif character in "*{}":
            raise ValueError(f"misplaced {character}")
        return lambda text, start: frozenset([start + 1] if text.startswith(character, start) else [])


def remembering(matcher: Matcher) -> Matcher:
    known: dict[int, Ends] = {}

    def match(text: str, start: int) -> Ends:
        if start not in known:
            known[start] = matcher(text, start)
        return known[start]

    return match


def step(matcher: Matcher, text: str, starts: Iterable[int]) -> Ends:
    return frozenset().union(*(matcher(text, start) for start in starts))


def repetition(matcher: Matcher, least: int, most: int | None) -> Matcher:
    def match(text: str, start: int) -> Ends:
        ends = frozenset([start])
        for _ in range(least):
            ends = step(matcher, text, ends)
        newest, rounds = ends, least
        while newest and rounds != most:
            newest = step(matcher, text, newest) - ends
            ends |= newest
            rounds += 1
        return ends

    return match
