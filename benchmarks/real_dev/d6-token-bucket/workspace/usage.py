"""Counts what was used, for the bill. It plays no part in limiting."""

from __future__ import annotations

import threading
from collections import Counter


class UsageLog:
    def __init__(self) -> None:
        self._tokens: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, key: str, tokens: int) -> None:
        with self._lock:
            self._tokens[key] += tokens

    def of_customer(self, customer: str) -> int:
        with self._lock:
            return sum(count for key, count in self._tokens.items() if key.split("/")[0] == customer)
