"""Check names and passwords."""

from __future__ import annotations

import hmac
import secrets

from passwords import PasswordHasher, parse_hash
from users import User, UserDirectory

DUMMY_HASH = PasswordHasher().hash(secrets.token_hex(16))


class Authenticator:
    """Check credentials with the same work for every outcome."""

    def __init__(self, users: UserDirectory, hasher: PasswordHasher) -> None:
        self._users = users
        self._hasher = hasher

    def authenticate(self, name: str, password: str) -> User | None:
        """Return the user if the password is right and the account is not disabled, otherwise None."""
        user = self._users.find(name)
        stored = parse_hash(DUMMY_HASH if user is None else user.password_hash)
        key = self._hasher.derive(password, stored.salt, stored.iterations)
        matches = hmac.compare_digest(key, stored.key)
        if user is None or user.disabled or not matches:
            return None
        return user
