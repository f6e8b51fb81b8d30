"""A cassette: a file of recorded answers, one a line, that any number of processes append to. See docs/cassettes.md."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_hybrideval.core.errors import CassetteError

FORMAT = 1
_HEADER = "hybrideval_cassette"
_NEEDED = ("key", "nth", "kind", "asked", "by", "run", "form", "messages", "parameters", "answer")
_BLOCK = 64 * 1024


@dataclass(frozen=True)
class Take:
    """One recorded answer. `entry` is its line, `place` says where that stands, for errors."""

    entry: Mapping[str, Any]
    place: str

    @property
    def answer(self) -> Mapping[str, Any]:
        """The answer, see `cassette_answers`."""
        answer: Mapping[str, Any] = self.entry["answer"]
        return answer

    @property
    def temperature(self) -> float | None:
        """The temperature that was sent."""
        temperature: float | None = self.entry.get("temperature")
        return temperature

    @property
    def seconds(self) -> float:
        """How long the model took for it."""
        return float(self.entry["seconds"])

    @contextmanager
    def read(self) -> Iterator[Mapping[str, Any]]:
        """Its answer, to be read. Raises `CassetteError` naming the line where it cannot be."""
        try:
            yield self.answer
        except (LookupError, TypeError, ValueError, zlib.error) as error:
            raise _damaged(self.place, f"its answer cannot be read: {type(error).__name__}: {error}") from error


class Cassette:
    """One file. Read when it is asked for the first time, and again where others may have added to it."""

    def __init__(self, path: Path) -> None:
        """`path` need not exist."""
        self.path = path
        self.entries: list[Mapping[str, Any]] = []
        self._takes: dict[tuple[str, int], list[Take]] = {}
        self._offset = 0
        self._lines = 0
        self._damage: CassetteError | None = None

    def takes(self, key: str, nth: int) -> list[Take]:
        """The answers to the `nth` of equal requests, oldest first; more than one where it was recorded anew."""
        return self._takes.get((key, nth), [])

    @property
    def damaged(self) -> bool:
        """Whether a line could not be read; `refresh` says which."""
        return self._damage is not None

    def refresh(self) -> None:
        """Read what has been added. A last line without its end is one whose writer was killed, and does not count.

        Raises `CassetteError` for the first line that is damaged, and the same one from then on.
        """
        if self._damage is not None:
            raise self._damage
        with file_faults(self.path):
            try:
                with self.path.open("rb") as file:
                    file.seek(self._offset)
                    whole, end, _ = file.read().rpartition(b"\n")
            except FileNotFoundError:
                return
        for line in whole.split(b"\n") if end else ():
            try:
                self._read(line, f"{self.path}:{self._lines + 1}")
            except CassetteError as damage:
                self._damage = damage
                raise
            self._lines += 1
            self._offset += len(line) + 1

    def append(self, entry: Mapping[str, Any]) -> None:
        """Add a line, in one write; the first writer adds the header. Raises `CassetteError` where the disk is full."""
        with file_faults(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                end = _cut_torn_line(descriptor)
                data = (b"" if end else _line({_HEADER: FORMAT})) + _line(entry)
                if os.write(descriptor, data) != len(data):
                    os.ftruncate(descriptor, end)  # half a line would spoil the file for every reader
                    raise OSError(errno.ENOSPC, "the disk is full")
            finally:
                os.close(descriptor)

    def _read(self, line: bytes, place: str) -> None:
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise _damaged(place, f"not JSON: {error}") from None
        if not isinstance(entry, dict):
            raise _damaged(place, "not a JSON object")
        if _HEADER in entry:
            if entry[_HEADER] != FORMAT:
                raise CassetteError(f"{place}: written in format {entry[_HEADER]}; this version reads {FORMAT}")
            return
        missing = [name for name in _NEEDED if name not in entry]
        if missing or self._lines == 0:
            raise _damaged(place, f"without '{missing[0] if missing else _HEADER}'")
        self.entries.append(entry)
        self._takes.setdefault((entry["key"], entry["nth"]), []).append(Take(entry, place))


def _line(entry: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(entry, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half of a surrogate pair can only be written escaped
        return json.dumps(entry).encode() + b"\n"


def _cut_torn_line(descriptor: int) -> int:
    """Drop what a killed writer left of its line; where the file then ends."""
    size = end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - _BLOCK)
        at = os.pread(descriptor, end - start, start).rfind(b"\n")
        if at >= 0:
            end = start + at + 1
            break
        end = start
    if end < size:
        os.ftruncate(descriptor, end)
    return end


def _damaged(place: str, why: str) -> CassetteError:
    return CassetteError(f"{place}: damaged, {why}; delete the line or the file, and record it again")


@contextmanager
def file_faults(path: Path) -> Iterator[None]:
    """Faults of the file system as `CassetteError`."""
    try:
        yield
    except OSError as error:
        raise CassetteError(f"{path}: {error.strerror or error}") from error
