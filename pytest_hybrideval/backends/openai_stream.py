"""A streamed answer of OpenAI's chat API, from its bytes to events. No I/O."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_hybrideval.backends.faults import Peer, answer_fault
from pytest_hybrideval.backends.openai_wire import parse, read_chunk
from pytest_hybrideval.backends.sse import SseParser
from pytest_hybrideval.core.domain import StreamEvent, Usage
from pytest_hybrideval.core.errors import StreamBroken

_END = b"[DONE]"


class AnswerReader:
    """Reads one streamed answer. `done` is true from its end marker on.

    Payloads go on byte for byte. The chunk that carries usage alone goes on only if `pass_usage`. The last event always
    carries finish_reason and usage (of Nones where the server did not say).
    """

    def __init__(self, peer: Peer, *, pass_usage: bool) -> None:
        """`peer` is named in errors."""
        self.done = False
        self._peer = peer
        self._pass_usage = pass_usage
        self._parser = SseParser()
        self._last = StreamEvent(None)
        self._finish: str | None = None
        self._usage: Usage | None = None
        self._fingerprint: str | None = None

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """The events that `chunk` completes. Raises `StreamBroken` or `BackendError` where the server says so."""
        return self._events(self._parser.feed(chunk))

    def close(self) -> Iterator[StreamEvent]:
        """The last events. Raises `StreamBroken` unless the end marker and a finish_reason were seen."""
        if not self.done:
            yield from self._events(self._parser.flush())
        if not self.done:
            raise self._broken("ended its answer without the end marker [DONE]")
        if self._finish is None:
            raise self._broken("ended its answer without a finish_reason")
        if self._last.finish_reason is None or self._last.usage is None:
            yield StreamEvent(None, "", self._finish, self._usage or Usage(), self._fingerprint)

    def _events(self, payloads: list[bytes]) -> Iterator[StreamEvent]:
        for payload in payloads:
            if self.done:
                return
            if payload.strip() == _END:
                self.done = True
            else:
                self._last = self._event(payload)
                yield self._last

    def _event(self, payload: bytes) -> StreamEvent:
        try:
            chunk = parse(payload)
        except ValueError:
            raise self._broken("streamed an event that is not JSON") from None
        if not isinstance(chunk, dict):
            raise self._broken("streamed an event that is no JSON object")
        if chunk.get("error"):
            raise answer_fault(self._peer, chunk)
        event = read_chunk(payload, chunk)
        self._finish = event.finish_reason or self._finish
        self._usage = event.usage or self._usage
        self._fingerprint = event.fingerprint or self._fingerprint
        if event.usage is None or chunk.get("choices"):
            return event
        data = payload if self._pass_usage else None
        return StreamEvent(data, "", self._finish, event.usage, event.fingerprint, event.model)

    def _broken(self, what: str) -> StreamBroken:
        return StreamBroken(f"{self._peer.name} {what}; the answer is incomplete", retryable=True)
