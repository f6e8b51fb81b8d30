"""A run's directory: what is appended while it runs, and what is written when it ends."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import Any

from pytest_hybrideval.core.errors import RecordError
from pytest_hybrideval.core.records import CallRecord, TrialRecord, call_from_json, to_json, trial_from_json

RAW = "raw.jsonl"
CALLS = "calls.jsonl"
MANIFEST = "manifest.json"
LATEST = "latest"


class RunDirectory:
    """Appends records as they come, a flushed line each, and remembers those that the disk would not take."""

    def __init__(self, path: Path, *, newest: bool = True) -> None:
        """`path` is `results/<run-id>`; nothing is created before the first write. `latest` will name the `newest`."""
        self.path = path
        self._newest = newest
        self.records: list[TrialRecord] = []
        self.problem = ""
        self._waiting: list[tuple[str, str]] = []
        self._files: dict[str, FileIO] = {}

    @classmethod
    def resumed(cls, path: Path) -> tuple[RunDirectory, int]:
        """A run's directory to go on with, its records read, and the bytes that were cut off.

        A process that was killed while it wrote leaves half a line at the end of a file: what was not whole is cut off.
        Raises `RecordError` naming file and line where anything else is wrong.
        """
        cut = sum(_cut_half_line(path / name) for name in (RAW, CALLS))
        directory = cls(path)
        directory.records = list(read_trials(path / RAW))
        return directory, cut

    def append(self, record: TrialRecord, calls: Iterable[CallRecord]) -> None:
        """A finished trial. A disk that is full loses nothing that can still be written later."""
        self.records.append(record)
        self._waiting += [(CALLS, json.dumps(to_json(call))) for call in calls]
        self._waiting.append((RAW, json.dumps(to_json(record))))
        self.flush()

    def flush(self) -> None:
        """Write what is waiting. On failure `problem` says why, and the lines keep waiting."""
        try:
            while self._waiting:
                name, line = self._waiting[0]
                self._write(name, line)
                del self._waiting[0]
        except OSError as error:
            self.problem = f"{len(self._waiting)} lines could not be written to {self.path}: {error.strerror or error}"
        else:
            self.problem = ""

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """A whole JSON file, replaced at once: a reader sees the old or the new one, never half."""
        self.write_text(name, json.dumps(content, indent=2, sort_keys=False) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """A whole text file, replaced at once."""
        self._create()
        new = self.path / f".{name}.new"
        new.write_text(text, encoding="utf-8")
        new.replace(self.path / name)

    def close(self) -> None:
        """Close the files that are appended to."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _write(self, name: str, line: str) -> None:
        self._create()
        if name not in self._files:
            # Unbuffered: a line is on its way to the disk when this returns, or it is still in `_waiting`.
            self._files[name] = (self.path / name).open("ab", buffering=0)
        file, data = self._files[name], line.encode() + b"\n"
        start = os.fstat(file.fileno()).st_size
        if file.write(data) != len(data):
            file.truncate(start)  # half a line would spoil the file for every reader
            raise OSError(errno.ENOSPC, "the disk is full")

    def _create(self) -> None:
        if not self.path.is_dir():
            self.path.mkdir(parents=True, exist_ok=True)
        if not self._newest:
            return
        try:
            self._point_latest_here()
        except OSError:
            pass  # a convenience; not every file system has links

    def _point_latest_here(self) -> None:
        latest = self.path.parent / LATEST
        if latest.is_symlink() and latest.readlink() == Path(self.path.name):
            return
        if latest.exists() and not latest.is_symlink():
            return  # somebody's own folder of that name
        new = self.path.parent / f".latest-{os.getpid()}"
        new.unlink(missing_ok=True)
        new.symlink_to(self.path.name)
        new.replace(latest)


def _cut_half_line(file: Path) -> int:
    """Cut what follows the last line feed; how many bytes that was."""
    if not file.exists():
        return 0
    with file.open("r+b") as lines:
        content = lines.read()
        whole = content.rfind(b"\n") + 1
        lines.truncate(whole)
    return len(content) - whole


def read_trials(path: Path, *, half_line: bool = False) -> Iterator[TrialRecord]:
    """The records of a `raw.jsonl`, in order. A bad line raises `RecordError` naming file and line.

    With `half_line` a last line without its line feed, which a killed process left, is passed over.
    """
    for number, data in _lines(path, half_line=half_line):
        try:
            yield trial_from_json(data)
        except RecordError as error:
            raise RecordError(f"{path}:{number}: {error}") from None


def read_calls(path: Path) -> Iterator[CallRecord]:
    """The lines of a `calls.jsonl`, in order. A bad line raises `RecordError` naming file and line."""
    for number, data in _lines(path):
        try:
            yield call_from_json(data)
        except RecordError as error:
            raise RecordError(f"{path}:{number}: {error}") from None


def _lines(path: Path, *, half_line: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if half_line and not line.endswith(b"\n"):
                return
            try:
                data = json.loads(line)
            except ValueError as error:
                raise RecordError(f"{path}:{number}: not JSON: {error}") from None
            if not isinstance(data, dict):
                raise RecordError(f"{path}:{number}: not a JSON object")
            yield number, data
