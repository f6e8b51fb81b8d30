"""What a model would see of a call, as a key: what only the surroundings put into a request is left out.

The same request must have the same key on another day, machine and path. The marks were taken from requests of aider
0.86.2: its prompts name date, platform, shell and language, its complaints about an edit that does not compile name
absolute paths, and it lists files in an order that depends on the path of their folder.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Any

from pytest_hybrideval.core.domain import ChatRequest, ModelRef
from pytest_hybrideval.core.protocols import BackendCall
from pytest_hybrideval.core.signals import read_request

CHAT, QUESTION, EMBEDDING, MODEL = "chat", "question", "embedding", "model"
_EXCERPT = 100
_SURROUNDINGS = (
    (re.compile(r"^- (Platform|Shell|Language|Current date): .*$", re.M), r"- \1: *"),
    (re.compile(r"^(Always reply to the user in|Reply in) [A-Z][\w ()-]*\.$", re.M), r"\1 *."),
    (re.compile(r'(File ")/[^"\n]*/workspace/'), r"\1"),
    (re.compile(r"(?:/[^\s\"'`]+)?/hybrideval-[a-z0-9_]{8}/(?:workspace/)?"), ""),
    (re.compile(r"^(## Running: )\S+ (?=-m flake8 )", re.M), r"\1python "),
)
# What says nothing of the answer, or is said elsewhere in the key: our own model, seed, temperature and limit.
_PASSED_OVER = frozenset(
    {
        *("model", "messages", "seed", "temperature", "max_tokens", "max_completion_tokens"),
        *("stream", "stream_options", "user", "metadata", "store", "service_tier"),
        *("safety_identifier", "prompt_cache_key", "prompt_cache_retention"),
    }
)


@dataclass(frozen=True)
class Asked:
    """A call to be looked up. `digest` is its key; neither strategy nor threshold nor tier is part of it.

    `kind` is chat, question, embedding or model; `form` how a chat is answered: whole, stream, or stream with usage.
    `messages` are short digests, for telling which one differs. `by` names the trial's variant and `excerpt` is for
    people: neither is part of the key.
    """

    kind: str
    model: ModelRef
    task: str
    seed: int | None
    form: str
    messages: tuple[str, ...]
    parameters: Mapping[str, Any]
    content: str
    excerpt: str
    by: str

    @cached_property
    def digest(self) -> str:
        """128 bits of a hash over everything that the answer depends on."""
        parts = (self.kind, str(self.model), self.task, self.seed, self.form, self.parameters, self.content)
        return _digest(_canonical(parts), 32)


def chat(ref: ModelRef, call: BackendCall, *, stream: bool) -> Asked:
    """The key of a request of the agent."""
    body = call.request.body
    asked = {name: value for name, value in body.items() if name not in _PASSED_OVER}
    temperature = None if call.temperature is None else float(call.temperature)
    parameters = {**asked, "temperature": temperature, "max_tokens": call.max_tokens, **_model_settings(call)}
    options = body.get("stream_options")
    with_usage = stream and isinstance(options, Mapping) and bool(options.get("include_usage"))
    form = ("stream with usage" if with_usage else "stream") if stream else "whole"
    signals = read_request(call.request)
    excerpt = f"{signals.phase.value}: {signals.instruction}"
    return _asked(CHAT, ref, call, call.request.messages, parameters, excerpt, form)


def question(ref: ModelRef, text: str, call: BackendCall) -> Asked:
    """The key of a strategy's question."""
    parameters = {"max_tokens": call.sampling.max_tokens, **_model_settings(call)}
    return _asked(QUESTION, ref, call, _said([text]), parameters, text)


def embedding(ref: ModelRef, texts: Sequence[str]) -> Asked:
    """The key of texts to be embedded: the same for every task and seed."""
    return _asked(EMBEDDING, ref, None, _said(texts), {}, texts[0] if texts else "")


