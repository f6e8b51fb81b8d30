"""Login sessions in memory."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable


class SessionStore:
    def __init__(self, lifetime: int = 3600, clock: Callable[[], float] = time.time) -> None:
        self.lifetime = lifetime
        self._clock = clock
        self._sessions: dict[str, tuple[str, float]] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def create(self, user_name: str) -> str:
        """Open a session and return its token."""
        token = secrets.token_urlsafe(32)
        self._sessions[token] = (user_name, self._clock() + self.lifetime)
        return token

    def user_name_for(self, token: str) -> str | None:
        """Return the name the session was opened for, or None if the token is unknown or has expired."""
        user_name, expires = self._sessions.get(token, (None, 0.0))
        return user_name if self._clock() < expires else None
