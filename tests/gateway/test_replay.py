"""Record against servers, stop them, and replay: the same bytes, the same records, and nobody is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field, replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import stamina

from pytest_hybrideval.backends import OllamaBackend, OpenAIBackend
from pytest_hybrideval.backends.cassette import Cassettes, RecordMode
from pytest_hybrideval.backends.guarded import GuardedBackend
from pytest_hybrideval.backends.recorded import RecordedBackend
from pytest_hybrideval.core.domain import (
    AgentResult,
    CallFault,
    ChatRequest,
    Cut,
    Decision,
    ErrorKind,
    ModelRef,
    Outcome,
    Reply,
    Score,
    Tier,
    Usage,
)
from pytest_hybrideval.core.errors import BackendError, BackendUnavailable
from pytest_hybrideval.core.pricing import Price
from pytest_hybrideval.core.protocols import Backend, RoutingContext
from pytest_hybrideval.core.records import CallRecord, Ledger
from pytest_hybrideval.gateway import Gateway, RouterSession
from pytest_hybrideval.gateway.budget import Budget, Limits
from pytest_hybrideval.scoring.verdict import Left, judge
from pytest_hybrideval.testing import FakeOllama, FakeOpenAI, Fault, ScriptedStrategy, make_sampling, make_trial
from pytest_hybrideval.testing import Reply as Said

KEY = "sk-very-secret-key"
LOCAL, CLOUD = ModelRef("ollama", "local-model"), ModelRef("openai", "cloud-model")
CLOCKS = ("started", "seconds", "first_byte", "queued", "trial", "reason")
Body = dict[str, Any]


def body(text: str, **more: Any) -> Body:
    return {"model": "hybrid", "temperature": 0, "messages": [{"role": "user", "content": text}], **more}


STREAM: Body = {"stream": True}
WITH_USAGE: Body = {"stream": True, "stream_options": {"include_usage": True}}
CONVERSATION = (body("Plan.", **STREAM), body("Edit.", **WITH_USAGE), body("Edit.", **WITH_USAGE), body("Whole."))


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@dataclass
class Servers:
    """The two model servers."""

    ollama: FakeOllama
    openai: FakeOpenAI

    def make(self, tier: Tier) -> Backend:
        if tier is Tier.LOCAL:
            return OllamaBackend(LOCAL, self.ollama.base_url)
        return OpenAIBackend(CLOUD, self.openai.base_url, KEY)

    @property
    def asked(self) -> int:
        """How many requests they have got, of whatever kind."""
        return len(self.ollama.requests) + len(self.openai.requests)


@dataclass
class Heard:
    """What an agent got in one trial, and what was recorded of it."""

    answers: list[bytes] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    calls: list[CallRecord] = field(default_factory=list)

    @property
    def facts(self) -> list[dict[str, Any]]:
        """The records without clocks, without what is the trial's own, and without the mark of a replay."""
        left_out = (*CLOCKS, "replayed", "recorded_seconds", "score")
        return [{name: value for name, value in asdict(c).items() if name not in left_out} for c in self.calls]

    @property
    def replayed(self) -> list[bool]:
        return [call.replayed for call in self.calls]