def model(ref: ModelRef) -> Asked:
    """The key of a model's own description."""
    return _asked(MODEL, ref, None, (), {}, "")


def normalised(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The messages without what only the surroundings put there. Answers of the model stay as they are."""
    return [dict(m) if m.get("role") == "assistant" else {**m, "content": _content(m)} for m in messages]


def difference(asked: Asked, nth: int, recorded: Sequence[Mapping[str, Any]]) -> str:
    """In which way a call differs from those in its cassette: from the nearest of `recorded`, which are its lines."""
    times = {entry["nth"] for entry in recorded if entry["key"] == asked.digest}
    if times:
        return f"a trial has asked it {len(times)} times, and this is time {nth + 1}"
    rivals = [entry for entry in recorded if entry["kind"] == asked.kind]
    if not rivals:
        return "nothing like it is recorded there"

    def likeness(entry: Mapping[str, Any]) -> tuple[int, bool, bool]:
        alike = _alike(asked.messages, entry["messages"])
        return alike, len(entry["messages"]) == len(asked.messages), entry["form"] == asked.form

    nearest = max(rivals, key=likeness)
    alike = _alike(asked.messages, nearest["messages"])
    if alike < max(len(asked.messages), len(nearest["messages"])):
        return f"the nearest recorded request ('{nearest['asked']}') differs from message {alike + 1} on"
    if nearest["form"] != asked.form:
        return f"it was answered as {nearest['form']}, not as {asked.form}"
    said = ", ".join(_differing(nearest["parameters"], _known(asked.parameters)))
    return f"it was recorded with {said}" if said else "it was recorded for another task or seed"


def _differing(recorded: Mapping[str, Any], asked: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*recorded, *asked}):
        if recorded.get(name) != asked.get(name):
            yield f"{name} {_short(recorded.get(name))} instead of {_short(asked.get(name))}"


def _alike(some: Sequence[str], others: Sequence[str]) -> int:
    """How many messages are the same from the first on."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(some, others, strict=False)))


def _asked(
    kind: str,
    ref: ModelRef,
    call: BackendCall | None,
    messages: Sequence[Mapping[str, Any]],
    parameters: Mapping[str, Any],
    excerpt: str,
    form: str = "",
) -> Asked:
    texts = [_canonical(message) for message in normalised(messages)]
    trial = call.trial if call else None
    return Asked(
        kind=kind,
        model=ref,
        task=trial.task.id if trial else "",
        seed=call.seed if call else None,
        form=form,
        messages=tuple(_digest(text, 8) for text in texts),
        parameters=_known(parameters),
        content="\n".join(texts),
        excerpt=_short(" ".join(excerpt.split())),
        by=trial.variant.id if trial else "",
    )


def _model_settings(call: BackendCall) -> dict[str, Any]:
    return {"num_ctx": call.sampling.num_ctx, "think": call.sampling.think}


def _known(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _said(texts: Sequence[str]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text} for text in texts]


def _content(message: Mapping[str, Any]) -> Any:
    content = message.get("content")
    if isinstance(content, str):
        return _without_surroundings(_files_in_order(message, content))
    if isinstance(content, list):
        return [_part(part) for part in content]
    return content


def _part(part: Any) -> Any:
    if isinstance(part, Mapping) and isinstance(part.get("text"), str):
        return {**part, "text": _without_surroundings(part["text"])}
    return part


def _without_surroundings(text: str) -> str:
    for pattern, replacement in _SURROUNDINGS:
        text = pattern.sub(replacement, text)
    return text


def _files_in_order(message: Mapping[str, Any], text: str) -> str:
    """A listing of files in the order of their names; aider takes them from a set of absolute paths."""
    signals = read_request(ChatRequest({"messages": [message]}))
    files = signals.files or signals.references
    head, mark, _ = text.partition(f"{next(iter(files), '')}\n{signals.fence}\n")
    return head + _canonical(sorted(files.items())) if len(files) > 1 and mark else text


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _EXCERPT else text[:_EXCERPT] + "…"
