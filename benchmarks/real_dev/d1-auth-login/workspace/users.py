"""User accounts in memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class User:
    name: str
    password_hash: str
    disabled: bool = False


class UserDirectory:
    """Users by name; upper and lower case make no difference in lookups."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}

    def add(self, user: User) -> None:
        key = user.name.casefold()
        if key in self._users:
            raise ValueError(f"{user.name} is taken")
        self._users[key] = user

    def find(self, name: str) -> User | None:
        return self._users.get(name.casefold())
