"""Opaque, signed cursors for paged lists."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

_SIGNATURE_LENGTH = hashlib.sha256().digest_size * 2


class BadCursor(ValueError):
    """The text is not a cursor that was given out for this list."""


class CursorCodec:
    """Turns a position in a list into a text and back.

    The scope (whatever the list depends on) is part of what is signed, so a cursor fits no other list.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def encode(self, position: list, scope: str | None) -> str:
        payload = base64.urlsafe_b64encode(json.dumps(position).encode()).rstrip(b"=").decode("ascii")
        return self._sign(payload, scope) + payload

    def decode(self, cursor: str, scope: str | None) -> list:
        signature, payload = cursor[:_SIGNATURE_LENGTH], cursor[_SIGNATURE_LENGTH:]
        if not hmac.compare_digest(signature.encode(), self._sign(payload, scope).encode()):
            raise BadCursor("not a cursor of this list")
        return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))

    def _sign(self, payload: str, scope: str | None) -> str:
        return hmac.new(self._secret, json.dumps([payload, scope]).encode(), hashlib.sha256).hexdigest()
