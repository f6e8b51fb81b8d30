"""The store of recorded answers: a directory of cassettes, which calls are looked up there, and which may be added.

A file has the answers of one model for one task and seed, whichever strategy asked; what belongs to no task (a model's
description, embeddings) has a file per model.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import random
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pytest_hybrideval.backends.cassette_file import Cassette, Take, file_faults
from pytest_hybrideval.backends.cassette_keys import Asked, difference
from pytest_hybrideval.core.errors import NotRecorded
from pytest_hybrideval.core.protocols import BackendCall

_LONGEST_NAME = 120
_LOCKS = 1024
_LOOK_SECONDS = (0.005, 0.02)


class RecordMode(str, Enum):
    """What is replayed and what is recorded, in VCR's words."""

    NONE = "none"
    ONCE = "once"
    NEW_EPISODES = "new_episodes"
    ALL = "all"


@dataclass
class _Session:
    """What a trial has asked so far: the numbers of its calls, and which of equal requests are taken."""

    numbers: set[int] = field(default_factory=set)
    taken: dict[str, set[int]] = field(default_factory=dict)


class Cassettes:
    """A directory of cassettes as one process uses it. For the gateway's event loop only."""

    def __init__(self, directory: Path, mode: RecordMode, run: str) -> None:
        """`run` is shared by all processes of a run: in mode `once` it may add to what it has begun itself."""
        self.directory = directory
        self.mode = mode
        self._run = run
        self._files: dict[Path, Cassette] = {}
        self._sessions: dict[str, _Session] = {}

    def begin(self, asked: Asked, call: BackendCall | None) -> int:
        """Which of the equal requests of its trial this is, from 0; `end` it where it came to nothing.

        A number that comes again says that the trial has begun anew.
        """
        if call is None:
            return 0
        trial = call.trial.id if call.trial else ""
        session = self._sessions.setdefault(trial, _Session())
        if call.attempt == 1 and call.number in session.numbers:
            session = self._sessions[trial] = _Session()
        session.numbers.add(call.number)
        taken = session.taken.setdefault(asked.digest, set())
        nth = next(n for n in range(len(taken) + 1) if n not in taken)
        taken.add(nth)
        return nth

    def end(self, asked: Asked, call: BackendCall | None, nth: int) -> None:
        """The request came to nothing: the next equal one takes its place."""
        if call is not None:
            session = self._sessions[call.trial.id if call.trial else ""]
            session.taken.get(asked.digest, set()).discard(nth)

    def find(self, asked: Asked, nth: int = 0) -> Take | None:
        """The recorded answer: of several the trial's own, else the newest. Raises `CassetteError`."""
        cassette = self._cassette(asked)
        if cassette.damaged or not cassette.takes(asked.digest, nth):
            cassette.refresh()
        takes = cassette.takes(asked.digest, nth)
        return next((take for take in reversed(takes) if take.entry["by"] == asked.by), takes[-1] if takes else None)

    def may_record(self, asked: Asked) -> bool:
        """Whether the mode lets the call go live where it is not recorded."""
        if self.mode is RecordMode.ONCE:
            return all(entry["run"] == self._run for entry in self._cassette(asked).entries)
        return self.mode is not RecordMode.NONE

    def record(
        self, asked: Asked, nth: int, answer: Mapping[str, Any], seconds: float, temperature: float | None
    ) -> None:
        """Keep an answer. `seconds` is how long the model took. Raises `CassetteError`."""
        entry = {
            **{"kind": asked.kind, "model": str(asked.model), "asked": asked.excerpt, "by": asked.by},
            **{"form": asked.form, "answer": answer},
            **{"parameters": asked.parameters, "temperature": temperature, "messages": asked.messages},
            **{"seconds": round(seconds, 3), "at": datetime.now(timezone.utc).isoformat(timespec="seconds")},
            **{"run": self._run, "key": asked.digest, "nth": nth},
        }
        self._cassette(asked).append(entry)

    def missing(self, asked: Asked, nth: int) -> NotRecorded:
        """The error for a call that is not recorded; says in what it differs from what is."""
        cassette = self._cassette(asked)
        why = difference(asked, nth, cassette.entries) if cassette.entries else "there is no such file"
        what = {"model": "description of itself", "embedding": "embedding of"}.get(asked.kind, "answer to")
        request = f"{what} '{asked.excerpt}'" if asked.excerpt else what
        return NotRecorded(
            f"{asked.model} has no recorded {request} in {cassette.path}: {why}; "
            f"record it with --hybrid-record {RecordMode.NEW_EPISODES.value}"
        )

    @asynccontextmanager
    async def alone(self, asked: Asked, nth: int) -> AsyncIterator[None]:
        """Keep other trials of this machine, in whatever process, from making the same call at the same time."""
        folder = Path(tempfile.gettempdir(), f"hybrideval-cassettes-{os.getuid()}")
        name = f"{self._cassette(asked).path.resolve()}\0{asked.digest}\0{nth}"
        number = int(hashlib.sha256(name.encode()).hexdigest(), 16) % _LOCKS
        with file_faults(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while not _locked(descriptor):
                await asyncio.sleep(random.uniform(*_LOOK_SECONDS))
            yield
        finally:
            os.close(descriptor)

    def _cassette(self, asked: Asked) -> Cassette:
        model = f"{asked.model.provider}.{_name(asked.model.name)}"
        if asked.task:
            seed = "" if asked.seed is None else f".s{asked.seed}"
            path = self.directory.joinpath(*map(_name, asked.task.split("/")), f"{model}{seed}.jsonl")
        else:
            path = self.directory / "models" / f"{model}.jsonl"
        return self._files.setdefault(path, Cassette(path))


def _name(text: str) -> str:
    """A name as part of a path: readable, without `/` and `:`, and not too long."""
    name = quote(text, safe="")
    return name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + hashlib.sha256(text.encode()).hexdigest()[:12]


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
