"""Answers as JSON that people can read and that gives back every byte: the text once, and around it what repeats.

A streamed answer is a list of *runs*. Chunks that differ in their piece of text alone share a *frame* (what stands
before and after the piece) and make one run: their text, and the lengths of its pieces. Any other stands as it is.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from functools import partial
from itertools import groupby
from typing import Any

from pytest_hybrideval.core.domain import Answer, Completion, Cut, Embedding, ModelInfo, StreamEvent, Usage
from pytest_hybrideval.core.errors import ContextOverflow

_PACKED_FROM = 64 * 1024
_KEPT_READABLE = 1000


def _as_in_go(text: str) -> str:
    """A string as Go's JSON has it, safe to stand in HTML."""
    written = json.dumps(text, ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        written = written.replace(sign, f"\\u{ord(sign):04x}")
    return written


_ESCAPES: Mapping[str, Callable[[str], str]] = {
    "utf-8": partial(json.dumps, ensure_ascii=False),
    "ascii": json.dumps,
    "html": _as_in_go,
}


@dataclass(frozen=True)
class Frame:
    """What is around a piece of text in a body. `part` is the event's field that has the piece: text or thinking."""

    before: str
    after: str
    escapes: str = "utf-8"
    part: str = "text"
    fingerprint: str | None = None
    model: str | None = None

    def body(self, piece: str) -> bytes:
        """The body around a piece."""
        return f"{self.before}{_ESCAPES[self.escapes](piece)}{self.after}".encode()

    def event(self, piece: str, *, replayed: bool = False) -> StreamEvent:
        """The chunk with a piece."""
        about: dict[str, Any] = {self.part: piece, "fingerprint": self.fingerprint, "model": self.model}
        return StreamEvent(self.body(piece), **about, replayed=replayed)


def completion_json(answer: Completion) -> dict[str, Any]:
    """A whole answer."""
    found = next(filter(None, (_around(answer.body, answer.text, name) for name in _ESCAPES)), None)
    body = _raw(answer.body) if found is None else _facts(found)
    return _packed({"text": answer.text, **_facts(answer), "body": body}, answer.text)


def completion(data: Mapping[str, Any]) -> Completion:
    """The inverse of `completion_json`, marked as replayed."""
    facts = _restored(_unpacked(data))
    body = facts.pop("body")
    content = Frame(**body).body(facts["text"]) if "before" in body else _bytes(body)
    return Completion(**{"body": content, "finish_reason": None, **facts, "replayed": True})


def stream_json(events: Sequence[StreamEvent]) -> dict[str, Any]:
    """A streamed answer."""
    frames: dict[Frame, int] = {}
    runs: list[dict[str, Any]] = []
    escapes = max(_ESCAPES, key=lambda name: sum(_frame_of(event, name) is not None for event in events))
    for frame, group in groupby(((_frame_of(event, escapes), event) for event in events), key=lambda pair: pair[0]):
        alike = [event for _, event in group]
        if frame is None:
            runs += [{**({} if event.data is None else _raw(event.data)), **_facts(event)} for event in alike]
            continue
        pieces = [getattr(event, frame.part) for event in alike]
        lengths = " ".join(str(len(piece)) for piece in pieces)
        runs.append({"frame": frames.setdefault(frame, len(frames)), "said": "".join(pieces), "lengths": lengths})
    text = "".join(event.text for event in events)
    return _packed({"frames": [_facts(frame) for frame in frames], "stream": runs}, text)


def stream(data: Mapping[str, Any]) -> Iterator[StreamEvent]:
    """The inverse of `stream_json`, each event marked as replayed."""
    data = _unpacked(data)
    frames = [Frame(**frame) for frame in data["frames"]]
    for run in data["stream"]:
        if "frame" not in run:
            facts = {name: value for name, value in _restored(run).items() if name not in _RAW}
            yield StreamEvent(_bytes(run) if _RAW & run.keys() else None, **facts, replayed=True)
            continue
        at = 0
        for length in map(int, run["lengths"].split()):
            yield frames[run["frame"]].event(run["said"][at : at + length], replayed=True)
            at += length


def answer_json(answer: Answer) -> dict[str, Any]:
    """The answer to a strategy's question."""
    return {"text": answer.text, **_facts(answer)}


def answer(data: Mapping[str, Any]) -> Answer:
    """The inverse of `answer_json`, marked as replayed."""
    return Answer(**_restored(data), replayed=True)


def embedding_json(embedding: Embedding) -> dict[str, Any]:
    """Vectors; always packed, as nobody reads them."""
    return _packed({"vectors": embedding.vectors, **_facts(embedding)}, at_least=0)


def embedding(data: Mapping[str, Any]) -> Embedding:
    """The inverse of `embedding_json`, marked as replayed."""
    facts = _restored(_unpacked(data))
    vectors = tuple(tuple(vector) for vector in facts.pop("vectors"))
    return Embedding(vectors, **facts, replayed=True)


def info_json(info: ModelInfo) -> dict[str, Any]:
    """A model's description."""
    return {"model": info.model, **_facts(info)}


def info(data: Mapping[str, Any]) -> ModelInfo:
    """The inverse of `info_json`."""
    return ModelInfo(**data)


def overflow_json(fault: ContextOverflow) -> dict[str, Any]:
    """A request that did not fit: the one refusal that is the model's answer, since it is the same every time."""
    return {"overflow": str(fault), "status": fault.status}


def check_overflow(data: Mapping[str, Any]) -> None:
    """Raise the `ContextOverflow` that is recorded instead of an answer, if one is."""
    if "overflow" in data:
        fault = ContextOverflow(data["overflow"], status=data["status"])
        fault.replayed = True
        raise fault


def _frame_of(event: StreamEvent, escapes: str) -> Frame | None:
    """The frame that gives back this event from a piece of text alone; None where there is more to it."""
    part = "text" if event.text else "thinking"
    piece = getattr(event, part)
    found = _around(event.data, piece, escapes) if event.data and piece else None
    if found is None:
        return None
    frame = Frame(found.before, found.after, found.escapes, part, event.fingerprint, event.model)
    return frame if frame.event(piece) == event else None


def _around(body: bytes, piece: str, escapes: str) -> Frame | None:
    """The frame that gives back these bytes around the piece, written that way; None where it does not stand there."""
    try:
        before, found, after = body.decode().partition(_ESCAPES[escapes](piece))
    except UnicodeDecodeError:
        return None
    return Frame(before, after, escapes) if found else None


_RAW = frozenset({"data", "base64"})
_ELSEWHERE = frozenset({"data", "body", "vectors", "replayed", "recorded_seconds"})


def _facts(thing: Any) -> dict[str, Any]:
    """The fields of a dataclass that are not as by default, but bodies and vectors; as plain JSON types."""
    facts: dict[str, Any] = {}
    for field in fields(thing):
        value = getattr(thing, field.name)
        default = field.default if field.default_factory is MISSING else field.default_factory()
        if field.name not in _ELSEWHERE and value != default:
            facts[field.name] = _counted(value) if isinstance(value, Usage) else value
    return facts


def _counted(usage: Usage) -> dict[str, int]:
    return {name: count for name, count in asdict(usage).items() if count is not None}


def _restored(data: Mapping[str, Any]) -> dict[str, Any]:
    facts = dict(data)
    if "usage" in facts:
        facts["usage"] = Usage(**facts["usage"])
    if facts.get("cut"):
        facts["cut"] = Cut(facts["cut"])
    return facts


def _raw(body: bytes) -> dict[str, str]:
    try:
        return {"data": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _bytes(data: Mapping[str, str]) -> bytes:
    return data["data"].encode() if "data" in data else base64.b64decode(data["base64"])


def _packed(data: dict[str, Any], text: str = "", at_least: int = _PACKED_FROM) -> dict[str, Any]:
    """`data`, compressed where it is long; of a long answer the beginning of its text stays readable."""
    written = json.dumps(data)
    if len(written) < at_least:
        return data
    packed = base64.b64encode(zlib.compress(written.encode(), 9)).decode()
    return {"begins": text[:_KEPT_READABLE], "packed": packed} if text else {"packed": packed}


def _unpacked(data: Mapping[str, Any]) -> Mapping[str, Any]:
    if "packed" not in data:
        return data
    unpacked: Mapping[str, Any] = json.loads(zlib.decompress(base64.b64decode(data["packed"])))
    return unpacked
