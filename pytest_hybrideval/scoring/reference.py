"""Keeps the test ids that a task's own solution passes, in memory and in a folder that processes share."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path

FORMAT = 1


class ReferenceCache:
    """Test ids by key. Files are replaced at once, never written in place: readers see a whole one or none."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` is made when it is first written to; None keeps everything in memory."""
        self._folder = folder
        self._known: dict[str, frozenset[str]] = {}

    def get(self, key: str) -> frozenset[str] | None:
        """The ids kept under the key. A file that cannot be understood counts as none: it is made again."""
        if key not in self._known and self._folder is not None:
            try:
                kept = json.loads(self._path(self._folder, key).read_text(encoding="utf-8"))
                if kept["format"] == FORMAT and kept["key"] == key and kept["ids"]:
                    self._known[key] = frozenset(map(str, kept["ids"]))
            except (OSError, ValueError, KeyError, TypeError):
                return None
        return self._known.get(key)

    def put(self, key: str, ids: frozenset[str]) -> None:
        """Keep the ids under the key. Raises `OSError` where the folder cannot be written."""
        self._known[key] = ids
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._folder, suffix=".new")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({"format": FORMAT, "key": key, "ids": sorted(ids)}, file, indent=1)
            os.replace(name, self._path(self._folder, key))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @staticmethod
    def _path(folder: Path, key: str) -> Path:
        return folder / f"reference-{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
