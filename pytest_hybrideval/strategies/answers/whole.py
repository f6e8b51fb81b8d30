"""aider's whole format: listings of complete files, read as aider 0.86.2 reads them."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator
from typing import NamedTuple

from pytest_hybrideval.strategies.answers import RefusedEdit

_LONGEST_NAME = 250


class Listing(NamedTuple):
    """A file as an answer lists it. `rank` says where its name is from: 0 above it, 1 mentioned, 2 the only file."""

    rank: int
    name: str
    content: str


def texts_after(text: str, shown: Collection[str], fence: str) -> dict[str, str]:
    """The files that an answer lists, with their contents; `shown` are the names of those in the chat.

    A listing that is not closed counts, as it does for aider. Raises `RefusedEdit` where there is none, or one of no
    file.
    """
    listings = sorted(_listings(text, shown, fence), key=lambda listing: listing.rank)
    if not listings:
        raise RefusedEdit("it lists no file")
    found: dict[str, str] = {}
    for listing in listings:
        found.setdefault(listing.name, listing.content)
    return found


def _listings(text: str, shown: Collection[str], fence: str) -> Iterator[Listing]:
    opened: tuple[int, str] | None = None
    content: list[str] = []
    mentioned = above = ""
    for line in text.splitlines(keepends=True):
        if not line.startswith(fence):
            if opened:
                content.append(line)
            else:
                mentioned = _mentioned(line, shown) or mentioned
        elif opened:
            yield Listing(*opened, "".join(content))
            opened, mentioned = None, ""
        else:
            opened, content = _named(above, mentioned, shown, fence), []
        above = line
    if opened:
        yield Listing(*opened, "".join(content))


def _named(above: str, mentioned: str, shown: Collection[str], fence: str) -> tuple[int, str]:
    """Rank and name of the listing that begins below the line `above`."""
    name = above.strip().strip("*").rstrip(":").strip("`").lstrip("#").strip()
    if name and len(name) <= _LONGEST_NAME:
        base = posixpath.basename(name)
        return 0, base if name not in shown and base in shown else posixpath.normpath(name)
    if mentioned:
        return 1, mentioned
    if len(shown) == 1:
        return 2, next(iter(shown))
    raise RefusedEdit("a file listing names no file")


def _mentioned(line: str, shown: Collection[str]) -> str:
    """The last file in the chat that a line names in backticks."""
    if "`" not in line:
        return ""
    words = (word.rstrip(".:,;!") for word in reversed(line.split()))
    names = (word[1:-1] for word in words if len(word) > 2 and word[0] == word[-1] == "`")
    return next((name for name in names if name in shown), "")
