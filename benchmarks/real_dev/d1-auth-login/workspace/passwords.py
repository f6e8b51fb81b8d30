"""Salted password hashes."""

from __future__ import annotations

import hashlib
import secrets
from typing import NamedTuple

DEFAULT_ITERATIONS = 120_000
SALT_BYTES = 16


class StoredHash(NamedTuple):
    iterations: int
    salt: bytes
    key: bytes


class PasswordHasher:
    def __init__(self, iterations: int = DEFAULT_ITERATIONS) -> None:
        self.iterations = iterations

    def derive(self, password: str, salt: bytes, iterations: int) -> bytes:
        """Derive the key of a password. Slow on purpose."""
        secret = password.encode("utf-8", "surrogatepass")
        return hashlib.pbkdf2_hmac("sha256", secret, salt, iterations)

    def hash(self, password: str) -> str:
        """Return a new salted hash in the form that `parse_hash` reads."""
        salt = secrets.token_bytes(SALT_BYTES)
        key = self.derive(password, salt, self.iterations)
        return f"pbkdf2-sha256${self.iterations}${salt.hex()}${key.hex()}"


def parse_hash(text: str) -> StoredHash:
    scheme, iterations, salt, key = text.split("$")
    if scheme != "pbkdf2-sha256":
        raise ValueError(f"unknown hash scheme {scheme}")
    return StoredHash(int(iterations), bytes.fromhex(salt), bytes.fromhex(key))
