"""Checks of the signatures described in SIGNING.md."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterable

from keys import Key

_HEADER = re.compile(r"[^\s,=]+=[^\s,]*(?:,[^\s,=]+=[^\s,]*)*")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


class BadSignature(Exception):
    """The message is not one that Ferrypay sent just now."""


class Replayed(Exception):
    """The message is genuine and was accepted before."""


class Verifier:
    """Accepts each message that was signed with one of the keys, while it is fresh and for the first time."""

    def __init__(self, keys: Iterable[Key], tolerance: float = 300, clock: Callable[[], float] = time.time) -> None:
        self._keys = list(keys)
        self._tolerance = tolerance
        self._clock = clock
        self._seen: dict[bytes, int] = {}

    def verify(self, header: str | None, body: bytes) -> None:
        now = self._clock()
        self._seen = {message: sent for message, sent in self._seen.items() if self._is_fresh(sent, now)}
        timestamp, signatures = _parse(header or "")
        signed = timestamp.encode("ascii") + b"." + body
        if not self._is_signed(signed, signatures, now):
            raise BadSignature("no signature is right")
        sent = int(timestamp)
        if not self._is_fresh(sent, now):
            raise BadSignature("the message is too old or comes from the future")
        message = hashlib.sha256(signed).digest()
        if message in self._seen:
            raise Replayed("the message was received before")
        self._seen[message] = sent

    def remembered(self) -> int:
        return len(self._seen)

    def _is_fresh(self, sent: int, now: float) -> bool:
        return abs(now - sent) <= self._tolerance

    def _is_signed(self, signed: bytes, signatures: list[str], now: float) -> bool:
        keys = [key for key in self._keys if key.retired_at is None or now < key.retired_at]
        expected = [hmac.new(key.secret, signed, hashlib.sha256).hexdigest() for key in keys]
        return any(hmac.compare_digest(right, given) for right in expected for given in signatures)


def _parse(header: str) -> tuple[str, list[str]]:
    """Return the timestamp and the signatures of a header."""
    if not _HEADER.fullmatch(header):
        raise BadSignature("the header is not a list of items")
    items = [item.partition("=") for item in header.split(",")]
    timestamps = [value for name, _, value in items if name == "t"]
    if len(timestamps) != 1 or not re.fullmatch(r"[0-9]{1,15}", timestamps[0]):
        raise BadSignature("t is missing or malformed")
    signatures = [value for name, _, value in items if name == "v1"]
    if not all(_SIGNATURE.fullmatch(signature) for signature in signatures):
        raise BadSignature("a signature is malformed")
    return timestamps[0], signatures
