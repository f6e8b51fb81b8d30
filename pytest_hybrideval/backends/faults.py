"""What a backend's refusal means: from status, headers and body to one of our errors, in a sentence."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from pytest_hybrideval.core.errors import BackendError, BackendUnavailable, ContextOverflow

_RETRYABLE = frozenset({408, 409, 429})
_OVERFLOW_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error"})
_OVERFLOW_TEXTS = (
    "maximum context length",
    "exceeds the context length",
    "longer than the context length",
    "exceeds the available context",
    "exceeds the model's context",
    "prompt is too long",
)
_TRANSIENT_WORDS = ("overloaded", "rate_limit", "server_error", "service_unavailable", "timeout", "internal_error")
_LONGEST_TEXT = 300


@dataclass(frozen=True)
class Secret:
    """An API key and the name of the variable it came from. Its value shows up in no text.

    `name` is what a user must set to mend a refusal; `value` is None where there is no key.
    """

    name: str
    value: str | None = field(default=None, repr=False)

    def hide(self, text: str) -> str:
        """`text` with the key blotted out."""
        return text.replace(self.value, "***") if self.value else text


@dataclass(frozen=True)
class Peer:
    """The server we talk to, in the words that error messages need.

    `name` is what and where ("Ollama at http://127.0.0.1:11434"), `start` how to mend a refused connection,
    `missing` how to mend a 404, `secret` its API key.
    """

    name: str
    model: str
    start: str
    missing: str
    secret: Secret


@dataclass(frozen=True)
class Refusal:
    """What a server said instead of an answer. `code` and `kind` are OpenAI's `code` and `type`."""

    text: str
    code: str = ""
    kind: str = ""

    @property
    def overflow(self) -> bool:
        """Whether the request did not fit the model's context."""
        text = self.text.lower()
        return bool({self.code, self.kind} & _OVERFLOW_CODES) or any(part in text for part in _OVERFLOW_TEXTS)

    @property
    def transient(self) -> bool:
        """Whether code or type say that the same request may succeed later (429, 5xx, overloaded)."""
        words = (self.code.lower(), self.kind.lower())
        numbers = (int(word) for word in words if word.isdigit())
        return any(map(retryable_status, numbers)) or any(word in part for part in words for word in _TRANSIENT_WORDS)


def read_refusal(body: bytes | str) -> Refusal:
    """The error in a body of any of the shapes in use: `{"error": {...}}`, `{"error": "..."}`, `{"detail": ...}`."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Refusal(_short(body if isinstance(body, str) else body.decode(errors="replace")))
    return refusal_in(data)


def refusal_in(data: Any) -> Refusal:
    """The same for a body that is parsed already."""
    if not isinstance(data, Mapping):
        return Refusal(_short(str(data)))
    error = data.get("error") or data
    if not isinstance(error, Mapping):
        return Refusal(_short(str(error)))
    text = error.get("message") or error.get("detail") or orjson.dumps(error, default=str).decode()
    code, kind = error.get("code"), error.get("type")
    return Refusal(_short(str(text)), "" if code is None else str(code), "" if kind is None else str(kind))


def retryable_status(status: int) -> bool:
    """Whether the same request may succeed later: 408, 409, 429 and 5xx."""
    return status in _RETRYABLE or 500 <= status <= 599


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds to wait by a `Retry-After` header (seconds or an HTTP date), never negative; None without one.

    `now` is Unix time in seconds, by default the present.
    """
    text = (headers.get("Retry-After") or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - (time.time() if now is None else now)
        except ValueError:
            return None
    return max(0.0, seconds) if seconds < float("inf") else None


def status_fault(peer: Peer, status: int, headers: Mapping[str, str], body: bytes | str) -> BackendError:
    """The error for an HTTP status other than 200."""
    refusal = read_refusal(body)
    said = f"{status}: {peer.secret.hide(refusal.text)}" if refusal.text else str(status)
    if status in (401, 403):
        return BackendUnavailable(_denied(peer, said), status=status)
    if status == 404:
        return BackendUnavailable(f"{peer.name} does not serve '{peer.model}' ({said}); {peer.missing}", status=404)
    if refusal.overflow:
        return ContextOverflow(f"the request does not fit the context of '{peer.model}' ({said})", status=status)
    if 300 <= status <= 399:
        return BackendUnavailable(f"{peer.name} redirects ({status}); give the final URL as base URL", status=status)
    if refusal.code == "insufficient_quota":  # a 429 that no waiting mends
        return BackendUnavailable(f"the account behind {peer.secret.name} has no quota left ({said})", status=status)
    return BackendError(
        f"{peer.name} could not answer for '{peer.model}' ({said})",
        status=status,
        retryable=retryable_status(status),
        retry_after=retry_after(headers),
    )


def answer_fault(peer: Peer, data: Any, *, retryable: bool | None = None) -> BackendError:
    """The error for an error object under status 200. `retryable` overrides what its code and type say."""
    refusal = refusal_in(data)
    said = peer.secret.hide(refusal.text)
    if refusal.overflow:
        return ContextOverflow(f"the request does not fit the context of '{peer.model}' ({said})")
    again = refusal.transient if retryable is None else retryable
    return BackendError(f"{peer.name} answered '{peer.model}' with an error: {said}", retryable=again)


def _denied(peer: Peer, said: str) -> str:
    if peer.secret.value:
        return f"{peer.name} refused the API key in {peer.secret.name} ({said}); check that variable"
    return f"{peer.name} wants an API key ({said}); set {peer.secret.name}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_TEXT else line[:_LONGEST_TEXT] + "…"
