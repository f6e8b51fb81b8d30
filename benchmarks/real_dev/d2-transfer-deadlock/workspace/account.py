"""Accounts."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass
class Account:
    """An account, which changes only while its lock is held."""

    name: str
    cents: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
