"""aider's udiff format, read as aider 0.86.2 reads it, and judged with mercy.

aider finds a hunk that does not fit exactly by many ways: less context, other blanks, lines left out. So a hunk is
refused here only where none of these could find it; what is refused here, aider refuses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    hunks = [hunk for hunk in read_hunks(text) if list(map(_plain, hunk.old)) != list(map(_plain, hunk.new))]
    if not hunks:
        raise RefusedEdit("it holds no hunk that changes anything")
    after: dict[str, str] = {}
    vague = set()
    known = {name: {line.strip() for line in content.splitlines()} for name, content in files.items()}
    for hunk in dict.fromkeys(hunks):
        there = known.setdefault(hunk.name, set())
        content = after.get(hunk.name, files.get(hunk.name))
        old, new = "".join(hunk.old), "".join(hunk.new)
        if not old.strip():
            after[hunk.name] = (content or "") + new
        elif content is not None and content.count(old) == 1:
            after[hunk.name] = content.replace(old, new)
        elif _only_blank(hunk) or _may_fit(hunk, there):
            vague.add(hunk.name)
        else:
            raise RefusedEdit(f"a hunk matches nothing in {hunk.name}")
        there.update(line[1:].strip() for line in hunk.lines if _mark(line) == "+")
    return {name: content for name, content in after.items() if name not in vague}


def _plain(line: str) -> str:
    """The line as it is compared: of one that has blanks alone only its end."""
    return line if line.strip() else "\n"


def _only_blank(hunk: Hunk) -> bool:
    """Whether blank lines are all that it adds and removes."""
    return not any(line[1:].strip() for line in hunk.lines if _mark(line) != " ")


def _may_fit(hunk: Hunk, there: set[str]) -> bool:
    """Whether aider might find the hunk's place: enough of its old lines are `there`, or all that it removes."""
    old = [line.strip() for line in hunk.old]
    if sum(not line or line in there for line in old) >= _LEAST_FOUND * len(old):
        return True
    removed = [line[1:].strip() for line in hunk.lines if _mark(line) == "-"]
    if any(removed):
        return all(not line or line in there for line in removed)
    return any(line and line in there for line in old)


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
    """The lines of each ```diff block. Of one that is not closed aider leaves out the last line."""
    lines = (text if text.endswith("\n") else text + "\n").splitlines(keepends=True)
    at = 0
    while at < len(lines):
        if lines[at].startswith(_FENCE + "diff"):
            start, at = at + 1, at + 1
            while at < len(lines) - 1 and not lines[at].startswith(_FENCE):
                at += 1
            yield lines[start:at]
        at += 1


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
