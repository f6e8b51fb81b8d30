"""Faults on purpose: as they were asked for, as the real ones look, and the same every time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_hybrideval.backends.injected import Faults, InjectedBackend, injected, parse_faults
from pytest_hybrideval.core.domain import Answer, Completion, Embedding, ModelInfo, StreamEvent, Tier, Usage
from pytest_hybrideval.core.errors import BackendError, BackendUnavailable, ConfigurationError, StreamBroken
from pytest_hybrideval.core.protocols import BackendCall, Embedder
from pytest_hybrideval.testing import ScriptedBackend, ScriptedReply, make_backend_call

CALL = make_backend_call(stream=True)
FEW = [*map(str, range(3))]
MANY = [*map(str, range(40))]
ZERO = Usage(prompt=0, completion=0, cached=0, reasoning=0)


class TestSpelling:
    def test_every_fault(self) -> None:
        text = "local:latency=2s, cloud:429=0.1,local:slow=20,cloud:500=.05,cloud:cut=0.2,cloud:empty=1e-2"
        plan = parse_faults(text)
        assert plan.text == text
        assert plan.of(Tier.LOCAL) == Faults(latency=2.0, slow=20.0)
        assert plan.of(Tier.CLOUD) == Faults(statuses=((429, 0.1), (500, 0.05)), cut=0.2, empty=0.01)

    def test_a_tier_that_is_down_may_take_its_time(self) -> None:
        plan = parse_faults("local:latency=2s,cloud:429=0.1,local:down")
        assert plan.of(Tier.LOCAL) == Faults(latency=2.0, down=True)
        assert plan.of(Tier.CLOUD) == Faults(statuses=((429, 0.1),))

    def test_a_tier_without_faults_is_left_in_peace(self) -> None:
        plan, backend = parse_faults("local:down"), ScriptedBackend()
        assert plan.of(Tier.CLOUD) is None
        assert injected(backend, Tier.CLOUD, plan) is backend
        assert injected(backend, Tier.LOCAL, None) is backend
        assert isinstance(injected(backend, Tier.LOCAL, plan), InjectedBackend)

    @pytest.mark.parametrize(
        ("text", "seconds"), [("300ms", 0.3), ("2s", 2.0), ("1.5s", 1.5), (".5s", 0.5), ("0s", 0.0)]
    )
    def test_durations(self, text: str, seconds: float) -> None:
        assert parse_faults(f"local:latency={text}").tiers[Tier.LOCAL].latency == pytest.approx(seconds)

    @pytest.mark.parametrize(
        ("text", "right"),
        [
            ("", "as in local:latency=2s"),
            ("down", "TIER:FAULT"),
            ("local:", "TIER:FAULT"),
            ("local:down,", "TIER:FAULT"),
            ("locl:down", r"unknown tier 'locl'; did you mean 'local'\? \(local, cloud\)"),
            ("edge:down", r"unknown tier 'edge'; \(local, cloud\)"),
            ("local:latncy=2s", "unknown fault 'latncy'; did you mean 'latency'"),
            ("local:200=0.1", "statuses from 400 to 599"),
            ("local:600=0.1", "statuses from 400 to 599"),
            ("local:latency=2", "latency=2s or latency=300ms"),
            ("local:latency=-2s", "latency=2s"),
            ("local:latency=2m", "latency=2s"),
            ("local:latency", "latency=2s"),
            ("cloud:429", r"429=0\.1"),
            ("cloud:429=0", "a probability"),
            ("cloud:503=1.5", "a probability"),
            ("cloud:429=nan", "a probability"),
            ("cloud:429=10%", "a probability"),
            ("cloud:cut=often", r"cut=0\.1"),
            ("cloud:empty", r"empty=0\.1"),
            ("cloud:slow=0", "tokens per second"),
            ("cloud:slow=inf", "tokens per second"),
            ("cloud:down=1", "down, without a value"),
            ("cloud:cut=0.1,cloud:cut=0.2", "'cloud:cut' stands twice"),
            ("cloud:429=0.1,cloud:429=0.1", "'cloud:429' stands twice"),
            ("cloud:down,cloud:429=0.1", "'cloud:down' leaves no answer"),
            ("cloud:slow=5,cloud:down", "'cloud:down' leaves no answer"),
            ("cloud:429=0.6,cloud:cut=0.5", r"add up to 1\.1"),
        ],
    )
    def test_what_is_wrong_is_said_with_what_would_be_right(self, text: str, right: str) -> None:
        with pytest.raises(ConfigurationError, match=right) as caught:
            parse_faults(text, "hybrideval_inject (ini)")
        assert str(caught.value).startswith("hybrideval_inject (ini): ")
        assert "\n" not in str(caught.value)

    @given(st.text(max_size=30))
    def test_nonsense_is_refused_and_never_breaks(self, text: str) -> None:
        told = "--hybrid-inject: "
        try:
            plan = parse_faults(text)
        except ConfigurationError as error:
            told = str(error)
        else:
            assert plan.tiers
        assert told.startswith("--hybrid-inject: ")

    def test_probabilities_may_add_up_to_one(self) -> None:
        assert parse_faults(",".join(f"cloud:{status}=0.1" for status in range(500, 510))).of(Tier.CLOUD) is not None


def misbehaving(spec: str, backend: Any = None, tier: Tier = Tier.LOCAL) -> InjectedBackend:
    faults = parse_faults(spec).of(tier)
    assert faults is not None
    return InjectedBackend(ScriptedBackend(default=MANY) if backend is None else backend, tier, faults)


def streamed(backend: InjectedBackend, call: BackendCall = CALL) -> tuple[list[StreamEvent], BackendError | None]:
    """The events up to the end or the fault."""
    seen: list[StreamEvent] = []

    async def collect() -> BackendError | None:
        try:
            async for event in backend.stream(call):
                seen.append(event)
        except BackendError as fault:
            return fault
        return None

    return seen, asyncio.run(asyncio.wait_for(collect(), 30))


def completed(backend: InjectedBackend, call: BackendCall = CALL) -> Completion:
    return asyncio.run(asyncio.wait_for(backend.complete(call), 30))


def asked(backend: InjectedBackend, call: BackendCall = CALL) -> Answer:
    return asyncio.run(asyncio.wait_for(backend.ask("Hard?", call), 30))


def text_of(events: Sequence[StreamEvent]) -> str:
    return "".join(event.text for event in events)


def fault_of(backend: InjectedBackend, act: Callable[..., Any]) -> BackendError:
    with pytest.raises(BackendError) as caught:
        act(backend)
    return caught.value


@pytest.mark.parametrize("act", [completed, asked])
class TestFaultsBeforeTheAnswer:
    @pytest.mark.parametrize(
        ("status", "kind", "retryable"),
        [
            (400, BackendError, False),
            (401, BackendUnavailable, False),
            (404, BackendUnavailable, False),
            (408, BackendError, True),
            (422, BackendError, False),
            (429, BackendError, True),
            (500, BackendError, True),
            (503, BackendError, True),
            (529, BackendError, True),
        ],
    )
    def test_a_status_is_as_the_servers_own(
        self, act: Callable[..., Any], status: int, kind: type[BackendError], retryable: bool
    ) -> None:
        inner = ScriptedBackend(default="Hello")
        backend = misbehaving(f"local:{status}=1", inner)
        fault = fault_of(backend, act)
        _, in_a_stream = streamed(backend)
        assert in_a_stream is not None
        for error in (fault, in_a_stream):
            assert (type(error), error.status, error.retryable) == (kind, status, retryable)
            assert error.retry_after == (1.0 if status == 429 else None)
            assert "scripted/model (fault injected by --hybrid-inject)" in str(error)
        assert not inner.calls
        assert not inner.question_calls

    def test_down_refuses_the_connection(self, act: Callable[..., Any]) -> None:
        inner = ScriptedBackend()
        backend = misbehaving("local:down", inner)
        fault = fault_of(backend, act)
        assert (type(fault), fault.status, fault.retryable) == (BackendUnavailable, None, True)
        assert str(fault) == (
            "scripted/model (fault injected by --hybrid-inject) refused the connection; "
            "leave local:down out to reach it"
        )
        assert str(streamed(backend)[1]) == str(fault)
        assert not inner.calls

    def test_latency_comes_before_each_try(self, act: Callable[..., Any]) -> None:
        backend = misbehaving("local:latency=50ms")
        for attempt in (act, act):
            started = time.monotonic()
            attempt(backend)
            assert 0.05 <= time.monotonic() - started < 5


class TestFaultsOfTheAnswer:
    def test_a_cut_stream_begins_and_does_not_end(self) -> None:
        lengths = set()
        for number in range(60):
            inner = ScriptedBackend(default=MANY)
            events, fault = streamed(misbehaving("local:cut=1", inner), replace(CALL, number=number))
            assert isinstance(fault, StreamBroken)
            assert (fault.retryable, fault.status) == (True, None)
            assert text_of(events) == "".join(MANY[: len(events)])
            assert not any(event.finish_reason or event.usage for event in events)
            assert inner.broken_off == inner.calls
            lengths.add(len(events))
        assert min(lengths) >= 1
        assert len(lengths) > 10

    def test_a_short_stream_breaks_before_its_end(self) -> None:
        for number in range(60):
            events, fault = streamed(misbehaving("local:cut=1", ScriptedBackend(FEW)), replace(CALL, number=number))
            assert 1 <= len(events) <= len(FEW)
            assert isinstance(fault, StreamBroken)

    @pytest.mark.parametrize("act", [completed, asked])
    def test_a_cut_body_is_no_answer(self, act: Callable[..., Any]) -> None:
        fault = fault_of(misbehaving("local:cut=1"), act)
        assert isinstance(fault, StreamBroken)
        assert fault.retryable

    def test_an_empty_answer_is_a_whole_one_that_cost_nothing(self) -> None:
        inner = ScriptedBackend()
        backend = misbehaving("local:empty=1", inner)
        answer = completed(backend)
        choice = orjson.loads(answer.body)["choices"][0]
        assert (answer.text, answer.finish_reason, answer.usage) == ("", "stop", ZERO)
        assert (choice["message"]["content"], choice["finish_reason"]) == ("", "stop")
        (event,), fault = streamed(backend)
        assert fault is None
        assert (event.text, event.finish_reason, event.usage) == ("", "stop", ZERO)
        assert orjson.loads(event.data or b"")["choices"][0]["finish_reason"] == "stop"
        assert asked(backend) == Answer("", ZERO)
        assert not inner.calls
        assert not inner.question_calls

    def test_a_slow_model_takes_its_time_over_the_text(self) -> None:
        backend = misbehaving("local:slow=100", ScriptedBackend(default=["12345678", "12345678", "1234"]))
        for act in (streamed, completed):
            started = time.monotonic()
            act(backend)
            assert 0.05 <= time.monotonic() - started < 5

    def test_what_is_not_drawn_passes_unchanged(self) -> None:
        inner = ScriptedBackend(default=ScriptedReply(MANY, fingerprint="fp"))

        async def plain() -> list[StreamEvent]:
            return [event async for event in inner.stream(CALL)]

        backend = misbehaving("local:cut=1e-9,local:429=1e-9,local:empty=1e-9", inner)
        assert streamed(backend) == (asyncio.run(plain()), None)
        assert completed(backend).text == "".join(MANY)
        assert asked(backend).text == "local"


def fates(spec: str, calls: Sequence[BackendCall], tier: Tier = Tier.LOCAL) -> list[str]:
    """What became of each call, by a word."""
    backend = misbehaving(spec, tier=tier)

    async def fate(call: BackendCall) -> str:
        try:
            return "whole" if (await backend.complete(call)).text else "empty"
        except StreamBroken:
            return "cut"
        except BackendError as error:
            return str(error.status)

    async def collect() -> list[str]:
        return [await fate(call) for call in calls]

    return asyncio.run(collect())


MIXED = "local:429=0.2,local:503=0.1,local:cut=0.1,local:empty=0.1"
NUMBERED = [replace(CALL, number=number) for number in range(2000)]


class TestDraws:
    def test_the_same_run_misbehaves_in_the_same_way(self) -> None:
        assert fates(MIXED, NUMBERED) == fates(MIXED, NUMBERED)

    def test_and_in_whatever_order(self) -> None:
        assert fates(MIXED, NUMBERED[::-1]) == fates(MIXED, NUMBERED)[::-1]

    def test_faults_come_as_often_as_they_were_asked_for(self) -> None:
        found = fates(MIXED, NUMBERED)
        for fate, share in {"429": 0.2, "503": 0.1, "cut": 0.1, "empty": 0.1, "whole": 0.5}.items():
            assert found.count(fate) / len(found) == pytest.approx(share, abs=0.04)

    def test_a_certain_fault_always_comes(self) -> None:
        assert set(fates("local:429=0.5,local:503=0.5", NUMBERED)) == {"429", "503"}

    @pytest.mark.parametrize(
        "other",
        [
            [replace(call, attempt=2) for call in NUMBERED],
            [replace(call, trial=make_backend_call(seed=7).trial) for call in NUMBERED],
            [replace(make_backend_call(seed=7), number=call.number) for call in NUMBERED],
            [replace(call, trial=None) for call in NUMBERED],
            [replace(call, number=call.number + 1) for call in NUMBERED],
        ],
        ids=["another-try", "another-trial", "another-seed", "no-trial", "another-call"],
    )
    def test_a_new_draw_for_each(self, other: Sequence[BackendCall]) -> None:
        some, others = fates(MIXED, NUMBERED), fates(MIXED, other)
        alike = sum(a == b for a, b in zip(some, others, strict=True)) / len(some)
        assert alike == pytest.approx(0.2**2 + 3 * 0.1**2 + 0.5**2, abs=0.05)  # as independent draws are

    def test_and_for_each_tier(self) -> None:
        assert fates("local:429=0.5", NUMBERED) != fates("cloud:429=0.5", NUMBERED, Tier.CLOUD)


class TestTheRest:
    def test_the_preflight_is_left_in_peace(self) -> None:
        info = ModelInfo("scripted/model", version="9")
        for spec in ("local:down", "local:429=1,local:latency=10s"):
            assert asyncio.run(misbehaving(spec, ScriptedBackend(info=info)).describe()) == info

    def test_a_model_that_is_down_anyway_need_not_be_there(self) -> None:
        gone = ScriptedBackend(info=BackendUnavailable("nothing answers"))
        assert asyncio.run(misbehaving("local:down", gone).describe()) == ModelInfo("scripted/model")
        with pytest.raises(BackendUnavailable):
            asyncio.run(misbehaving("local:429=1", gone).describe())

    def test_embeddings_know_latency_and_down(self) -> None:
        class WithVectors(ScriptedBackend):
            async def embed(self, texts: Sequence[str]) -> Embedding:
                return Embedding(tuple((1.0,) for _ in texts))

        down, busy = misbehaving("local:down", WithVectors()), misbehaving("local:429=1", WithVectors())
        assert isinstance(down, Embedder)
        assert isinstance(busy, Embedder)
        with pytest.raises(BackendUnavailable):
            asyncio.run(down.embed(["a"]))
        assert asyncio.run(busy.embed(["a", "b"])).vectors == ((1.0,), (1.0,))
        assert not isinstance(misbehaving("local:down"), Embedder)

    def test_it_is_simulated_as_far_as_its_model_is(self) -> None:
        assert not misbehaving("local:down").simulated
        assert misbehaving("local:down").ref == ScriptedBackend().ref

    def test_leaving_stops_the_model(self) -> None:
        inner = ScriptedBackend(MANY)

        async def scenario() -> None:
            events = misbehaving("local:latency=1ms", inner).stream(CALL)
            await anext(events)
            await events.aclose()

        asyncio.run(scenario())
        assert inner.broken_off == inner.calls
