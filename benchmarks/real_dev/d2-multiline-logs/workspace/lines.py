"""Lines of a file that is read in pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

CHUNK_SIZE = 4096


def iter_chunks(path: Path) -> Iterator[bytes]:
    """The content of a file, piece by piece; log files are large."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_SIZE):
            yield chunk


def iter_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """The lines in the chunks, without their ends."""
    rest = ""
    for chunk in chunks:
        rest += chunk.decode("utf-8", errors="replace")
        *lines, rest = rest.split("\n")
        yield from lines
