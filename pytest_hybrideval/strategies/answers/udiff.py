"""aider's udiff format, read as aider 0.86.2 reads it, and judged with mercy.

aider finds a hunk that does not fit exactly by many ways: less context, other blanks, lines left out. So a hunk is
refused here only where none of these could find it; what is refused here, aider refuses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

from pytest_hybrideval.strategies.answers import RefusedEdit

_FENCE = "```"
# aider leaves lines out of a hunk that the file has not, as long as two thirds of its old lines remain.
_LEAST_FOUND = 0.66


class Hunk(NamedTuple):
    """One hunk of the file `name`, each line with its mark."""

    name: str
    lines: tuple[str, ...]

    @property
    def old(self) -> list[str]:
        """The lines that must be there."""
        return [_unmarked(line) for line in self.lines if _mark(line) != "+"]

    @property
    def new(self) -> list[str]:
        """The lines that stand there afterwards."""
        return [_unmarked(line) for line in self.lines if _mark(line) != "-"]


def texts_after(text: str, files: Mapping[str, str]) -> dict[str, str]:
    """The files that an answer changes, as they are afterwards; those are left out of which that cannot be told.

    Raises `RefusedEdit` where there is no hunk, or one that aider would refuse.
    """
    hunks = [hunk for hunk in read_hunks(text) if list(map(str.rstrip, hunk.old)) != list(map(str.rstrip, hunk.new))]
    if not hunks:
        raise RefusedEdit("it holds no hunk that changes anything")
    after: dict[str, str] = {}
    vague = set()
    for hunk in dict.fromkeys(hunks):
        content = after.get(hunk.name, files.get(hunk.name))
        old, new = "".join(hunk.old), "".join(hunk.new)
        if not old.strip():
            after[hunk.name] = (content or "") + new
        elif content is not None and content.count(old) == 1:
            after[hunk.name] = content.replace(old, new)
        elif content is not None and _may_fit(hunk, content):
            vague.add(hunk.name)
        else:
            raise RefusedEdit(f"a hunk matches nothing in {hunk.name}")
    return {name: content for name, content in after.items() if name not in vague}


def _may_fit(hunk: Hunk, content: str) -> bool:
    """Whether aider might find the hunk's place: enough of its old lines are there, or all that it removes."""
    there = [line.strip() for line in content.splitlines()]
    old = [line.strip() for line in hunk.old if line.strip()]
    if sum(line in there for line in old) >= _LEAST_FOUND * len(old):
        return True
    removed = [
        [line[1:].strip() for line in lines if line[1:].strip()]
        for mark, lines in groupby(hunk.lines, key=_mark)
        if mark == "-"
    ]
    kept = [line for line in hunk.lines if _mark(line) == " " and line.strip()]
    if not any(removed):
        return any(line.strip() in there for line in kept)
    return all(line in there for lines in removed for line in lines)


def read_hunks(text: str) -> Iterator[Hunk]:
    """The hunks of an answer's ```diff blocks. Raises `RefusedEdit` for one of no file."""
    name = ""
    for block in _blocks(text):
        for hunk_name, lines in _cut(block):
            name = hunk_name or name
            if not name:
                raise RefusedEdit("a hunk names no file")
            yield Hunk(name, tuple(lines))


def _blocks(text: str) -> Iterator[list[str]]:
    lines = iter((text if text.endswith("\n") else text + "\n").splitlines(keepends=True))
    for line in lines:
        if line.startswith(_FENCE + "diff"):
            block = []
            for inner in lines:
                if inner.startswith(_FENCE):
                    break
                block.append(inner)
            yield block


def _cut(block: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Name, empty where there is none, and lines of each hunk that adds or removes something."""
    name = ""
    lines: list[str] = []
    for at, line in enumerate([*block, "@@ @@\n"]):
        heads = line.startswith("+++ ") and at > 0 and block[at - 1].startswith("--- ")
        if heads:
            lines.pop()
        if heads or line.startswith("@"):
            if any(_mark(kept) in "-+" for kept in lines):
                yield name, lines
            lines = []
            name = _file_name(block[at - 1], line) if heads else name
        else:
            lines.append(line)


def _file_name(before: str, after: str) -> str:
    old, new = before[4:].strip(), after[4:].strip()
    prefixed = (old.startswith("a/") or old == "/dev/null") and new.startswith("b/")
    return new[2:] if prefixed else new


def _mark(line: str) -> str:
    """What a line of a hunk begins with; a line without a mark is taken for one that stays, as aider does."""
    return line[0] if len(line) > 1 and line[0] in "-+" else " "


def _unmarked(line: str) -> str:
    return line[1:] if len(line) > 1 and line[0] in "-+ " else line
