"""Answers without end are cut and no others; prompts that cannot have been read are told, and no others."""

from __future__ import annotations

import asyncio
import random
import string
import time
from collections.abc import AsyncGenerator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hybrideval.backends.guarded import GuardedBackend, Guards
from pytest_hybrideval.backends.prompt_size import counts_in_full, least_tokens, overran
from pytest_hybrideval.backends.repetition import STEP, LoopWatch, ends_in_repeats
from pytest_hybrideval.backends.wrapper import BackendWrapper
from pytest_hybrideval.core.domain import Completion, Cut, Embedding, ModelInfo, StreamEvent, Usage
from pytest_hybrideval.core.errors import BackendError, BackendUnavailable
from pytest_hybrideval.core.protocols import BackendCall, Embedder
from pytest_hybrideval.testing import Pause, ScriptedBackend, ScriptedReply, make_backend_call

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SOLUTIONS = sorted([*BENCHMARKS.glob("*/*/solution/**/*.*"), *BENCHMARKS.glob("*/*/.meta/**/*.*")])
CALL = make_backend_call(stream=True)


def streamed(backend: ScriptedBackend, guards: Guards | None = None, call: BackendCall = CALL) -> list[StreamEvent]:
    async def collect() -> list[StreamEvent]:
        return [event async for event in GuardedBackend(backend, guards).stream(call)]

    return asyncio.run(asyncio.wait_for(collect(), 30))


def completed(backend: ScriptedBackend, guards: Guards | None = None, call: BackendCall = CALL) -> Completion:
    return asyncio.run(asyncio.wait_for(GuardedBackend(backend, guards).complete(call), 30))


def text_of(events: Sequence[StreamEvent]) -> str:
    return "".join(event.text for event in events)


def pieces(text: str, sizes: Sequence[int]) -> list[str]:
    """The text cut into pieces of these sizes, over and over."""
    found, at = [], 0
    while at < len(text):
        found.append(text[at : at + sizes[len(found) % len(sizes)]])
        at += len(found[-1])
    return found


def noise(seed: int, length: int) -> str:
    """Text in which nothing repeats itself."""
    return "".join(random.Random(seed).choices(string.ascii_letters + "\n é🙂", k=length))


def thinking(text: str) -> StreamEvent:
    data = orjson.dumps({"choices": [{"index": 0, "delta": {"reasoning_content": text}}]})
    return StreamEvent(data, thinking=text)


groups = st.lists(st.tuples(st.text(max_size=60), st.integers(1, 90)), max_size=12)
sizes = st.lists(st.integers(1, 3000), min_size=1, max_size=6)


class TestWhatIsNoLoop:
    @settings(deadline=None)
    @given(groups, sizes)
    def test_ordinary_text_passes_byte_for_byte_in_any_pieces(
        self, groups: list[tuple[str, int]], sizes: list[int]
    ) -> None:
        text = "".join(f"# part {number}\n" + f"{line}\n" * times for number, (line, times) in enumerate(groups))
        assert streamed(ScriptedBackend(pieces(text, sizes))) == unguarded(pieces(text, sizes))

    @pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: str(path.relative_to(BENCHMARKS)))
    @pytest.mark.parametrize("size", [1, 7, 500])
    def test_real_code_is_never_cut(self, path: Path, size: int) -> None:
        text = path.read_text(encoding="utf-8")
        assert streamed(ScriptedBackend(pieces(text, [size]))) == unguarded(pieces(text, [size]))

    def test_there_is_real_code_to_try(self) -> None:
        assert len(SOLUTIONS) > 40

    @pytest.mark.parametrize(
        "text",
        [
            "TABLE = [\n" + "    [0, 0, 0, 0, 0, 0, 0, 0],\n" * 64 + "]\n",
            "FRAME = bytes([" + "0x00, " * 512 + "])\n",
            "id,name,value\n" + "1,a,0\n" * 500,
            ("# " + "-" * 118 + "\n") * 20,
            "=" * 2000 + "\n" + "-" * 2000,
            "\n" * 1000,
            "{" * 200 + "\n}" * 1000,
            "assert parse('') is None\n" * 100,
            "".join(f"{number}. The same sentence as before.\n" for number in range(2000)),
            "x = 1\n" * 500 + "y = 2\n" + "x = 1\n" * 500,
        ],
        ids=["table", "bytes", "csv", "rules", "dashes", "blank", "braces", "asserts", "numbered", "two-runs"],
    )
    def test_what_repeats_itself_for_a_reason_is_not_cut(self, text: str) -> None:
        assert streamed(ScriptedBackend(pieces(text, [4]))) == unguarded(pieces(text, [4]))
        assert completed(ScriptedBackend(text)).cut is None

    def test_a_block_may_come_five_times_however_long_it_is(self) -> None:
        text = noise(1, 2000) * 5 + noise(2, 2000)
        assert streamed(ScriptedBackend(pieces(text, [40])))[-1].cut is None

    def test_the_guard_may_be_switched_off(self) -> None:
        text = "again\n" * 5000
        assert text_of(streamed(ScriptedBackend(pieces(text, [40])), Guards(repetition=False))) == text
        assert completed(ScriptedBackend(text), Guards(repetition=False)).text == text


