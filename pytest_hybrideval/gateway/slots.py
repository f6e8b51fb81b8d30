"""How many calls a model answers at a time: slots that all processes of one user on this machine share."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_LOOK_SECONDS = (0.005, 0.02)


def slots_folder() -> Path:
    """Where the slots of this user lie: below the system's folder for temporary files."""
    return Path(tempfile.gettempdir(), f"hybrideval-slots-{os.getuid()}")


class Slots:
    """`count` places for calls of one model, each a locked file: a process that dies gives its places back.

    Workers of one run and runs side by side share them by `name`. Which waiting call comes next is left to chance.
    """

    def __init__(self, name: str, count: int, folder: Path | None = None) -> None:
        """`name` says what is shared, for example a model and its address. `folder` is made when it is needed."""
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        self._folder = folder or slots_folder()
        self._places = [self._folder / f"{digest}-{number}.lock" for number in range(count)]

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Wait for a free place and hold it. Raises `OSError` where the folder cannot be written."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        while (held := self._take()) is None:
            await asyncio.sleep(random.uniform(*_LOOK_SECONDS))
        try:
            yield
        finally:
            os.close(held)

    def _take(self) -> int | None:
        """A descriptor whose lock is ours until it is closed, None where all places are taken."""
        for place in self._places:
            descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
            else:
                return descriptor
        return None
