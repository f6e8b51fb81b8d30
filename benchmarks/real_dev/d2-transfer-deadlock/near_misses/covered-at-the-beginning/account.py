"""Accounts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Account:
    """An account, which is used only while the lock of its bank is held."""

    name: str
    cents: int = 0
