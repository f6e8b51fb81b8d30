"""Token buckets per key, with limits on every level of the key."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from limits import Limit


@dataclass(frozen=True)
class Decision:
    allowed: bool
    retry_after_ns: int | None


class _Bucket:
    """The level is counted in parts of a token, `limit.period_ns` to the token, so that it is always whole."""

    def __init__(self, limit: Limit, now: int) -> None:
        self._limit = limit
        self._most = limit.capacity * limit.period_ns
        self._level = self._most
        self._updated = now

    @property
    def capacity(self) -> int:
        return self._limit.capacity

    @property
    def full(self) -> bool:
        return self._level == self._most

    def refill(self, now: int) -> None:
        self._level = min(self._most, self._level + (now - self._updated) * self._limit.amount)
        self._updated = now

    def tokens(self) -> int:
        return self._level // self._limit.period_ns

    def add(self, tokens: int) -> None:
        self._level = min(self._most, self._level + tokens * self._limit.period_ns)

    def wait_for(self, tokens: int) -> int:
        missing = tokens * self._limit.period_ns - self._level
        return max(0, -(-missing // self._limit.amount))


class Reservation:
    """Tokens that were taken and can be given back."""

    def __init__(self, buckets: TokenBuckets, key: str, tokens: int) -> None:
        self._buckets = buckets
        self._key = key
        self._tokens = tokens

    @property
    def tokens(self) -> int:
        return self._tokens

    def give_back(self, tokens: int | None = None) -> int:
        with self._buckets._lock:
            if tokens is None:
                tokens = self._tokens
            if not 0 <= tokens <= self._tokens:
                raise ValueError(f"{tokens} tokens cannot be given back, {self._tokens} are left")
            self._tokens -= tokens
            self._buckets._put(self._key, tokens)
            return tokens


class TokenBuckets:
    """A bucket for each limited level of each key; a request takes its tokens from all of them or from none."""

    def __init__(
        self,
        defaults: Sequence[Limit | None],
        overrides: Mapping[str, Limit] | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._defaults = tuple(defaults)
        self._overrides = dict(overrides or {})
        self._clock = clock
        self._now: int | None = None
        self._held: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def take(self, key: str, tokens: int = 1) -> Decision:
        if tokens < 1:
            raise ValueError("tokens must be at least 1")
        with self._lock:
            buckets = self._chain(key)
            if any(tokens > bucket.capacity for bucket in buckets):
                return Decision(False, None)
            wait = max((bucket.wait_for(tokens) for bucket in buckets), default=0)
            if wait > 0:
                return Decision(False, wait)
            for bucket in buckets:
                bucket.add(-tokens)
            return Decision(True, 0)

    def reserve(self, key: str, tokens: int) -> Reservation | None:
        return Reservation(self, key, tokens) if self.take(key, tokens).allowed else None

    def available(self, key: str) -> int | None:
        with self._lock:
            return min((bucket.tokens() for bucket in self._chain(key)), default=None)

    def bucket_count(self) -> int:
        with self._lock:
            return len(self._held)

    def forget_full(self) -> int:
        with self._lock:
            now = self._advance()
            for bucket in self._held.values():
                bucket.refill(now)
            full = [path for path, bucket in self._held.items() if bucket.full]
            for path in full:
                del self._held[path]
            return len(full)

    def _put(self, key: str, tokens: int) -> None:
        for bucket in self._chain(key)[-1:]:
            bucket.add(tokens)

    def _chain(self, key: str) -> list[_Bucket]:
        """Return the buckets of the key from the first level down, refilled. Needs the lock."""
        segments = key.split("/")
        if not all(segments):
            raise ValueError(f"empty part in key {key!r}")
        now = self._advance()
        chain = []
        for depth in range(len(segments)):
            path = "/".join(segments[: depth + 1])
            bucket = self._held.get(path)
            if bucket is None:
                limit = self._limit(path, depth)
                if limit is None:
                    continue
                bucket = self._held[path] = _Bucket(limit, now)
            bucket.refill(now)
            chain.append(bucket)
        return chain

    def _limit(self, path: str, depth: int) -> Limit | None:
        if path in self._overrides:
            return self._overrides[path]
        return self._defaults[depth] if depth < len(self._defaults) else None

    def _advance(self) -> int:
        now = self._clock()
        if self._now is None or now > self._now:
            self._now = now
        return self._now
