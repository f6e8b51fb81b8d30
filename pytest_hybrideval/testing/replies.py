"""How a fake server behaves for one chat request: answer (`Reply`), refuse (`Fault`), or send given bytes (`Raw`)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_hybrideval.core.domain import Usage


@dataclass(frozen=True)
class ToolCall:
    """A call that the fake model makes. An empty `id` is left for the server to choose or leave out."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""


@dataclass(frozen=True)
class Reply:
    """An answer, whole and well-formed unless a field says otherwise.

    `chunks` are the pieces in which `text` is streamed; by default pieces of `chunk_size` characters. `usage` None: the
    server does not say. `delay` is in seconds before the first byte, `gap` between two pieces.

    Three fields spoil a streamed answer after so many pieces: `cut_after` resets the connection, `stall_after` sends
    nothing more until the client goes away (0: not even the status), `error_after` sends the error in `error`. The same
    fields spoil a whole answer: cut in the middle of its body, stalled, or replaced by the error under status 200.
    `end_marker` False leaves out what ends an answer ([DONE], or `done: true` in Ollama) but closes properly.
    """

    text: str = "Hello!"
    chunks: Sequence[str] | None = None
    chunk_size: int = 4
    thinking: str = ""
    tool_calls: Sequence[ToolCall] = ()
    usage: Usage | None = field(default_factory=lambda: Usage(prompt=11, completion=7))
    finish_reason: str | None = None
    fingerprint: str | None = None
    delay: float = 0.0
    gap: float = 0.0
    cut_after: int | None = None
    stall_after: int | None = None
    error_after: int | None = None
    error: str = "the model crashed"
    end_marker: bool = True

    @property
    def pieces(self) -> Sequence[str]:
        """The text as it is streamed."""
        if self.chunks is not None:
            return self.chunks
        return [self.text[start : start + self.chunk_size] for start in range(0, len(self.text), self.chunk_size)]

    @property
    def whole(self) -> str:
        """The text as it stands in a whole answer."""
        return self.text if self.chunks is None else "".join(self.chunks)


@dataclass(frozen=True)
class Fault:
    """A refusal before any answer. The server words it as the real one does unless `message` is given.

    `kind` is one of unauthorized, forbidden, model_missing, context_overflow, rate_limited, server_error, bad_request.
    """

    status: int
    kind: str
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def unauthorized(cls, status: int = 401) -> Fault:
        """The key is wrong (401) or may not do this (403)."""
        return cls(status, "unauthorized")

    @classmethod
    def model_missing(cls) -> Fault:
        """There is no such model."""
        return cls(404, "model_missing")

    @classmethod
    def context_overflow(cls) -> Fault:
        """The request does not fit the model's context."""
        return cls(400, "context_overflow")

    @classmethod
    def bad_request(cls, message: str = "this field is not supported") -> Fault:
        """Something in the request is not accepted."""
        return cls(400, "bad_request", message)

    @classmethod
    def rate_limited(cls, retry_after: str | None = "7") -> Fault:
        """Too many requests; `retry_after` is the header's text, seconds or an HTTP date."""
        return cls(429, "rate_limited", headers={} if retry_after is None else {"Retry-After": retry_after})

    @classmethod
    def server_error(cls, status: int = 500) -> Fault:
        """The server failed."""
        return cls(status, "server_error")


@dataclass(frozen=True)
class Raw:
    """Exactly these bytes, sent in these pieces."""

    pieces: Sequence[bytes]
    status: int = 200
    content_type: str = "application/json"


Behaviour = Reply | Fault | Raw

_DIMENSIONS = 8


def vector_of(text: str) -> list[float]:
    """The vector that the fake servers give to a text: eight numbers, of length 1, the same for the same text."""
    digest = hashlib.sha256(text.encode()).digest()[:_DIMENSIONS]
    length = sum(byte * byte for byte in digest) ** 0.5
    return [byte / length for byte in digest]
