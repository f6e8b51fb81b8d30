"""Answers that repeat themselves without end, told from text that repeats itself for a good reason. No I/O."""

from __future__ import annotations

STEP = 256
_UNIT = 64


class LoopWatch:
    """Watches a text as it grows for an endless loop: one block, over and over, up to where the text has come.

    A loop is a text whose last `characters` characters, and no fewer than `repeats` blocks, are one block of at most
    `block` characters again and again, down to the last byte. Tables of zeros, blank lines, braces and rules of dashes
    repeat themselves as exactly, but not for so long; a numbered list goes on for long, but not exactly.
    """

    def __init__(self, block: int, repeats: int, characters: int) -> None:
        """All counts are of characters but `repeats`."""
        self._block = block
        self._repeats = repeats
        self._characters = max(characters, 2 * block)  # the last block must be found once more before itself
        self._tail = ""
        self._fresh: list[str] = []
        self._waiting = 0

    @property
    def bound(self) -> int:
        """After so many characters of one and the same block the loop has been seen at the latest."""
        return max(self._characters, self._repeats * self._block) + STEP

    def feed(self, text: str) -> bool:
        """Whether the text, with this at its end, is in a loop. It is looked at every so many characters."""
        self._fresh.append(text)
        self._waiting += len(text)
        if self._waiting < STEP:
            return False
        fresh = "".join(self._fresh)
        self._fresh, self._waiting = [], 0
        return any(self._look(fresh[start : start + STEP]) for start in range(0, len(fresh), STEP))

    def _look(self, fresh: str) -> bool:
        self._tail = (self._tail + fresh)[-self.bound :]
        if len(self._tail) < self._characters:
            return False
        # The nearest earlier place of the last `block` characters tells the only period that the end can have.
        end = len(self._tail)
        place = self._tail.rfind(self._tail[-self._block :], end - 2 * self._block, end - 1)
        if place < 0:
            return False
        period = end - self._block - place
        length = max(self._characters, self._repeats * period)
        run = self._tail[-length:]
        return len(run) == length and run[period:] == run[:-period]


def ends_in_repeats(text: str, times: int) -> bool:
    """Whether a text ends in one short piece, `times` times in a row or more, blanks between them aside."""
    if not text[-times:].strip():
        return len(text) >= times
    ending = "".join(text[-2 * _UNIT * times :].split())
    sizes = range(1, min(_UNIT, len(ending) // times) + 1)
    return any(ending.endswith(ending[-size:] * times) for size in sizes)
