"""What a call is looked up by, how answers are written down, and what a cassette bears: crowds, kills and damage."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import assistant, listing, user
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_hybrideval.backends import cassette_answers as answers
from pytest_hybrideval.backends import cassette_keys as keys
from pytest_hybrideval.backends.cassette import Cassettes, RecordMode
from pytest_hybrideval.backends.cassette_file import Cassette
from pytest_hybrideval.backends.recorded import RecordedBackend
from pytest_hybrideval.core.domain import (
    Answer,
    ChatRequest,
    Completion,
    Cut,
    Embedding,
    ModelInfo,
    ModelRef,
    StreamEvent,
    Usage,
)
from pytest_hybrideval.core.errors import (
    BackendError,
    BackendUnavailable,
    CassetteError,
    ConfigurationError,
    ContextOverflow,
    NotRecorded,
)
from pytest_hybrideval.core.protocols import Backend, BackendCall
from pytest_hybrideval.testing import (
    ScriptedBackend,
    ScriptedClassifier,
    ScriptedReply,
    make_backend_call,
    make_sampling,
    make_task,
    make_trial,
)

MODEL = ModelRef("openai", "gpt/5:x")

# As aider 0.86.2 writes it, in two runs on two machines.
SYSTEM = """\
Act as an expert software developer.
Reply in {language}.

Keep in mind these details about the user's platform and environment:
- Platform: {platform}
- Shell: SHELL={shell}
- Language: {language}
- Current date: {date}

ONLY EVER RETURN CODE IN A *SEARCH/REPLACE BLOCK*!
"""
LINT = """\

# Fix any errors below, if possible.