def unguarded(steps: Sequence[str]) -> list[StreamEvent]:
    async def collect() -> list[StreamEvent]:
        return [event async for event in ScriptedBackend(steps).stream(CALL)]

    return asyncio.run(collect())


class TestLoops:
    @settings(deadline=None)
    @given(st.integers(1, 2000), st.integers(0, 3000), st.integers(0), sizes)
    def test_a_loop_of_any_length_is_cut_in_time(self, period: int, before: int, seed: int, sizes: list[int]) -> None:
        block, bound = noise(seed, period), Guards().watch().bound
        text = noise(seed + 1, before) + block * (2 * (bound + max(sizes)) // period + 1)
        backend = ScriptedBackend(pieces(text, sizes))
        events = streamed(backend)
        assert events[-1].cut is Cut.REPETITION
        assert text.startswith(text_of(events))
        assert len(text_of(events)) <= before + bound
        assert backend.broken_off == backend.calls

    def test_a_line_is_cut_after_six_thousand_characters(self) -> None:
        events = streamed(ScriptedBackend(pieces("def f():\n    " + "return f()\n    " * 5000, [3])))
        assert 6000 <= len(text_of(events)) <= 6000 + 2 * STEP

    def test_the_agent_gets_a_whole_answer_of_the_same_chat(self) -> None:
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 7, "model": "m"}
        choice = {"index": 0, "delta": {"content": "again "}, "finish_reason": None}
        event = StreamEvent(orjson.dumps({**head, "choices": [choice]}), text="again ")
        events = streamed(ScriptedBackend([event] * 5000))
        last = orjson.loads(events[-1].data or b"")
        assert {name: last[name] for name in head} == head
        assert last["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "length"}]
        assert (events[-1].finish_reason, events[-1].usage, events[-1].text) == ("length", None, "")

    def test_thinking_may_loop_too(self) -> None:
        backend = ScriptedBackend([thinking("Wait, let me think again. ")] * 5000)
        events = streamed(backend)
        assert (events[-1].cut, text_of(events)) == (Cut.REPETITION, "")
        assert backend.broken_off == backend.calls

    def test_text_and_thinking_do_not_make_a_loop_of_each_other(self) -> None:
        steps: list[Any] = [thinking("hm\n") if number % 2 else "hm\n" for number in range(1600)]
        assert streamed(ScriptedBackend(steps))[-1].cut is None

    def test_a_whole_answer_ends_where_a_stream_would(self) -> None:
        text = "Fine.\n" + "again\n" * 5000
        answer = completed(ScriptedBackend(ScriptedReply([text], fingerprint="fp", usage=Usage(3, 9))))
        body = orjson.loads(answer.body)
        assert (answer.cut, answer.finish_reason) == (Cut.REPETITION, "length")
        assert (answer.usage, answer.fingerprint) == (Usage(3, 9), "fp")
        assert body["choices"][0]["finish_reason"] == "length"
        assert body["choices"][0]["message"]["content"] == answer.text
        assert text.startswith(answer.text)
        assert len(answer.text) < 6000 + 2 * STEP

    def test_watching_costs_little(self) -> None:
        texts = [noise(1, 400_000), ("a" * 2999 + "b") * 133, "-" * 5000 + noise(2, 395_000)]
        for text in texts:
            watch, started = LoopWatch(2000, 6, 6000), time.process_time()
            assert not any(watch.feed(piece) for piece in pieces(text, [4]))
            assert time.process_time() - started < 5  # a hundred thousand tokens


class TestRepeatsAtTheEnd:
    @pytest.mark.parametrize(
        "text", ["x" * 20, "so on and" + " on" * 20, "} }\n" * 20, "\n" * 20, "a" + " \n" * 10, "one two " * 20]
    )
    def test_twenty_times_the_same(self, text: str) -> None:
        assert ends_in_repeats(text, 20)

    @pytest.mark.parametrize("text", ["", "x" * 19, "on " * 19, "on " * 30 + "off", "\n" * 19, "abc"])
    def test_less_than_that(self, text: str) -> None:
        assert not ends_in_repeats(text, 20)


class TestTime:
    @pytest.mark.parametrize("before", [[], ["Hel", "lo"]])
    def test_a_stream_is_cut_when_its_time_is_over(self, before: list[str]) -> None:
        backend = ScriptedBackend([*before, Pause()])
        started = time.monotonic()
        events = streamed(backend, Guards(seconds=0.05))
        assert time.monotonic() - started < 5
        assert text_of(events) == "".join(before)
        assert (events[-1].cut, events[-1].finish_reason) == (Cut.TOO_LONG, "length")
        assert events[-1].data is not None
        assert backend.broken_off == backend.calls

    def test_a_model_that_never_falls_silent_is_cut_too(self) -> None:
        class Endless(ScriptedBackend):
            async def stream(self, call: BackendCall) -> AsyncGenerator[StreamEvent, None]:
                for number in range(10**9):
                    await asyncio.sleep(0)
                    yield StreamEvent(None, text=f"{number} ")

        assert streamed(Endless(), Guards(seconds=0.05))[-1].cut is Cut.TOO_LONG

    def test_an_answer_that_had_ended_is_not_cut(self) -> None:
        ended = StreamEvent(b"{}", finish_reason="stop")
        backend = ScriptedBackend(["Hello", ended, Pause()])
        events = streamed(backend, Guards(seconds=0.05))
        assert [event.text for event in events] == ["Hello", ""]
        assert events[-1] == ended
        assert backend.broken_off == backend.calls

    def test_a_whole_answer_that_is_late_is_empty(self) -> None:
        backend = ScriptedBackend([Pause()])
        answer = completed(backend, Guards(seconds=0.05))
        choice = orjson.loads(answer.body)["choices"][0]
        assert (answer.text, answer.finish_reason, answer.cut) == ("", "length", Cut.TOO_LONG)
        assert (choice["message"], choice["finish_reason"]) == ({"role": "assistant", "content": ""}, "length")
        assert answer.usage == Usage()
        assert backend.broken_off == backend.calls

    def test_what_is_in_time_passes_unchanged(self) -> None:
        steps = ["Hel", "lo"]
        assert streamed(ScriptedBackend(steps), Guards(seconds=30)) == unguarded(steps)
        assert completed(ScriptedBackend(steps), Guards(seconds=30)).text == "Hello"

    @pytest.mark.parametrize("seconds", [None, 30.0])
    def test_faults_pass_unchanged(self, seconds: float | None) -> None:
        fault = BackendError("busy", status=503, retryable=True)
        with pytest.raises(BackendError) as caught:
            streamed(ScriptedBackend(["Hi", fault]), Guards(seconds=seconds))
        assert caught.value is fault
        with pytest.raises(BackendError) as caught:
            completed(ScriptedBackend(fault), Guards(seconds=seconds))
        assert caught.value is fault

    @pytest.mark.parametrize("seconds", [None, 30.0])
    @pytest.mark.parametrize("stream", [True, False])
    def test_who_cancels_stops_the_model(self, seconds: float | None, stream: bool) -> None:
        pause = Pause()
        backend = ScriptedBackend([pause])
        guarded = GuardedBackend(backend, Guards(seconds=seconds))

        async def scenario() -> None:
            work = anext(guarded.stream(CALL)) if stream else guarded.complete(CALL)
            task = asyncio.ensure_future(work)
            await asyncio.to_thread(pause.reached)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(asyncio.wait_for(scenario(), 30))
        assert backend.broken_off == backend.calls

    @pytest.mark.parametrize("seconds", [None, 30.0])
    def test_who_leaves_stops_the_model(self, seconds: float | None) -> None:
        backend = ScriptedBackend(["Hi", Pause()])

        async def scenario() -> None:
            events = GuardedBackend(backend, Guards(seconds=seconds)).stream(CALL)
            await anext(events)
            await events.aclose()

        asyncio.run(asyncio.wait_for(scenario(), 30))
        assert backend.broken_off == backend.calls


def reading(count: int | None, version: str | None = "0.33.0", text: str = "word " * 4000) -> ScriptedBackend:
    """A model that says it read so many tokens."""
    info = ModelInfo("ollama/m", version=version)
    return ScriptedBackend(default=ScriptedReply(["Hi"], usage=Usage(prompt=count, completion=3)), info=info)


def asking(text: str, num_ctx: int | None = 8192) -> BackendCall:
    return make_backend_call(messages=[{"role": "user", "content": text}], num_ctx=num_ctx, stream=True)


LONG = asking("a word " * 4000)


class TestPrompts:
    @pytest.mark.parametrize("count", [8192, 8191, 2048, 6399])
    def test_a_prompt_that_cannot_have_been_read_is_told(self, count: int) -> None:
        assert completed(reading(count), call=LONG).truncated_prompt
        events = streamed(reading(count), call=LONG)
        assert [event.truncated_prompt for event in events] == [False, False, True]
        assert (text_of(events), events[-1].cut) == ("Hi", None)

    @pytest.mark.parametrize("count", [None, 6400, 8190, 8193, 20_000])
    def test_other_counts_say_nothing(self, count: int | None) -> None:
        assert not completed(reading(count), call=LONG).truncated_prompt
        assert not any(event.truncated_prompt for event in streamed(reading(count), call=LONG))

    def test_without_a_context_that_was_asked_for_nothing_is_told(self) -> None:
        assert not completed(reading(10), call=asking("a word " * 4000, None)).truncated_prompt

    @pytest.mark.parametrize(
        ("version", "full"),
        [
            *(("0.33.0", True), ("0.30.1-rc0", True), ("0.12.3", True), ("1.0", True)),
            *(("0.30.0", False), ("0.30.0-rc2", False), ("v0.30.0", False), ("0.1.48", False)),
            *((None, True), ("", True), ("unknown", True)),
        ],
    )
    def test_releases_that_do_not_count_what_they_had_cached(self, version: str | None, full: bool) -> None:
        assert counts_in_full(version) is full
        assert completed(reading(100, version), call=LONG).truncated_prompt is full

    def test_the_release_is_asked_for_once_and_only_where_it_matters(self) -> None:
        asked: list[str] = []

        class Watched(ScriptedBackend):
            async def describe(self) -> ModelInfo:
                asked.append("describe")
                return await super().describe()

        async def scenario() -> None:
            guarded = GuardedBackend(Watched(default=ScriptedReply(["Hi"], usage=Usage(100, 3))))
            await guarded.complete(asking("Hello."))
            assert not asked
            for _ in range(3):
                assert (await guarded.complete(LONG)).truncated_prompt
            assert asked == ["describe"]

        asyncio.run(scenario())

    def test_a_server_that_does_not_say_its_release_is_taken_to_count_in_full(self) -> None:
        fault = BackendUnavailable("gone")
        backend = ScriptedBackend(ScriptedReply(["Hi"], usage=Usage(100, 3)), info=fault)
        assert completed(backend, call=LONG).truncated_prompt

    def test_all_parts_of_a_prompt_count(self) -> None:
        parts = [{"type": "text", "text": "two words"}, {"type": "image_url", "image_url": {"url": "data:x"}}]
        messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": parts}]
        assert least_tokens([*messages, {"role": "assistant", "content": None}]) == 4
        assert least_tokens([{"role": "user", "content": "snake_case CamelCase 12 3.5 é-à {}"}]) == 5

    @given(st.integers(0), st.integers(1), st.text())
    def test_a_count_above_the_context_says_that_the_context_is_another(self, more: int, ctx: int, text: str) -> None:
        messages = [{"role": "user", "content": text}]
        read = ctx + 1 + more
        assert overran(messages, read, ctx, 1.25) == (least_tokens(messages) > 1.25 * read)

    @pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: str(path.relative_to(BENCHMARKS)))
    def test_no_real_text_has_fewer_tokens_than_the_least(self, path: Path, claude: Any) -> None:
        text = path.read_text(encoding="utf-8")
        assert least_tokens([{"role": "user", "content": text}]) <= 0.8 * len(claude.encode(text).ids) + 2


