"""Thread-safe storage of notes in memory."""

from __future__ import annotations

import threading


class NoteStore:
    def __init__(self) -> None:
        self._notes: dict[int, dict] = {}
        self._next_id = 1
        self._lock = threading.Lock()

    def add(self, text: str) -> dict:
        with self._lock:
            note = {"id": self._next_id, "text": text}
            self._notes[self._next_id] = note
            self._next_id += 1
            return dict(note)

    def get(self, note_id: int) -> dict | None:
        with self._lock:
            note = self._notes.get(note_id)
            return dict(note) if note else None

    def all(self) -> list[dict]:
        with self._lock:
            return [dict(note) for note in self._notes.values()]