class Studio:
    """Runs conversations through gateways that record and replay in one folder."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack

    def gateway(
        self,
        mode: RecordMode,
        make: Callable[[Tier], Backend] | None = None,
        run: str = "first",
        retries: int = 0,
        budget: Budget | None = None,
    ) -> Gateway:
        cassettes = Cassettes(self.folder, mode, run)

        def backend(ref: ModelRef, tier: Tier) -> Backend:
            return RecordedBackend(ref, cassettes, lambda: make(tier) if make else pytest.fail("a model was made"))

        gateway = Gateway(backend, retries, embedding=LOCAL, budget=budget)
        gateway.start()
        self._stack.callback(gateway.stop)
        return gateway

    def cassettes(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.folder.rglob("*.jsonl")}


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with ExitStack() as stack:
        yield Studio(tmp_path / "cassettes", stack)


@pytest.fixture
def servers() -> Iterator[Servers]:
    replies = (
        Said("A plan: wörk.", thinking="Hm, so, well.", fingerprint="fp_1"),
        Said("```\nx = '<&>'\n```\n", chunk_size=1, usage=Usage(10, 20, cached=4, reasoning=3)),
        Said("Once more.", finish_reason="length"),
        Said("All of it.", fingerprint="fp_2"),
    )
    with FakeOllama(*replies, models=[LOCAL.name]) as ollama, FakeOpenAI(*replies) as openai:
        yield Servers(ollama, openai)


def talk(
    gateway: Gateway, strategy: Any, conversation: tuple[Body, ...] = CONVERSATION, close: bool = True, **variant: Any
) -> Heard:
    trial = make_trial(strategy=strategy.name, local=LOCAL, cloud=CLOUD, **variant)
    sampling = make_sampling(seed=trial.variant.seed, max_tokens=4096)
    session = gateway.open(
        trial, strategy, {t: replace(sampling, num_ctx=8192 if t is Tier.LOCAL else None) for t in Tier}
    )
    heard = Heard(calls=session.ledger.calls)
    for request in conversation:
        status, answer = post(session, request)
        heard.statuses.append(status)
        heard.answers.append(answer)
    gateway.close(session)
    return heard


def post(session: RouterSession, request: Body) -> tuple[int, bytes]:
    with closing(HTTPConnection("127.0.0.1", urlsplit(session.base_url).port or 0, timeout=15)) as connection:
        headers = {"Authorization": f"Bearer {session.key}"}
        connection.request("POST", "/v1/chat/completions", json.dumps(request), headers)
        response = connection.getresponse()
        return response.status, response.read()


def always(tier: Tier, name: str) -> ScriptedStrategy:
    return ScriptedStrategy(default=tier, name=name)


def alternating(name: str = "alternating") -> ScriptedStrategy:
    return ScriptedStrategy(*[Tier.CLOUD, Tier.LOCAL] * 2, name=name)


class TestReplay:
    @pytest.mark.parametrize("tier", Tier)
    def test_a_replay_is_byte_for_byte_what_was_recorded(self, studio: Studio, servers: Servers, tier: Tier) -> None:
        live = talk(studio.gateway(RecordMode.ONCE, servers.make), always(tier, "one"))
        assert live.statuses == [200] * 4
        assert live.replayed == [False] * 4
        asked = servers.asked
        replay = talk(studio.gateway(RecordMode.NONE), always(tier, "one"))
        assert replay.answers == live.answers
        assert replay.facts == live.facts
        assert replay.replayed == [True] * 4
        took = [round(call.seconds, 2) for call in live.calls]
        assert [round(call.model_seconds, 2) for call in replay.calls] == pytest.approx(took, abs=0.05)
        assert all(call.recorded_seconds is not None for call in replay.calls)
        assert servers.asked == asked

    def test_the_answers_are_those_of_the_servers(self, studio: Studio, servers: Servers) -> None:
        talk(studio.gateway(RecordMode.ONCE, servers.make), always(Tier.CLOUD, "one"))
        replay = talk(studio.gateway(RecordMode.NONE), always(Tier.CLOUD, "one"))
        chunks = [json.loads(line[6:]) for line in replay.answers[0].split(b"\n\n") if line.startswith(b"data: {")]
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
        assert "".join(delta.get("reasoning_content") or "" for delta in deltas) == "Hm, so, well."
        assert [delta["content"] for delta in deltas if delta.get("content")] == ["A pl", "an: ", "wörk", "."]
        assert b'"usage":{"prompt_tokens":10,' in replay.answers[1]
        assert replay.answers[1].endswith(b"data: [DONE]\n\n")
        assert json.loads(replay.answers[3])["choices"][0]["message"]["content"] == "All of it."
        assert [call.usage.completion for call in replay.calls] == [7, 20, 7, 7]
        assert [call.finish_reason for call in replay.calls] == ["stop", "stop", "length", "stop"]
        assert [call.fingerprint for call in replay.calls] == ["fp_1", None, None, "fp_2"]

    def test_another_strategy_replays_the_calls_that_it_makes_alike(self, studio: Studio, servers: Servers) -> None:
        gateway = studio.gateway(RecordMode.ONCE, servers.make)
        cloud = talk(gateway, always(Tier.CLOUD, "always-cloud"))
        local = talk(gateway, always(Tier.LOCAL, "always-local"))
        mixed = talk(studio.gateway(RecordMode.NONE), alternating("new"), threshold=15.0)
        # The second of the two equal requests goes to the cloud, where it is the first of its kind.
        assert mixed.answers == [cloud.answers[0], local.answers[1], cloud.answers[1], local.answers[3]]
        assert mixed.replayed == [True] * 4
        assert [call.tier for call in mixed.calls] == [Tier.CLOUD, Tier.LOCAL] * 2

    def test_trials_of_one_run_share_their_calls_while_it_records(self, studio: Studio, servers: Servers) -> None:
        gateway = studio.gateway(RecordMode.NEW_EPISODES, servers.make)
        cloud = talk(gateway, always(Tier.CLOUD, "always-cloud"))
        again = talk(gateway, always(Tier.CLOUD, "no-more-than-that"))
        assert again.answers == cloud.answers
        assert again.replayed == [True] * 4
        assert len(servers.openai.chats) == 4

    def test_another_seed_is_another_call(self, studio: Studio, servers: Servers) -> None:
        gateway = studio.gateway(RecordMode.ONCE, servers.make)
        talk(gateway, always(Tier.CLOUD, "one"), seed=1)
        missed = talk(studio.gateway(RecordMode.NONE), always(Tier.CLOUD, "one"), seed=2)
        assert missed.calls[0].fault is CallFault.NOT_RECORDED

    def test_the_preflight_is_replayed(self, studio: Studio, servers: Servers) -> None:
        live = studio.gateway(RecordMode.ONCE, servers.make)
        found = [live.describe(ref, tier) for ref, tier in ((LOCAL, Tier.LOCAL), (CLOUD, Tier.CLOUD))]
        asked = servers.asked
        replay = studio.gateway(RecordMode.NONE)
        assert [replay.describe(ref, tier) for ref, tier in ((LOCAL, Tier.LOCAL), (CLOUD, Tier.CLOUD))] == found
        assert found[0].digest == FakeOllama.digest(LOCAL.name)
        assert servers.asked == asked
        with pytest.raises(BackendError, match="has no recorded description of itself"):
            replay.describe(ModelRef("ollama", "other"), Tier.LOCAL)

    def test_what_a_strategy_asks_is_replayed(self, studio: Studio, servers: Servers) -> None:
        async def by_asking(request: ChatRequest, context: RoutingContext) -> Decision:
            vectors = (await context.embed(["a", "b"])).vectors
            answer = (await context.classify("Is it hard?")).text
            return Decision(Tier.CLOUD, f"{len(vectors)} vectors, {answer}", score=vectors[0][0])

        live = talk(
            studio.gateway(RecordMode.ONCE, servers.make), ScriptedStrategy(by_asking, name="asks"), (body("A"),)
        )
        asked = servers.asked
        replay = talk(studio.gateway(RecordMode.NONE), ScriptedStrategy(by_asking, name="asks"), (body("A"),))
        assert replay.facts == live.facts
        assert [call.score for call in replay.calls] == [call.score for call in live.calls]
        assert [call.purpose for call in replay.calls] == ["embedding", "classifier", "agent"]
        assert replay.replayed == [True] * 3
        assert servers.asked == asked

    def test_an_answer_that_is_reviewed_is_replayed(self, studio: Studio, servers: Servers) -> None:
        class Escalating(ScriptedStrategy):
            async def review(self, request: ChatRequest, reply: Reply, context: RoutingContext) -> Decision:
                return Decision(Tier.CLOUD, f"not good enough: {reply.text}")

        live = talk(studio.gateway(RecordMode.ONCE, servers.make), Escalating(name="up"), CONVERSATION[:1])
        replay = talk(studio.gateway(RecordMode.NONE), Escalating(name="up"), CONVERSATION[:1])
        assert replay.answers == live.answers
        assert [call.purpose for call in replay.calls] == ["discarded", "agent"]
        assert [call.reason for call in replay.calls] == [call.reason for call in live.calls]

    def test_a_replay_costs_nothing(self, studio: Studio, servers: Servers, tmp_path: Path) -> None:
        def price(ref: ModelRef, tier: Tier) -> Price:
            return Price(prompt=5.0, completion=30.0, cached=0.5)

        talk(studio.gateway(RecordMode.ONCE, servers.make), always(Tier.CLOUD, "one"))
        budget = Budget(tmp_path / "budget.sqlite", Limits(run=10.0), price)
        replay = talk(
            studio.gateway(RecordMode.NONE, budget=budget), always(Tier.CLOUD, "one"), (*CONVERSATION, body("B"))
        )
        assert [call.fault for call in replay.calls] == [None] * 4 + [CallFault.NOT_RECORDED]
        assert budget.spent == 0.0


class TestFaults:
    def test_a_refused_try_is_not_recorded(self, studio: Studio) -> None:
        with FakeOpenAI(Fault.rate_limited("0"), Fault.server_error(), Said("At last.")) as openai:
            make = Servers(FakeOllama(), openai).make
            live = talk(studio.gateway(RecordMode.ONCE, make, retries=2), always(Tier.CLOUD, "one"), (body("A"),))
        replay = talk(studio.gateway(RecordMode.NONE, retries=2), always(Tier.CLOUD, "one"), (body("A"),))
        assert [call.attempts for call in (*live.calls, *replay.calls)] == [3, 1]
        assert replay.answers == live.answers

    def test_a_call_that_failed_for_good_is_a_miss(self, studio: Studio) -> None:
        with FakeOpenAI(Said("Hello!", cut_after=2)) as openai:
            make = Servers(FakeOllama(), openai).make
            talk(studio.gateway(RecordMode.ONCE, make), always(Tier.CLOUD, "one"), (body("A", **STREAM),))
        assert not studio.cassettes()

    def test_a_context_that_overflows_does_so_again(self, studio: Studio) -> None:
        with FakeOpenAI(Fault.context_overflow()) as openai:
            make = Servers(FakeOllama(), openai).make
            live = talk(studio.gateway(RecordMode.ONCE, make), always(Tier.CLOUD, "one"), (body("A"),))
        replay = talk(studio.gateway(RecordMode.NONE), always(Tier.CLOUD, "one"), (body("A"),))
        assert replay.facts == live.facts
        assert replay.answers == live.answers
        assert (replay.calls[0].fault, replay.replayed) == (CallFault.CONTEXT_OVERFLOW, [True])

    def test_an_answer_that_was_cut_is_cut_again(self, studio: Studio) -> None:
        with FakeOpenAI(Said("and so on " * 3000, chunk_size=100)) as openai:
            real = Servers(FakeOllama(), openai)
            make = lambda tier: GuardedBackend(real.make(tier))  # noqa: E731
            live = talk(studio.gateway(RecordMode.ONCE, make), always(Tier.CLOUD, "one"), (body("A", **STREAM),))
        replay = talk(studio.gateway(RecordMode.NONE), always(Tier.CLOUD, "one"), (body("A", **STREAM),))
        assert replay.facts == live.facts
        assert replay.answers == live.answers
        assert (replay.calls[0].cut, replay.calls[0].finish_reason) == (Cut.REPETITION, "length")

    def test_a_model_that_cannot_be_made_is_missed_at_its_first_live_call(
        self, studio: Studio, servers: Servers
    ) -> None:
        talk(studio.gateway(RecordMode.ONCE, servers.make), always(Tier.CLOUD, "one"))

        def make(tier: Tier) -> Backend:
            raise BackendUnavailable("https://api.openai.com/v1 needs an API key")

        gateway = studio.gateway(RecordMode.NEW_EPISODES, make)
        heard = talk(gateway, always(Tier.CLOUD, "one"), (*CONVERSATION, body("More.")))
        assert heard.statuses == [200] * 4 + [400]
        assert b"see call 4 in the run's calls.jsonl" in heard.answers[4]
        assert "needs an API key" in heard.calls[4].error


class TestMisses:
    def test_a_miss_ends_the_trial_without_a_verdict_and_names_the_first_request(
        self, studio: Studio, servers: Servers
    ) -> None:
        talk(studio.gateway(RecordMode.ONCE, servers.make), always(Tier.CLOUD, "one"))
        asked = servers.asked
        gateway = studio.gateway(RecordMode.NONE, retries=3)
        missed = talk(gateway, always(Tier.CLOUD, "one"), (CONVERSATION[0], body("Divert."), body("Further.")))
        assert missed.statuses == [200, 400, 400]
        assert missed.replayed == [True, False, False]
        assert [call.attempts for call in missed.calls] == [1, 1, 1]
        assert servers.asked == asked
        score = Score(passed=True, exit_code=0, tests={"t": "passed"}, expected=1, seconds=0.1)
        verdict = judge(Ledger(missed.calls), AgentResult(0, 1.0), Left(edited=True), score)
        assert (verdict.outcome, verdict.error_kind) == (Outcome.ERROR, ErrorKind.NOT_RECORDED)
        assert "'other: Divert.'" in verdict.detail
        assert "--hybrid-record new_episodes" in verdict.detail

    def test_once_adds_nothing_to_an_earlier_run(self, studio: Studio, servers: Servers) -> None:
        talk(studio.gateway(RecordMode.ONCE, servers.make), always(Tier.CLOUD, "one"), CONVERSATION[:1])
        later = talk(studio.gateway(RecordMode.ONCE, servers.make, run="later"), alternating(), CONVERSATION[:3])
        # The cloud's cassette is of an earlier run, the local model's is begun by this one.
        assert [call.fault for call in later.calls] == [None, None, CallFault.NOT_RECORDED]
        assert later.replayed == [True, False, False]

    def test_new_episodes_asks_for_what_is_not_known_alone(self, studio: Studio, servers: Servers) -> None:
        talk(studio.gateway(RecordMode.ONCE, servers.make), always(Tier.CLOUD, "one"), CONVERSATION[:2])
        gateway = studio.gateway(RecordMode.NEW_EPISODES, servers.make, run="later")
        assert talk(gateway, always(Tier.CLOUD, "one")).replayed == [True, True, False, False]
        assert talk(studio.gateway(RecordMode.NONE), always(Tier.CLOUD, "one")).replayed == [True] * 4

    def test_all_asks_for_everything(self, studio: Studio, servers: Servers) -> None:
        first = talk(studio.gateway(RecordMode.ALL, servers.make), always(Tier.CLOUD, "one"))
        servers.openai.will(*[Said("Another answer.")] * 4)
        second = talk(studio.gateway(RecordMode.ALL, servers.make, run="later"), always(Tier.CLOUD, "one"))
        replay = talk(studio.gateway(RecordMode.NONE), always(Tier.CLOUD, "one"))
        assert first.replayed == second.replayed == [False] * 4
        assert replay.answers == second.answers != first.answers


def test_cassettes_hold_neither_keys_nor_addresses(studio: Studio, servers: Servers) -> None:
    gateway = studio.gateway(RecordMode.ONCE, servers.make)
    gateway.describe(CLOUD, Tier.CLOUD)
    talk(gateway, alternating())
    cassettes = studio.cassettes()
    assert set(cassettes) == {
        "ollama.local-model.s42.jsonl",
        "openai.cloud-model.s42.jsonl",
        "openai.cloud-model.jsonl",
    }
    for text in cassettes.values():
        for secret in (KEY, "Bearer", "uthorization", "hybrid-", "127.0.0.1", str(studio.folder)):
            assert secret not in text


def test_cassettes_can_be_read_by_people(studio: Studio, servers: Servers) -> None:
    talk(studio.gateway(RecordMode.ONCE, servers.make), always(Tier.CLOUD, "one"))
    _, *lines = studio.cassettes()["openai.cloud-model.s42.jsonl"].splitlines()
    assert [json.loads(line)["asked"] for line in lines] == ["other: Plan.", *["other: Edit."] * 2, "other: Whole."]
    assert '"said": "A plan: wörk."' in lines[0]
    assert '"said": "Hm, so, well."' in lines[0]
    assert json.loads(lines[3])["answer"]["text"] == "All of it."