Traceback (most recent call last):
  File "{folder}/workspace/app.py", line 1
    def f(:
          ^
SyntaxError: invalid syntax

## Running: {python} -m flake8 --select=E9,F821 --show-source --isolated app.py

app.py:1:8: E999 SyntaxError: invalid syntax, see {folder}/workspace/app.py
"""
REFERENCES = "Here are some READ ONLY files, provided for your reference.\nDo not edit these files!\n"
HERE = {
    "platform": "Linux-6.1.0-x86_64-with-glibc2.36",
    "shell": "/bin/sh",
    "language": "English",
    "date": "2026-11-25",
    "folder": "/tmp/hybrideval-4yto9p99",
    "python": "/opt/venv/bin/python",
}
THERE = {
    "platform": "macOS-15.1-arm64",
    "shell": "/bin/zsh",
    "language": "German",
    "date": "2027-01-01",
    "folder": "/private/var/folders/a b/T/hybrideval-u4s8q57w",
    "python": "/opt/ci/bin/python3.12",
}


def messages(place: dict[str, str], files: Sequence[str] = ("config.py", "app.py")) -> list[dict[str, Any]]:
    """A request of aider about an edit that does not compile."""
    shown = {name: f"NAME = {name!r}\n" for name in files}
    return [
        {"role": "system", "content": SYSTEM.format(**place)},
        user(REFERENCES + listing(shown)),
        assistant("Ok, I will use these files as references."),
        user(LINT.format(**{**place, "folder": place["folder"].replace("a b/", "")}) + SYSTEM.format(**place)),
    ]


def key(call: BackendCall, *, ref: ModelRef = MODEL, stream: bool = True) -> str:
    return keys.chat(ref, call, stream=stream).digest


CALL = make_backend_call(messages=messages(HERE))


class TestKeys:
    @pytest.mark.parametrize("differs", ["platform", "shell", "language", "date", "folder", "python"])
    def test_what_the_surroundings_put_into_a_request_does_not_matter(self, differs: str) -> None:
        there = make_backend_call(messages=messages({**HERE, differs: THERE[differs]}))
        assert there.request != CALL.request
        assert key(there) == key(CALL)

    def test_a_folder_with_blanks_does_not_matter_in_a_traceback(self) -> None:
        texts = [f'  File "{place["folder"]}/workspace/app.py", line 1' for place in (HERE, THERE)]
        here, there = (make_backend_call(messages=[user(text)]) for text in texts)
        assert key(here) == key(there)

    def test_the_order_in_which_files_are_listed_does_not_matter(self) -> None:
        there = make_backend_call(messages=messages(HERE, files=("app.py", "config.py")))
        assert there.request != CALL.request
        assert key(there) == key(CALL)

    def test_the_text_parts_of_a_message_are_read_as_well(self) -> None:
        parts = [[{"type": "text", "text": SYSTEM.format(**place)}, {"type": "image"}] for place in (HERE, THERE)]
        here, there = (make_backend_call(messages=[user(part)]) for part in parts)
        assert key(here) == key(there)

    @pytest.mark.parametrize("index", range(4))
    @pytest.mark.parametrize(
        ("word", "other"), [("code", "prose"), ("app.py", "apt.py"), ("NAME", "MANE"), ("Ok", "K")]
    )
    def test_one_changed_word_matters(self, index: int, word: str, other: str) -> None:
        changed = messages(HERE)
        before = changed[index]["content"]
        changed[index]["content"] = before.replace(word, other, 1)
        there = make_backend_call(messages=changed)
        assert (key(there) != key(CALL)) is (changed[index]["content"] != before)

    def test_what_the_model_said_is_not_touched(self) -> None:
        here, there = (make_backend_call(messages=[assistant(SYSTEM.format(**place))]) for place in (HERE, THERE))
        assert key(here) != key(there)

    @pytest.mark.parametrize(
        "body",
        [
            {"temperature": 0.5},
            {"max_tokens": 100},
            {"stop": ["END"]},
            {"top_p": 0.5},
            {"response_format": {"type": "json_object"}},
            {"tools": [{"type": "function", "function": {"name": "f"}}]},
            {"reasoning_effort": "high"},
            {"stream_options": {"include_usage": True}},
            {"whatever": 1},
        ],
    )
    def test_a_parameter_matters(self, body: dict[str, Any]) -> None:
        assert key(make_backend_call(messages=messages(HERE), **body)) != key(CALL)

    @pytest.mark.parametrize("sampling", [{"num_ctx": 4096}, {"think": True}, {"temperature": 1.0}, {"max_tokens": 9}])
    def test_what_we_add_matters(self, sampling: dict[str, Any]) -> None:
        assert key(replace(CALL, sampling=make_sampling(**sampling))) != key(CALL)

    def test_seed_task_model_and_form_matter(self) -> None:
        seen = {
            key(CALL),
            key(CALL, stream=False),
            key(CALL, ref=ModelRef("ollama", MODEL.name)),
            key(replace(CALL, sampling=make_sampling(seed=7))),
            key(replace(CALL, trial=make_trial(make_task(name="parting")))),
            key(replace(CALL, trial=None)),
        }
        assert len(seen) == 6

    @pytest.mark.parametrize("trial", [{"strategy": "cascade"}, {"threshold": 9.0}, {"local": ModelRef("a", "b")}])
    def test_strategy_and_threshold_do_not_matter(self, trial: dict[str, Any]) -> None:
        assert key(replace(CALL, trial=make_trial(**trial), number=3, attempt=2)) == key(CALL)

    @pytest.mark.parametrize("body", [{"model": "other"}, {"user": "me"}, {"seed": 1}, {"stop": None}])
    def test_labels_and_what_is_sent_otherwise_do_not_matter(self, body: dict[str, Any]) -> None:
        assert key(make_backend_call({"messages": messages(HERE), **body})) == key(CALL)

    def test_a_limit_that_is_ours_is_as_good_as_the_agents(self) -> None:
        ours = replace(CALL, sampling=make_sampling(max_tokens=100))
        assert key(ours) == key(make_backend_call(messages=messages(HERE), max_tokens=100))

    def test_questions_and_embeddings_are_told_apart_by_their_texts(self) -> None:
        asked = {keys.question(MODEL, text, CALL).digest for text in ("local?", "cloud?")}
        embedded = {keys.embedding(MODEL, texts).digest for texts in (["a", "b"], ["b", "a"], ["ab"])}
        assert len(asked | embedded) == 5

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            (CALL, "a trial has asked it 1 times, and this is time 2"),
            (make_backend_call(messages=messages(HERE), temperature=1), "recorded with temperature 0.0 instead of 1.0"),
            (make_backend_call(messages=messages(HERE), max_tokens=7), "recorded with max_tokens null instead of 7"),
            (make_backend_call(messages=[*messages(HERE)[:3], user("Do.")]), "differs from message 4 on"),
            (make_backend_call(messages=[*messages(HERE), user("Do.")]), "differs from message 5 on"),
            (make_backend_call(messages=messages(HERE), stream_options={"include_usage": True}), "answered as stream,"),
        ],
    )
    def test_a_miss_says_what_differs(self, changed: BackendCall, said: str) -> None:
        asked = keys.chat(MODEL, CALL, stream=True)
        other = {"kind": "question", "key": "k", "nth": 0, "messages": [], "form": "", "parameters": {}, "asked": ""}
        recorded = [
            {**other, "kind": "chat", "key": asked.digest, "messages": list(asked.messages), "form": "stream"},
            other,
        ]
        recorded[0]["parameters"] = json.loads(json.dumps(asked.parameters))
        assert said in keys.difference(keys.chat(MODEL, changed, stream=True), 1, recorded)


finite = st.floats(allow_nan=False)
texts = st.text() | st.text(st.characters())  # the latter with lone surrogates
usages = st.builds(Usage, *[st.none() | st.integers(0, 10**9)] * 4)
names = st.none() | st.text(max_size=8)
bodies = st.binary(max_size=30) | texts.map(lambda text: json.dumps({"text": text}).encode())
facts = {
    "finish_reason": names,
    "fingerprint": names,
    "model": names,
    "cut": st.none() | st.sampled_from(Cut),
    "truncated_prompt": st.booleans(),
    "replayed": st.just(True),
}
completions = st.builds(Completion, body=bodies, text=texts, usage=usages, **facts)
any_event = st.builds(
    StreamEvent, data=st.none() | bodies, text=texts, thinking=texts, usage=st.none() | usages, **facts
)
writers: list[Callable[[Any], str]] = [json.dumps, lambda value: json.dumps(value, ensure_ascii=False)]


@st.composite
def chunks(draw: st.DrawFn) -> StreamEvent:
    """A chunk as servers write it."""
    piece, part = draw(st.text(max_size=12)), draw(st.sampled_from(["text", "thinking"]))
    head, writer = draw(st.sampled_from(["a", "b"])), draw(st.sampled_from(writers))
    data = writer({"id": head, "choices": [{"delta": {"content": piece}}]}).encode()
    return StreamEvent(data, **{part: piece}, replayed=True)  # type: ignore[arg-type]


def written(data: Any) -> Any:
    return json.loads(json.dumps(data))


class TestAnswers:
    @settings(deadline=None)
    @given(completions)
    @example(Completion(b'{"content": "Hi"}', "Hi", "stop", Usage(1, 2), replayed=True))
    def test_a_whole_answer_comes_back_as_it_was(self, answer: Completion) -> None:
        assert answers.completion(written(answers.completion_json(answer))) == answer

    @settings(deadline=None)
    @given(st.lists(any_event | chunks(), max_size=12))
    def test_a_streamed_answer_comes_back_as_it_was(self, events: list[StreamEvent]) -> None:
        assert list(answers.stream(written(answers.stream_json(events)))) == events

    @given(st.builds(Answer, text=texts, usage=usages, replayed=st.just(True)))
    def test_an_answer_to_a_question_comes_back_as_it_was(self, answer: Answer) -> None:
        assert answers.answer(written(answers.answer_json(answer))) == answer

    @given(st.lists(st.lists(finite, max_size=4).map(tuple), max_size=3).map(tuple), usages)
    def test_an_embedding_comes_back_as_it_was(self, vectors: tuple[tuple[float, ...], ...], usage: Usage) -> None:
        embedding = Embedding(vectors, usage, replayed=True)
        assert answers.embedding(written(answers.embedding_json(embedding))) == embedding

    def test_a_description_comes_back_as_it_was(self) -> None:
        info = ModelInfo("openai/x", True, "1", "abc", 8192)
        assert answers.info(written(answers.info_json(info))) == info

    def test_an_overflow_comes_back_as_the_same_fault(self) -> None:
        with pytest.raises(ContextOverflow, match="too long") as caught:
            answers.check_overflow(written(answers.overflow_json(ContextOverflow("too long", status=413))))
        assert (caught.value.status, caught.value.replayed) == (413, True)

    @pytest.mark.parametrize("html", [False, True])
    def test_the_text_of_a_stream_stands_there_once_and_can_be_read(self, html: bool) -> None:
        text = 'if a < b:\n    print("größer")\n' * 100
        pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
        bodies = [json.dumps({"id": "x" * 100, "delta": {"content": piece}}, ensure_ascii=False) for piece in pieces]
        bodies = [body.replace("<", "\\u003c") if html else body for body in bodies]
        events = [StreamEvent(body.encode(), piece) for body, piece in zip(bodies, pieces, strict=True)]
        events.append(StreamEvent(b'{"choices": []}', finish_reason="stop"))
        data = answers.stream_json(events)
        assert [run.get("said") for run in data["stream"]] == [text, None]
        assert len(json.dumps(data, ensure_ascii=False)) < 1.8 * len(text)
        assert [event.data for event in answers.stream(data)] == [event.data for event in events]

    def test_what_is_long_and_cannot_be_folded_is_compressed_and_its_beginning_can_be_read(self) -> None:
        events = [StreamEvent(json.dumps({"p": n, "c": f"word {n} "}).encode(), f"word {n} ") for n in range(3000)]
        data = answers.stream_json(events)
        assert data["begins"].startswith("word 0 word 1 ")
        assert len(json.dumps(data)) < 40_000
        assert [event.text for event in answers.stream(data)] == [event.text for event in events]


def store(folder: Path, mode: RecordMode, run: str = "r") -> Cassettes:
    return Cassettes(folder, mode, run)


def recorded(folder: Path, mode: RecordMode, inner: Backend | None = None, run: str = "r") -> RecordedBackend:
    return RecordedBackend(MODEL, store(folder, mode, run), lambda: inner or pytest.fail("the model was asked"))


def asked(text: str = "Say hello.", number: int = 0, **more: Any) -> BackendCall:
    return replace(make_backend_call(messages=[user(text)], **more), number=number)


def say(backend: Backend, *calls: BackendCall) -> list[str]:
    """The texts of whole answers."""

    async def scenario() -> list[str]:
        return [(await backend.complete(call)).text for call in calls]

    return asyncio.run(scenario())


def hear(backend: Backend, call: BackendCall) -> list[StreamEvent]:
    async def scenario() -> list[StreamEvent]:
        return [event async for event in backend.stream(call)]

    return asyncio.run(scenario())


def only_file(folder: Path) -> Path:
    (path,) = (path for path in folder.rglob("*.jsonl") if path.parent.name != "models")
    return path


class TestReplay:
    def test_equal_requests_of_a_trial_have_their_own_answers_in_order(self, tmp_path: Path) -> None:
        calls = [asked(number=number) for number in range(3)]
        live = recorded(tmp_path, RecordMode.NEW_EPISODES, ScriptedBackend("one", "two"))
        assert say(live, *calls[:2]) == ["one", "two"]
        replay = recorded(tmp_path, RecordMode.NONE)
        assert say(replay, *calls[:2]) == ["one", "two"]
        with pytest.raises(NotRecorded, match="asked it 2 times, and this is time 3"):
            say(replay, calls[2])

    def test_a_trial_that_begins_anew_begins_at_the_first_answer(self, tmp_path: Path) -> None:
        calls = [asked(number=number) for number in range(2)]
        say(recorded(tmp_path, RecordMode.NEW_EPISODES, ScriptedBackend("one", "two")), *calls)
        replay = recorded(tmp_path, RecordMode.NONE)
        assert say(replay, *calls) == say(replay, *calls) == ["one", "two"]

    def test_another_trial_has_the_same_answers(self, tmp_path: Path) -> None:
        other = replace(asked(), trial=make_trial(strategy="cascade", threshold=15.0))
        live = recorded(tmp_path, RecordMode.NEW_EPISODES, ScriptedBackend("one", "two"))
        assert say(live, asked(), other) == ["one", "one"]
        assert say(recorded(tmp_path, RecordMode.NONE), other, asked()) == ["one", "one"]

    def test_a_failed_call_is_not_recorded_and_its_place_stays_free(self, tmp_path: Path) -> None:
        busy = BackendError("busy", status=429, retryable=True)
        live = recorded(tmp_path, RecordMode.ONCE, ScriptedBackend(busy, ["Hel", busy], "Hello!"))
        with pytest.raises(BackendError, match="busy"):
            say(live, asked())
        with pytest.raises(BackendError, match="busy"):
            hear(live, replace(asked(), attempt=2))
        assert say(live, replace(asked(), attempt=3)) == ["Hello!"]
        assert len(only_file(tmp_path).read_text().splitlines()) == 2
        assert say(recorded(tmp_path, RecordMode.NONE), asked()) == ["Hello!"]

    def test_an_answer_that_nobody_waits_for_is_not_recorded(self, tmp_path: Path) -> None:
        live = recorded(tmp_path, RecordMode.ONCE, ScriptedBackend(["Hel", "lo!"]))

        async def scenario() -> None:
            async with aclosing(live.stream(asked())) as events:
                await anext(events)

        asyncio.run(scenario())
        assert not list(tmp_path.rglob("*.jsonl"))

    def test_an_overflow_is_recorded(self, tmp_path: Path) -> None:
        overflow = ContextOverflow("9000 tokens do not fit", status=400)
        with pytest.raises(ContextOverflow):
            hear(recorded(tmp_path, RecordMode.ONCE, ScriptedBackend(overflow)), asked())
        with pytest.raises(ContextOverflow, match="9000 tokens do not fit") as caught:
            hear(recorded(tmp_path, RecordMode.NONE), asked())
        assert caught.value.replayed

    def test_a_stream_is_no_whole_answer(self, tmp_path: Path) -> None:
        hear(recorded(tmp_path, RecordMode.ONCE, ScriptedBackend()), asked())
        with pytest.raises(NotRecorded, match="it was answered as stream, not as whole"):
            say(recorded(tmp_path, RecordMode.NONE), asked())

    def test_questions_embeddings_and_descriptions_are_recorded_too(self, tmp_path: Path) -> None:
        inner = Embedding_(ScriptedBackend(classifier=ScriptedClassifier("cloud"), info=ModelInfo("x", digest="d")))

        async def scenario(backend: RecordedBackend) -> tuple[Any, ...]:
            said = await backend.ask("Where to?", asked()), await backend.embed(["a"]), await backend.describe()
            return (*said, backend.question_temperature)

        live = asyncio.run(scenario(recorded(tmp_path, RecordMode.ONCE, inner)))
        answer, embedding, info, temperature = asyncio.run(scenario(recorded(tmp_path, RecordMode.NONE)))
        as_live = {"replayed": False, "recorded_seconds": None}
        assert live == (replace(answer, **as_live), replace(embedding, **as_live), info, temperature)
        assert answer.recorded_seconds is not None
        assert (answer.text, embedding.vectors, info.digest, temperature) == ("cloud", ((0.5, 1.0),), "d", 0.0)
        assert answer.replayed
        assert embedding.replayed

    def test_the_temperature_that_was_sent_is_known_without_the_model(self, tmp_path: Path) -> None:
        class Fixed(ScriptedBackend):
            def effective_temperature(self, call: BackendCall) -> float | None:
                return None

        live, replay = recorded(tmp_path, RecordMode.ONCE, Fixed()), recorded(tmp_path, RecordMode.NONE)
        say(live, asked())
        assert live.effective_temperature(asked()) is None
        say(replay, asked())
        assert replay.effective_temperature(asked()) is None

    def test_a_model_that_was_embedded_is_so_when_replayed(self, tmp_path: Path) -> None:
        inner = ScriptedBackend(info=ModelInfo("x", simulated=True))
        asyncio.run(recorded(tmp_path, RecordMode.ONCE, inner).describe())
        replay = recorded(tmp_path, RecordMode.NONE)
        asyncio.run(replay.describe())
        assert replay.simulated

    def test_a_model_that_cannot_be_made_is_missed_only_where_it_is_needed(self, tmp_path: Path) -> None:
        def make() -> Backend:
            raise ConfigurationError("set OPENAI_API_KEY")

        say(recorded(tmp_path, RecordMode.ONCE, ScriptedBackend("one")), asked())
        backend = RecordedBackend(MODEL, store(tmp_path, RecordMode.NEW_EPISODES), make)
        assert say(backend, asked()) == ["one"]
        asyncio.run(backend.aclose())
        with pytest.raises(BackendUnavailable, match="set OPENAI_API_KEY"):
            say(backend, asked("Say goodbye."))

    def test_a_model_is_asked_who_it_is_before_something_is_added_to_a_replay(self, tmp_path: Path) -> None:
        asyncio.run(recorded(tmp_path, RecordMode.ONCE, ScriptedBackend(info=ModelInfo("x", digest="old"))).describe())
        live = recorded(tmp_path, RecordMode.NEW_EPISODES, ScriptedBackend(info=ModelInfo("x", digest="new")))
        assert asyncio.run(live.describe()).digest == "old"
        say(live, asked())
        assert asyncio.run(recorded(tmp_path, RecordMode.NONE).describe()).digest == "new"


class TestModes:
    def test_none_never_asks_the_model(self, tmp_path: Path) -> None:
        with pytest.raises(NotRecorded, match="there is no such file") as caught:
            say(recorded(tmp_path, RecordMode.NONE), asked())
        assert not caught.value.retryable
        assert str(tmp_path) in str(caught.value)
        assert "'other: Say hello.'" in str(caught.value)
        assert not list(tmp_path.iterdir())

    def test_once_adds_to_what_its_own_run_has_begun(self, tmp_path: Path) -> None:
        live = recorded(tmp_path, RecordMode.ONCE, ScriptedBackend("one", "two"), run="first")
        assert say(live, asked("A"), asked("B", 1), asked("A", 2)) == ["one", "two", "Hello!"]
        other = recorded(tmp_path, RecordMode.ONCE, ScriptedBackend("three"), run="first")
        assert say(other, asked("A"), asked("C", 1)) == ["one", "three"]

    def test_once_does_not_add_to_an_earlier_runs_cassette(self, tmp_path: Path) -> None:
        say(recorded(tmp_path, RecordMode.ONCE, ScriptedBackend("one"), run="first"), asked("A"))
        later = recorded(tmp_path, RecordMode.ONCE, ScriptedBackend("two"), run="second")
        assert say(later, asked("A")) == ["one"]
        with pytest.raises(NotRecorded, match="nearest recorded request"):
            say(later, asked("B", 1))
        assert say(later, asked("B", 2, seed=7)) == ["two"]

    def test_new_episodes_adds_what_is_not_known(self, tmp_path: Path) -> None:
        say(recorded(tmp_path, RecordMode.ONCE, ScriptedBackend("one"), run="first"), asked("A"))
        later = recorded(tmp_path, RecordMode.NEW_EPISODES, ScriptedBackend("two"), run="second")
        assert say(later, asked("A"), asked("B", 1)) == ["one", "two"]
        assert say(recorded(tmp_path, RecordMode.NONE), asked("A"), asked("B", 1)) == ["one", "two"]

    def test_all_always_asks_the_model_and_its_answer_goes_over_earlier_ones(self, tmp_path: Path) -> None:
        for answer in ("one", "two"):
            assert say(recorded(tmp_path, RecordMode.ALL, ScriptedBackend(answer)), asked()) == [answer]
        assert say(recorded(tmp_path, RecordMode.NONE), asked()) == ["two"]

    def test_of_several_answers_a_trial_has_its_own(self, tmp_path: Path) -> None:
        other = replace(asked(), trial=make_trial(strategy="cascade"))
        live = recorded(tmp_path, RecordMode.ALL, ScriptedBackend("one", "two"))
        assert say(live, asked(), other) == ["one", "two"]
        third = replace(asked(), trial=make_trial(strategy="third"))
        assert say(recorded(tmp_path, RecordMode.NONE), asked(), other, third) == ["one", "two", "two"]


class TestFiles:
    def test_a_file_says_its_task_model_and_seed_by_its_name(self, tmp_path: Path) -> None:
        say(recorded(tmp_path, RecordMode.ONCE, ScriptedBackend()), asked())
        assert only_file(tmp_path) == tmp_path / "samples" / "greeting" / "openai.gpt%2F5%3Ax.s42.jsonl"

    def test_a_long_name_is_cut_and_stays_its_own(self, tmp_path: Path) -> None:
        for name in ("x" * 300, "x" * 301):
            backend = RecordedBackend(ModelRef("openai", name), store(tmp_path, RecordMode.ONCE), ScriptedBackend)
            say(backend, asked())
        assert len(list(tmp_path.rglob("*.jsonl"))) == 2

    def test_lines_are_json_with_answer_model_and_what_was_asked(self, tmp_path: Path) -> None:
        live = recorded(tmp_path, RecordMode.ONCE, ScriptedBackend("Grüße"))
        say(live, asked("Say hello in German."))
        text = only_file(tmp_path).read_text()
        header, line = map(json.loads, text.splitlines())
        assert header == {"hybrideval_cassette": 1}
        assert (line["asked"], line["by"], line["nth"]) == ("other: Say hello in German.", "heuristic-s42", 0)
        assert (line["answer"]["text"], line["parameters"]) == ("Grüße", {"temperature": 0.0})
        assert "Grüße" in text

    def test_half_of_a_surrogate_pair_can_be_written(self, tmp_path: Path) -> None:
        event = StreamEvent(b"{}", "x\ud800")
        live = recorded(tmp_path, RecordMode.ONCE, ScriptedBackend(ScriptedReply([event], body=b"{}")))
        say(live, asked())
        assert say(recorded(tmp_path, RecordMode.NONE), asked()) == ["x\ud800"]

    @pytest.mark.parametrize("torn", [b'{"hy', b'{"key": "' + b"x" * 200_000])
    def test_a_line_whose_writer_was_killed_does_not_count(self, tmp_path: Path, torn: bytes) -> None:
        say(recorded(tmp_path, RecordMode.ONCE, ScriptedBackend("one")), asked("A"))
        path = only_file(tmp_path)
        whole = path.read_bytes()
        path.write_bytes(whole + torn)
        assert say(recorded(tmp_path, RecordMode.NONE), asked("A")) == ["one"]
        later = recorded(tmp_path, RecordMode.NEW_EPISODES, ScriptedBackend("two"))
        assert say(later, asked("A"), asked("B", 1)) == ["one", "two"]
        assert path.read_bytes().startswith(whole)
        assert all(json.loads(line) for line in path.read_bytes().splitlines())
        assert say(recorded(tmp_path, RecordMode.NONE), asked("A"), asked("B", 1)) == ["one", "two"]

    def test_a_file_of_which_only_a_piece_of_the_header_was_written_is_begun_anew(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(b'{"hybrid')
        Cassette(path).append({"key": "k"})
        assert [json.loads(line) for line in path.read_bytes().splitlines()] == [
            {"hybrideval_cassette": 1},
            {"key": "k"},
        ]

    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            (lambda lines: [lines[0], b"{not json", lines[1]], ":2: damaged, not JSON"),
            (lambda lines: [lines[0], lines[1], b"[1]"], ":3: damaged, not a JSON object"),
            (lambda lines: lines[1:], ":1: damaged, without 'hybrideval_cassette'"),
            (lambda lines: [b'{"hybrideval_cassette": 2}', lines[1]], ":1: written in format 2; this version reads 1"),
            (lambda lines: [lines[0], lines[1].replace(b'"answer"', b'"reply"')], ":2: damaged, without 'answer'"),
            (lambda lines: [lines[0], lines[1].replace(b'"body"', b'"corps"')], ":2: damaged, its answer cannot be"),
            (lambda lines: [lines[0], b"\xff\xfe"], ":2: damaged, not JSON"),
        ],
    )
    def test_a_damaged_file_is_one_error_that_names_file_and_line(self, tmp_path: Path, spoil: Any, said: str) -> None:
        say(recorded(tmp_path, RecordMode.ONCE, ScriptedBackend("one")), asked())
        path = only_file(tmp_path)
        path.write_bytes(b"".join(line + b"\n" for line in spoil(path.read_bytes().splitlines())))
        replay = recorded(tmp_path, RecordMode.NONE)
        errors = []
        for number in range(2):
            with pytest.raises(CassetteError) as caught:
                say(replay, asked(number=number))
            errors.append(str(caught.value))
        assert errors[0].startswith(f"{path}{said}"), errors[0]
        assert errors[0] == errors[1]
        assert not caught.value.retryable

    def test_files_that_were_put_together_can_be_read(self, tmp_path: Path) -> None:
        for name in "AB":
            say(recorded(tmp_path / name, RecordMode.ONCE, ScriptedBackend(name)), asked(name))
        one, other = (only_file(tmp_path / name) for name in "AB")
        one.write_bytes(one.read_bytes() + other.read_bytes())
        assert say(recorded(tmp_path / "A", RecordMode.NONE), asked("A"), asked("B", 1)) == ["A", "B"]

    def test_a_folder_that_cannot_be_written_fails_the_call(self, tmp_path: Path) -> None:
        (tmp_path / "samples").write_text("no folder")
        with pytest.raises(CassetteError, match=r"greeting.*\.jsonl: "):
            say(recorded(tmp_path, RecordMode.ALL, ScriptedBackend()), asked())


class Embedding_(ScriptedBackend):  # noqa: N801  # what a scripted backend is that makes embeddings
    def __init__(self, like: ScriptedBackend) -> None:
        self.__dict__.update(like.__dict__)

    async def embed(self, texts: Sequence[str]) -> Embedding:
        return Embedding(tuple((0.5, 1.0) for _ in texts), Usage(prompt=1))


class Slow(ScriptedBackend):
    """Takes its time, and notes in a file that it was asked."""

    def __init__(self, notes: Path, answer: str) -> None:
        super().__init__(default=answer)
        self._notes = notes

    async def stream(self, call: BackendCall) -> AsyncGenerator[StreamEvent, None]:
        with self._notes.open("a") as notes:
            notes.write("asked\n")
        await asyncio.sleep(0.3)
        async for event in super().stream(call):
            yield event


def write_many(path: Path, writer: int, barrier: Any) -> None:
    barrier.wait()
    for number in range(100):
        Cassette(path).append({"writer": writer, "number": number, "text": "x" * (number * 97)})


def ask_slowly(folder: Path, name: str, barrier: Any, said: Any) -> None:
    backend = recorded(folder, RecordMode.NEW_EPISODES, Slow(folder / "notes", name))
    barrier.wait()
    began = time.monotonic()
    events = hear(backend, replace(asked(), trial=make_trial(strategy=name)))
    text = "".join(event.text for event in events)
    said.put((text, events[0].replayed, time.monotonic() - began))


class TestCrowds:
    def test_many_processes_append_to_one_file(self, tmp_path: Path) -> None:
        context = multiprocessing.get_context("fork")
        path, barrier = tmp_path / "a.jsonl", context.Barrier(4)
        workers = [context.Process(target=write_many, args=(path, n, barrier)) for n in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        header, *lines = map(json.loads, path.read_bytes().splitlines())
        assert header == {"hybrideval_cassette": 1}
        for writer in range(4):
            assert [line["number"] for line in lines if line["writer"] == writer] == list(range(100))

    def test_the_same_call_of_several_processes_is_made_once(self, tmp_path: Path) -> None:
        context = multiprocessing.get_context("fork")
        barrier, said = context.Barrier(3), context.Queue()
        names = ["a", "b", "c"]
        workers = [context.Process(target=ask_slowly, args=(tmp_path, name, barrier, said)) for name in names]
        for worker in workers:
            worker.start()
        results = [said.get(timeout=60) for _ in workers]
        for worker in workers:
            worker.join(60)
        assert (tmp_path / "notes").read_text() == "asked\n"
        assert len({text for text, _, _ in results}) == 1
        assert sorted(replayed for _, replayed, _ in results) == [False, True, True]

    def test_calls_that_differ_do_not_wait_for_each_other(self, tmp_path: Path) -> None:
        backend = recorded(tmp_path, RecordMode.NEW_EPISODES, Slow(tmp_path / "notes", "x"))

        async def one(number: int) -> None:
            _ = [event async for event in backend.stream(asked(f"Say {number}.", number))]

        async def scenario() -> float:
            began = time.monotonic()
            await asyncio.gather(*map(one, range(5)))
            return time.monotonic() - began

        assert asyncio.run(scenario()) < 1.0


def test_a_request_without_messages_that_can_be_read_has_a_key() -> None:
    odd = ChatRequest({"messages": [{"role": "user"}, {"role": "tool", "content": [None, "x"]}]})
    assert key(replace(CALL, request=odd))