@pytest.fixture(scope="module")
def claude() -> Any:
    """A real tokenizer: the one that litellm brings."""
    tokenizers = pytest.importorskip("tokenizers")
    spec = find_spec("litellm")
    assert spec is not None
    assert spec.origin is not None
    file = Path(spec.origin).parent / "litellm_core_utils/tokenizers/anthropic_tokenizer.json"
    return tokenizers.Tokenizer.from_file(str(file))


class TestWrapper:
    def test_what_only_some_backends_have_is_there_where_the_inner_one_has_it(self) -> None:
        class WithVectors(ScriptedBackend):
            async def embed(self, texts: Sequence[str]) -> Embedding:
                return Embedding(tuple((float(len(text)),) for text in texts))

        class Own(BackendWrapper):
            async def embed(self, texts: Sequence[str]) -> Embedding:
                return Embedding(())

        inner = WithVectors()
        outer = BackendWrapper(GuardedBackend(inner))
        assert isinstance(outer, Embedder)
        assert asyncio.run(outer.embed(["abc"])).vectors == ((3.0,),)
        assert asyncio.run(Own(inner).embed(["abc"])).vectors == ()
        assert not isinstance(GuardedBackend(ScriptedBackend()), Embedder)

    def test_the_rest_passes(self) -> None:
        inner = ScriptedBackend(info=ModelInfo("scripted/model", version="9"))

        async def scenario() -> None:
            guarded = GuardedBackend(inner)
            assert (guarded.ref, guarded.simulated) == (inner.ref, False)
            assert (await guarded.describe()).version == "9"
            assert (await guarded.ask("Hard?", CALL)).text == "local"
            assert guarded.effective_temperature(CALL) == 0
            await guarded.aclose()

        asyncio.run(scenario())
        assert inner.closed
