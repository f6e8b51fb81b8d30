"""WSGI middleware that carries out each POST with an Idempotency-Key once."""

from __future__ import annotations

import io
import json
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

WSGIApp = Callable[[dict, Callable], Iterable[bytes]]
Request = tuple[str, str, bytes]

_KEY = re.compile(r"[\x21-\x7e]{1,64}")


@dataclass(frozen=True)
class _Answer:
    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def send(self, start_response: Callable, *extra: tuple[str, str]) -> Iterable[bytes]:
        start_response(self.status, [*self.headers, *extra])
        return [self.body]


@dataclass
class _Record:
    request: Request
    answer: _Answer | None = None  # None: in progress
    answered_at: float = 0.0


class IdempotencyMiddleware:
    def __init__(self, app: WSGIApp, ttl: float = 86400.0, clock: Callable[[], float] = time.time) -> None:
        self._app = app
        self._ttl = ttl
        self._clock = clock
        self._records: dict[str, _Record] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        key = environ.get("HTTP_IDEMPOTENCY_KEY")
        if environ["REQUEST_METHOD"] != "POST" or key is None:
            return self._app(environ, start_response)
        if not _KEY.fullmatch(key):
            return _error("400 Bad Request", "bad idempotency key").send(start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        owner = f"{environ.get('HTTP_X_CLIENT_ID', '')}:{key}"
        request = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", ""), body
        with self._lock:
            self._forget_expired()
            record = self._records.get(owner)
            if record is None:
                self._records[owner] = _Record(request)
        if record is None:
            return self._carry_out(owner, environ).send(start_response)
        if record.request != request:
            return _error("422 Unprocessable Entity", "idempotency key was used for another request").send(
                start_response
            )
        if record.answer is None:
            return _error("409 Conflict", "request is in progress").send(start_response, ("Retry-After", "1"))
        return record.answer.send(start_response, ("Idempotent-Replay", "true"))

    def held(self) -> int:
        with self._lock:
            return len(self._records)

    def _carry_out(self, owner: str, environ: dict) -> _Answer:
        answer = None
        try:
            answer = _answer_of(self._app, environ)
        finally:
            with self._lock:
                if answer is None or answer.status.startswith("5"):
                    del self._records[owner]
                else:
                    record = self._records[owner]
                    record.answered_at = self._clock()
                    record.answer = answer
        return answer

    def _forget_expired(self) -> None:
        now = self._clock()
        for owner, record in list(self._records.items()):
            if record.answer is not None and now - record.answered_at >= self._ttl:
                del self._records[owner]


def _answer_of(app: WSGIApp, environ: dict) -> _Answer:
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        started.append((status, headers))

    chunks = app(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    status, headers = started[-1]
    return _Answer(status, tuple(headers), body)


def _error(status: str, message: str) -> _Answer:
    body = json.dumps({"error": message}).encode("utf-8")
    return _Answer(status, (("Content-Type", "application/json"), ("Content-Length", str(len(body)))), body)
