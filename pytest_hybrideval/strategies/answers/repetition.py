"""Whether a text goes round in circles, as small models do: the same line, block or word over and over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

LINE_TIMES = 30
BLOCK_TIMES = 10
WORD_TIMES = 100
_LONGEST_BLOCK = 20
_LEAST_CHARACTERS = 200
_LETTER = re.compile(r"[^\W\d_]")
_SAME_WORD = re.compile(rf"\b([^\W\d_]\w*)\b(?:\W+\1\b){{{WORD_TIMES - 1},}}")
_QUOTED = 40


def looping(text: str, shown: Iterable[str] = ()) -> str:
    """What is repeated, in words, empty where nothing is.

    That is a line `LINE_TIMES` times in a row, a block of two to twenty lines `BLOCK_TIMES`, or a word `WORD_TIMES`.
    It must hold letters: rows of numbers are data. What repeats in a file that is `shown` may do so in the answer, too.
    """
    lines = [line.strip() for line in text.splitlines()]
    known = ["\n".join(line.strip() for line in content.splitlines()) for content in shown]
    for block, times in _repeated(lines):
        passage = "\n".join(block * (LINE_TIMES if len(block) == 1 else BLOCK_TIMES))
        if _LETTER.search(passage) and len(passage) >= _LEAST_CHARACTERS and not any(passage in file for file in known):
            what = "the line" if len(block) == 1 else f"a block of {len(block)} lines from"
            return f"{what} {_quoted(next(filter(None, block)))} {times} times over"
    word = _SAME_WORD.search(text)
    if word and not any(" ".join(word[0].split()) in " ".join(content.split()) for content in shown):
        return f"the word {_quoted(word[1])} at least {WORD_TIMES} times over"
    return ""


def _repeated(lines: list[str]) -> Iterator[tuple[list[str], int]]:
    """Every block that stands often enough in a row, with how often; shorter blocks first."""
    for length in range(1, _LONGEST_BLOCK + 1):
        least = LINE_TIMES if length == 1 else BLOCK_TIMES
        same = 0
        for at in range(length, len(lines) + 1):
            if at < len(lines) and lines[at] == lines[at - length]:
                same += 1
                continue
            if same >= (least - 1) * length:
                start = at - same - length
                yield lines[start : start + length], same // length + 1
            same = 0


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _QUOTED else text[:_QUOTED] + "…")
