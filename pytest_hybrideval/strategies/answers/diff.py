"""aider's diff format: SEARCH/REPLACE blocks, read and applied as strictly as aider 0.86.2 does, and no more so."""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_hybrideval.strategies.answers import RefusedEdit

_OPENS = re.compile(r"<{5,9} SEARCH>?\s*")
_DIVIDES = re.compile(r"={5,9}\s*")
_CLOSES = re.compile(r">{5,9} REPLACE\s*")
_SHELL = re.compile(r"```(?:bash|sh|cmd|batch|powershell|ps1|zsh|fish|ksh|csh|tcsh)")
_DOTS = re.compile(r"(^\s*\.\.\.\n)", re.M)
_PLAIN_FENCE = "```"
_LIKE = 0.8


@dataclass(frozen=True)
class Block:
    """One block: in the file `name` the lines `old` become `new`."""

    name: str
    old: str
    new: str


def texts_after(text: str, shown: Mapping[str, str], fence: str) -> dict[str, str]:
    """The files that an answer changes, as they are when its blocks have been applied one after the other.

    `shown` are the files by their names. Raises `RefusedEdit` where there is no block, or one that cannot be read or
    stands nowhere.
    """
    files = dict(shown)
    changed = []
    for block in read_blocks(text, tuple(shown), fence):
        own = posixpath.normpath(block.name)
        name, after = own, replaced(files.get(own), block, fence)
        if not after and block.old.strip():  # as aider does, look for it in the other files
            others = ((other, replaced(files[other], block, fence)) for other in shown if other != own)
            name, after = next(((other, content) for other, content in others if content), (own, None))
        if not after:
            raise RefusedEdit(f"a SEARCH block matches nothing in {block.name}")
        files[name] = after
        changed.append(name)
    if not changed:
        raise RefusedEdit("it holds no SEARCH/REPLACE block")
    return {name: files[name] for name in changed}


def read_blocks(text: str, shown: tuple[str, ...], fence: str) -> Iterator[Block]:
    """The blocks of an answer. Raises `RefusedEdit` at the first that is not as it must be."""
    lines = text.splitlines(keepends=True)
    at, name = 0, ""
    while at < len(lines):
        if _SHELL.match(lines[at].strip()) and not any(_is(_OPENS, lines, at + ahead) for ahead in (1, 2)):
            at = _find(lines, at + 1, re.compile(r"```.*"))
        elif _is(_OPENS, lines, at):
            before = lines[max(0, at - 3) : at][::-1]
            creates = _is(_DIVIDES, lines, at + 1)
            name = _file_name(before, () if creates else shown, fence) or name
            if not name:
                raise RefusedEdit("a SEARCH block names no file")
            middle = _find(lines, at + 1, _DIVIDES)
            end = min(_find(lines, middle + 1, _CLOSES), _find(lines, middle + 1, _DIVIDES))
            if end >= len(lines):
                raise RefusedEdit(f"a SEARCH block for {name} is not closed")
            yield Block(name, "".join(lines[at + 1 : middle]), "".join(lines[middle + 1 : end]))
            at = end
        at += 1


def _is(mark: re.Pattern[str], lines: list[str], at: int) -> bool:
    return at < len(lines) and mark.fullmatch(lines[at].strip()) is not None


def _find(lines: list[str], start: int, mark: re.Pattern[str]) -> int:
    """The next line that is a mark; past the last one where there is none."""
    return next((at for at in range(start, len(lines)) if _is(mark, lines, at)), len(lines))


def _file_name(before: list[str], shown: tuple[str, ...], fence: str) -> str:
    """The best file name in the lines above a block, nearest first; fences between them are skipped."""
    names = []
    for line in before:
        names.append(_name_in(line, fence))
        if not line.startswith((fence, _PLAIN_FENCE)):
            break
    names = [name for name in names if name]
    for name in names:
        if name in shown:
            return name
    for name in names:
        for known in shown:
            if name == posixpath.basename(known):
                return known
    for name in names:
        if close := difflib.get_close_matches(name, shown, n=1, cutoff=_LIKE):
            return close[0]
    return next((name for name in names if "." in name), names[0] if names else "")


def _name_in(line: str, fence: str) -> str:
    line = line.strip()
    for mark in (fence, _PLAIN_FENCE):
        if line.startswith(mark):
            rest = line[len(mark) :]
            return rest if "." in rest or "/" in rest else ""
    return "" if line == "..." else line.rstrip(":").lstrip("#").strip().strip("`").strip("*")


def replaced(content: str | None, block: Block, fence: str) -> str | None:
    """The content after a block; None where the block stands nowhere in it. `content` None is a file not there yet."""
    old, new = _unwrapped(block.old, block.name, fence), _unwrapped(block.new, block.name, fence)
    if not old.strip():
        return (content or "") + new
    if content is None:
        return None
    whole = _ended(content).splitlines(keepends=True)
    searched, put = old.splitlines(keepends=True), _ended(new).splitlines(keepends=True)
    found = _at_some_place(whole, searched, put)
    if not found and len(searched) > 2 and not searched[0].strip():
        found = _at_some_place(whole, searched[1:], put)
    return found or _around_dots("".join(whole), old, _ended(new))


def _at_some_place(whole: list[str], old: list[str], new: list[str]) -> str | None:
    """With `new` where `old` first stands, else where it stands with all lines indented more by the same blanks."""
    places = range(len(whole) - len(old) + 1)
    for at in places:
        if whole[at : at + len(old)] == old:
            return "".join([*whole[:at], *new, *whole[at + len(old) :]])
    indents = [len(line) - len(line.lstrip()) for line in (*old, *new) if line.strip()]
    least = min(indents, default=0)
    old, new = ([line[least:] if line.strip() else line for line in lines] for lines in (old, new))
    for at in places:
        shift = _shift(whole[at : at + len(old)], old)
        if shift is not None:
            moved = [shift + line if line.strip() else line for line in new]
            return "".join([*whole[:at], *moved, *whole[at + len(old) :]])
    return None


def _shift(there: list[str], old: list[str]) -> str | None:
    """What stands before every line of `old` in the file; None where the lines are others, or shifted differently."""
    if any(one.lstrip() != other.lstrip() for one, other in zip(there, old, strict=True)):
        return None
    pairs = zip(there, old, strict=True)
    shifts = {one[: len(one) - len(other)] for one, other in pairs if one.strip()}
    return shifts.pop() if len(shifts) == 1 else None


def _around_dots(whole: str, old: str, new: str) -> str | None:
    """With the parts between lines of `...` replaced one by one, where each stands exactly once."""
    olds, news = _DOTS.split(_ended(old)), _DOTS.split(new)
    if len(olds) != len(news) or len(olds) == 1 or olds[1::2] != news[1::2]:
        return None
    for part, put in zip(olds[::2], news[::2], strict=True):
        if part:
            if whole.count(part) != 1:
                return None
            whole = whole.replace(part, put, 1)
        elif put:
            whole = _ended(whole) + put
    return whole


def _unwrapped(text: str, name: str, fence: str) -> str:
    """Without a file name and fences of its own around it."""
    lines = text.splitlines()
    if lines and lines[0].strip().endswith(posixpath.basename(name)):
        lines = lines[1:]
    if lines and lines[0].startswith(fence) and lines[-1].startswith(fence):
        lines = lines[1:-1]
    return _ended("\n".join(lines))


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
