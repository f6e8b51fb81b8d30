"""The keys with which Ferrypay signs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    secret: bytes
    retired_at: float | None = None  # seconds since 1970; None: in use until further notice


def parse_keys(text: str) -> list[Key]:
    """Parse keys from the environment: hexadecimal secrets with optional times, such as `c0ffee,beef@1715940000`."""
    keys = []
    for item in text.split(","):
        secret, _, retired_at = item.strip().partition("@")
        keys.append(Key(bytes.fromhex(secret), float(retired_at) if retired_at else None))
    return keys
