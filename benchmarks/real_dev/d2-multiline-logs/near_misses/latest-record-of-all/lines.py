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
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", errors="replace")
    if rest:
        yield rest.decode("utf-8", errors="replace")
