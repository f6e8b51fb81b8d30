"""Users in memory."""

from __future__ import annotations

import threading


class UserStore:
    def __init__(self) -> None:
        self._users: dict[int, dict] = {}
        self._lock = threading.Lock()

    def add(self, user: dict) -> dict:
        """Store a user under the next free id and return the stored user."""
        with self._lock:
            user_id = len(self._users) + 1
            self._users[user_id] = {**user, "id": user_id}
            return self._users[user_id]

    def get(self, user_id: int) -> dict | None:
        with self._lock:
            return self._users.get(user_id)

    def all(self) -> list[dict]:
        with self._lock:
            return list(self._users.values())

    def add_tag(self, user_id: int, tag: str) -> dict | None:
        """Add a tag to a user and return the user."""
        with self._lock:
            user = self._users.get(user_id)
            if user is not None and tag not in user.setdefault("tags", []):
                user["tags"].append(tag)
            return user
