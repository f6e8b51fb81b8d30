"""A served router as clients meet it: with the official client, and byte by byte where bytes matter."""

from __future__ import annotations

import asyncio
import json
import math
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from http.client import HTTPConnection, HTTPResponse
from typing import Any, TypeVar

import httpx
import openai
import pytest
import stamina
from openai import OpenAI

from pytest_hybrideval.backends import OllamaBackend, OpenAIBackend, simulated_backend
from pytest_hybrideval.core.domain import Answer, Decision, ModelRef, StreamEvent, Tier, Usage
from pytest_hybrideval.core.errors import BackendError, ContextOverflow, StrategyError
from pytest_hybrideval.core.pricing import FREE, Price
from pytest_hybrideval.core.protocols import Backend, BackendCall, Strategy
from pytest_hybrideval.core.records import Ledger
from pytest_hybrideval.gateway.exposition import CONTENT_TYPE, Histogram, Value, exposition
from pytest_hybrideval.gateway.metrics import SECONDS, Metrics
from pytest_hybrideval.gateway.server import ModelPool, unlimited
from pytest_hybrideval.gateway.serving import CONVERSATION_HEADER, RouterServer, ServedRouter
from pytest_hybrideval.testing import (
    Ask,
    FakeOllama,
    FakeOpenAI,
    Pause,
    Reply,
    ScriptedBackend,
    ScriptedClassifier,
    ScriptedReply,
    ScriptedStrategy,
    ToolCall,
    make_sampling,
)

T = TypeVar("T")

CHAT = "/v1/chat/completions"
HELLO: Any = [{"role": "user", "content": "Say hello."}]
MODELS = {Tier.LOCAL: ModelRef("ollama", "gemma"), Tier.CLOUD: ModelRef("openai", "gpt")}
PRICES = {"gpt": Price(10.0, 30.0, 1.0)}
REFUSED = BackendError("the model server wants no such field", status=422)


def price_of(model: ModelRef, tier: Tier) -> Price | None:
    return FREE if tier is Tier.LOCAL else PRICES.get(model.name)


class House:
    """A served router in a thread of its own."""

    def __init__(self, router: ServedRouter, pool: ModelPool) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="served")
        self._thread.start()
        self._stopped = False
        self.metrics = Metrics("scripted", "1.2.3", price_of)
        self.server = self.run(self._make(router, pool))
        self.url = self.server.url

    async def _make(self, router: ServedRouter, pool: ModelPool) -> RouterServer:
        server = RouterServer(router, pool, self.metrics)
        await server.start("127.0.0.1", 0)
        return server

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.begin(work).result(15)

    def stop(self, grace: float = 0.0) -> None:
        if not self._stopped:
            self._stopped = True
            try:
                self.run(self.server.stop(grace))
            finally:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join()
                self._loop.close()

    @property
    def port(self) -> int:
        return httpx.URL(self.url).port or 0

    def client(self, key: str = "any") -> OpenAI:
        return OpenAI(base_url=self.url, api_key=key, timeout=15, http_client=httpx.Client(trust_env=False))

    def ask(self, key: str = "any", **body: Any) -> str | None:
        with self.client(key) as sdk:
            completion = sdk.chat.completions.create(**{"model": "hybrid", "messages": HELLO, **body})
        text: str | None = completion.choices[0].message.content
        return text

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=15)

    def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> tuple[HTTPResponse, bytes]:
        with closing(self.connect()) as connection:
            connection.request(method, path, body, headers or {"Authorization": "Bearer any"})
            response = connection.getresponse()
            return response, response.read()

    def post(self, **body: Any) -> tuple[HTTPResponse, bytes]:
        return self.request("POST", CHAT, body=json.dumps({"messages": HELLO, **body}).encode())

    def samples(self) -> dict[str, float]:
        """`/metrics` as `name{labels}` -> value."""
        _, text = self.request("GET", "/metrics")
        lines = [line for line in text.decode().splitlines() if line and not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


Serve = Callable[..., House]


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    """Retries without their back-off, and no more of them than were asked for."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve routers; all are stopped at the end."""
    with ExitStack() as stack:

        def start(
            local: Backend | None = None,
            cloud: Backend | None = None,
            strategy: Strategy | Callable[[], Strategy] | None = None,
            key: str | None = None,
            retries: int = 0,
            num_ctx: int | None = None,
        ) -> House:
            backends: dict[Tier, Backend] = {
                Tier.LOCAL: local or ScriptedBackend(ref=MODELS[Tier.LOCAL]),
                Tier.CLOUD: cloud or ScriptedBackend(ref=MODELS[Tier.CLOUD]),
            }
            make: Any = strategy if callable(strategy) else lambda: strategy or ScriptedStrategy()
            sampling = dict.fromkeys(Tier, make_sampling(seed=None, num_ctx=num_ctx))
            pool = ModelPool(lambda ref, tier: backends[tier], unlimited, None)
            house = House(ServedRouter(make, 15.0, MODELS, sampling, retries, key), pool)
            stack.callback(house.stop)
            return house

        yield start


class TestAnswers:
    @pytest.mark.parametrize("name", ["hybrid", "gpt-4o", "anything/at:all"])
    def test_the_official_client_reads_both_under_any_model_name(self, serve: Serve, name: str) -> None:
        house = serve(ScriptedBackend(default=["Hel", "lo!"]))
        assert house.ask(model=name) == "Hello!"
        with house.client() as sdk:
            chunks = sdk.chat.completions.create(model=name, messages=HELLO, stream=True)
            assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hello!"
            assert [model.id for model in sdk.models.list()] == ["hybrid"]

    @pytest.mark.parametrize("stream", [False, True])
    def test_answers_pass_byte_for_byte(self, serve: Serve, stream: bool) -> None:
        whole = b'{"id" : "x",\n  "choices":[ ],"odd":1.0}\n'
        payload = '{ "choices" : [], "e":"é \u2028" }'.encode()
        reply = ScriptedReply([StreamEvent(payload)], body=whole, usage=None, finish_reason=None)
        response, content = serve(ScriptedBackend(reply)).post(stream=stream)
        assert response.status == 200
        assert content == (b"data: " + payload + b"\n\ndata: [DONE]\n\n" if stream else whole)
        assert not [name for name, _ in response.getheaders() if "hybrid" in name.lower()]

    def test_each_request_goes_where_the_strategy_says(self, serve: Serve) -> None:
        strategy = ScriptedStrategy(Tier.CLOUD, Tier.LOCAL, Ask("local or cloud?"))
        local = ScriptedBackend(default="small", classifier=ScriptedClassifier(default="cloud"))
        house = serve(local, ScriptedBackend(default="large"), strategy)
        assert [house.ask() for _ in range(3)] == ["large", "small", "large"]
        assert local.classifier.questions == ["local or cloud?"]

    @pytest.mark.parametrize("stream", [False, True])
    def test_tool_calls_pass(self, serve: Serve, stream: bool) -> None:
        reply = Reply(tool_calls=[ToolCall("read", {"path": "a.py"}, id="call_7")])
        with FakeOpenAI(default=reply) as upstream:
            house = serve(OpenAIBackend(MODELS[Tier.LOCAL], upstream.base_url, None))
            tools: Any = [{"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}]
            with house.client() as sdk:
                answer: Any = sdk.chat.completions.create(model="x", messages=HELLO, tools=tools, stream=stream)
                calls = (
                    [call for chunk in answer for call in chunk.choices[0].delta.tool_calls or ()]
                    if stream
                    else answer.choices[0].message.tool_calls
                )
            house.stop()
            assert upstream.chats[0].body["tools"] == tools
        assert [(call.id, call.function.name, call.function.arguments) for call in calls] == [
            ("call_7", "read", '{"path":"a.py"}')
        ]

    def test_the_strategy_knows_the_threshold_and_no_task(self, serve: Serve) -> None:
        strategy = ScriptedStrategy()
        serve(strategy=strategy).ask()
        context = strategy.contexts[0]
        assert (context.threshold, context.task_class, context.earlier) == (15.0, None, ())
        assert 0 <= context.seed < 2**31


class TestSeeds:
    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("asked", [None, 7])
    def test_openai_gets_a_seed_only_if_the_client_sends_one(
        self, serve: Serve, asked: int | None, stream: bool
    ) -> None:
        strategy = ScriptedStrategy(default=Ask("local or cloud?"))
        with FakeOpenAI(Reply("local"), default=Reply("Hello!")) as upstream:
            house = serve(OpenAIBackend(MODELS[Tier.LOCAL], upstream.base_url, None), strategy=strategy)
            house.post(stream=stream, **({} if asked is None else {"seed": asked}))
            house.stop()
            question, chat = upstream.chats
        assert "seed" not in question.body
        assert chat.body.get("seed", "none was sent") == ("none was sent" if asked is None else asked)

    @pytest.mark.parametrize("asked", [None, 7])
    def test_so_does_ollama_beside_its_context_length(self, serve: Serve, asked: int | None) -> None:
        with FakeOllama() as upstream:
            house = serve(OllamaBackend(MODELS[Tier.LOCAL], upstream.url), num_ctx=8192)
            house.ask(**({} if asked is None else {"seed": asked}))
            house.stop()
            options = upstream.chats[0].body["options"]
        assert options["num_ctx"] == 8192
        assert options.get("seed", "none was sent") == ("none was sent" if asked is None else asked)

    def test_a_seed_that_ollama_cannot_take_is_refused(self, serve: Serve) -> None:
        with FakeOllama() as upstream:
            house = serve(OllamaBackend(MODELS[Tier.LOCAL], upstream.url))
            response, content = house.post(seed="lucky")
            house.stop()
            assert upstream.chats == []
        assert response.status == 400
        assert "'seed' must be a whole number" in json.loads(content)["error"]["message"]


class TestKeys:
    @pytest.mark.parametrize("path", ["/v1/models", "/metrics"])
    @pytest.mark.parametrize(
        ("header", "status"),
        [
            ("Bearer sk-right", 200),
            ("bearer  sk-right", 200),
            ("Bearer sk-wrong", 401),
            ("Bearer sk-righ", 401),
            ("Bearer", 401),
            ("", 401),
            ("Basic sk-right", 401),
            ("Bearer sk-r\u00edght", 401),
        ],
    )
    def test_only_the_key_opens(self, serve: Serve, header: str, status: int, path: str) -> None:
        response, content = serve(key="sk-right").request(
            "GET", path, {"Authorization": header} if header else {"X": ""}
        )
        assert response.status == status
        if status == 401:
            assert json.loads(content)["error"]["code"] == "invalid_api_key"

    def test_chats_need_it_too(self, serve: Serve) -> None:
        backend = ScriptedBackend()
        house = serve(backend, key="sk-right")
        with pytest.raises(openai.AuthenticationError, match="not the router's"):
            house.ask("sk-wrong")
        assert backend.calls == []
        assert house.ask("sk-right") == "Hello!"

    def test_without_a_key_of_ours_any_key_will_do(self, serve: Serve) -> None:
        house = serve()
        assert [house.ask(key) for key in ("sk-1", "ollama")] == ["Hello!", "Hello!"]

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Authorization": "Bearer x", "Host": "localhost:8000"}, 200),
            ({"Authorization": "Bearer x", "Host": "127.1.2.3"}, 200),
            ({"Authorization": "Bearer x", "Host": "[::1]:8000"}, 200),
            ({"Authorization": "Bearer x", "Host": "evil.example:8000"}, 401),
            ({"Authorization": "Bearer x", "Host": "[::2]:8000"}, 401),
            ({"Authorization": "Bearer x", "Host": "]["}, 401),
            ({"Content-Type": "text/plain"}, 401),
        ],
        ids=str,
    )
    def test_but_no_web_page_gets_in(self, serve: Serve, headers: dict[str, str], status: int) -> None:
        assert serve().request("GET", "/v1/models", headers)[0].status == status

    def test_health_needs_none(self, serve: Serve) -> None:
        response, content = serve(key="sk-right").request("GET", "/healthz", {"X": ""})
        assert (response.status, json.loads(content)) == (200, {"status": "ok", "requests": 0})


class TestErrors:
    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (REFUSED, 422),
            (BackendError("too many requests", status=429, retryable=True), 429),
            (BackendError("our key is wrong", status=401), 502),
            (BackendError("no such model", status=404), 502),
            (BackendError("broken", status=500), 502),
            (BackendError("nobody listens"), 502),
            (ContextOverflow("too long", status=500), 400),
            (KeyError("choices"), 502),
        ],
    )
    @pytest.mark.parametrize("stream", [False, True])
    def test_the_status_says_whose_fault_it_is(self, serve: Serve, error: Exception, status: int, stream: bool) -> None:
        response, content = serve(ScriptedBackend(error)).post(stream=stream)
        assert (response.status, response.getheader("x-should-retry")) == (status, "false")
        assert json.loads(content)["error"]["type"] in ("backend_error", "invalid_request_error")

    def test_failures_are_retried_here_and_not_by_the_client(self, serve: Serve) -> None:
        busy = BackendError("busy", status=503, retryable=True)
        backend = ScriptedBackend(busy, busy, "Hello!", default=busy)
        house = serve(backend, retries=2)
        assert house.ask() == "Hello!"
        with pytest.raises(openai.InternalServerError):
            house.ask()
        assert len(backend.calls) == 6

    def test_it_never_gives_up_on_later_requests(self, serve: Serve) -> None:
        house = serve(ScriptedBackend(*[REFUSED] * 5))
        statuses = [
            house.request("POST", CHAT, {"Authorization": "Bearer a", CONVERSATION_HEADER: "one"}, b)[0].status
            for b in [json.dumps({"messages": HELLO}).encode()] * 6
        ]
        assert statuses == [422] * 5 + [200]

    def test_a_broken_strategy_is_an_error_of_the_server_and_of_one_request(self, serve: Serve) -> None:
        house = serve(strategy=ScriptedStrategy(ValueError("no idea"), None))  # type: ignore[arg-type]
        for _ in range(2):
            with house.client() as sdk, pytest.raises(openai.InternalServerError, match="strategy 'scripted' failed"):
                sdk.chat.completions.create(model="x", messages=HELLO)
        assert house.ask() == "Hello!"
        assert house.samples()['hybrideval_strategy_errors_total{strategy="scripted"}'] == 2

    def test_a_strategy_that_cannot_be_made_is_one_too(self, serve: Serve) -> None:
        def broken() -> Strategy:
            raise StrategyError("strategy 'mine' could not be made")

        response, content = serve(strategy=broken).post()
        assert (response.status, json.loads(content)["error"]["type"]) == (500, "server_error")

    def test_a_malformed_request_is_refused(self, serve: Serve) -> None:
        house = serve()
        response, content = house.request("POST", CHAT, body=b"{}")
        assert (response.status, json.loads(content)["error"]["type"]) == (400, "invalid_request_error")
        assert house.request("GET", "/v1/other")[0].status == 404

    def test_an_error_in_mid_stream_is_an_event(self, serve: Serve) -> None:
        broken = BackendError("the model server went away")
        response, content = serve(ScriptedBackend(["Hel", broken])).post(stream=True)
        assert response.status == 200
        assert json.loads(content.split(b"\n\n")[-2].removeprefix(b"data: "))["error"]["message"] == str(broken)
        assert b"[DONE]" not in content


class TestConversations:
    def converse(self, house: House, *names: str) -> None:
        for name in names:
            headers = {"Authorization": "Bearer a", **({CONVERSATION_HEADER: name} if name else {})}
            house.request("POST", CHAT, headers, json.dumps({"messages": HELLO}).encode())

    def test_requests_stand_alone_unless_the_client_says_otherwise(self, serve: Serve) -> None:
        made: list[ScriptedStrategy] = []

        def make() -> Strategy:
            made.append(ScriptedStrategy())
            return made[-1]

        self.converse(serve(strategy=make), "", "", "one", "two", "one", "one")
        seen = [[len(context.earlier) for context in strategy.contexts] for strategy in made]
        assert seen == [[0], [0], [0, 1, 2], [0]]
        one = made[2].contexts
        assert len({context.seed for context in one}) == 1
        assert [call.trial for call in one[2].earlier] == ["one", "one"]
        assert len({strategy.contexts[0].seed for strategy in made}) == 4

    def test_the_oldest_of_too_many_is_forgotten(self, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pytest_hybrideval.gateway.conversations._MOST", 2)
        made: list[ScriptedStrategy] = []

        def make() -> Strategy:
            made.append(ScriptedStrategy())
            return made[-1]

        self.converse(serve(strategy=make), "one", "two", "one", "three", "one", "two")
        assert [len(strategy.contexts) for strategy in made] == [3, 1, 1, 1]


def reviewed() -> Strategy:
    class Escalate(ScriptedStrategy):
        async def review(self, request: Any, reply: Any, context: Any) -> Decision | None:
            return Decision(Tier.CLOUD, "not good enough")

    return Escalate(default=Tier.LOCAL)


class TestMetrics:
    def test_calls_tokens_and_cost_are_those_of_the_answers(self, serve: Serve) -> None:
        usage = Usage(prompt=1000, completion=500, cached=400, reasoning=200)
        local = ScriptedBackend(
            ref=MODELS[Tier.LOCAL], classifier=ScriptedClassifier(Answer("cloud", Usage(prompt=50, completion=2)))
        )
        cloud = ScriptedBackend(ScriptedReply(["Hello!"], usage), ref=MODELS[Tier.CLOUD])
        house = serve(local, cloud, ScriptedStrategy(Ask("local or cloud?"), Tier.LOCAL))
        house.ask()
        house.post(stream=True)
        found = house.samples()
        label = 'tier="{}",model="{}",purpose="{}",outcome="ok"'
        assert {name: value for name, value in found.items() if name.startswith("hybrideval_calls_total")} == {
            "hybrideval_calls_total{" + label.format("local", "ollama/gemma", "classifier") + "}": 1,
            "hybrideval_calls_total{" + label.format("cloud", "openai/gpt", "agent") + "}": 1,
            "hybrideval_calls_total{" + label.format("local", "ollama/gemma", "agent") + "}": 1,
        }
        tokens = {
            (tier, kind): found[f'hybrideval_tokens_total{{tier="{tier}",kind="{kind}"}}']
            for tier in ("local", "cloud")
            for kind in ("prompt", "cached", "completion", "reasoning")
        }
        assert tokens == {
            ("local", "prompt"): 61,
            ("local", "cached"): 0,
            ("local", "completion"): 9,
            ("local", "reasoning"): 0,
            ("cloud", "prompt"): 600,
            ("cloud", "cached"): 400,
            ("cloud", "completion"): 300,
            ("cloud", "reasoning"): 200,
        }
        assert found['hybrideval_cost_usd_total{tier="cloud"}'] == pytest.approx(
            (600 * 10 + 400 * 1 + 500 * 30) / 1_000_000
        )
        assert found['hybrideval_cost_usd_total{tier="local"}'] == 0
        assert found['hybrideval_decisions_total{strategy="scripted",tier="cloud"}'] == 1
        assert found['hybrideval_decisions_total{strategy="scripted",tier="local"}'] == 1
        assert found['hybrideval_requests_total{path="/v1/chat/completions",status="200"}'] == 2
        assert found["hybrideval_requests_in_progress"] == 0

    def test_what_is_unknown_is_counted_and_not_taken_for_zero(self, serve: Serve) -> None:
        cloud = ScriptedBackend(
            ScriptedReply(["Hi"], usage=None), "Hello!", ref=ModelRef("openai", "a model of no price")
        )
        house = serve(cloud=cloud, strategy=ScriptedStrategy(default=Tier.CLOUD))
        house.ask()
        house.ask()
        found = house.samples()
        assert found['hybrideval_calls_without_usage_total{tier="cloud"}'] == 1
        assert found['hybrideval_unpriced_calls_total{tier="cloud"}'] == 1
        assert found['hybrideval_tokens_total{tier="cloud",kind="prompt"}'] == 11
        assert not [name for name in found if name.startswith("hybrideval_cost")]

    def test_an_answer_that_was_thrown_away_is_overhead(self, serve: Serve) -> None:
        house = serve(ScriptedBackend(ref=MODELS[Tier.LOCAL]), ScriptedBackend(ref=MODELS[Tier.CLOUD]), reviewed)
        house.ask()
        purposes = [name for name in house.samples() if name.startswith("hybrideval_calls_total")]
        assert [name.split('"')[5] for name in purposes] == ["discarded", "agent"]

    def test_failures_are_outcomes_and_no_latencies(self, serve: Serve) -> None:
        house = serve(ScriptedBackend(REFUSED, ref=MODELS[Tier.LOCAL]))
        house.post()
        house.request("GET", "/v1/models", {"X": ""})
        house.request("GET", "/nowhere?key=secret")
        found = house.samples()
        label = 'tier="local",model="ollama/gemma",purpose="agent",outcome="backend"'
        assert found["hybrideval_calls_total{" + label + "}"] == 1
        assert found['hybrideval_requests_total{path="/v1/chat/completions",status="422"}'] == 1
        assert found['hybrideval_requests_total{path="/v1/models",status="401"}'] == 1
        assert found['hybrideval_requests_total{path="other",status="404"}'] == 1
        assert not [name for name in found if "seconds_bucket" in name or "secret" in name]

    def test_requests_under_way_and_latencies(self, serve: Serve) -> None:
        pause = Pause()
        house = serve(ScriptedBackend(["Hel", pause, "lo!"], ref=MODELS[Tier.LOCAL]))
        with ThreadPoolExecutor() as pool:
            running = pool.submit(house.post, stream=True)
            pause.reached()
            assert house.samples()["hybrideval_requests_in_progress"] == 1
            pause.release()
            running.result(15)
        found = house.samples()
        for name in ("call_duration_seconds", "call_first_byte_seconds"):
            bounds = [found[f'hybrideval_{name}_bucket{{tier="local",le="{bound:g}"}}'] for bound in SECONDS]
            assert bounds == sorted(bounds)
            assert found[f'hybrideval_{name}_bucket{{tier="local",le="+Inf"}}'] == 1
            assert found[f'hybrideval_{name}_count{{tier="local"}}'] == 1
            assert found[f'hybrideval_{name}_sum{{tier="local"}}'] >= 0

    def test_it_is_prometheus_text(self, serve: Serve) -> None:
        parser = pytest.importorskip("prometheus_client.parser")
        house = serve(cloud=ScriptedBackend(ref=MODELS[Tier.CLOUD]), strategy=ScriptedStrategy(default=Tier.CLOUD))
        house.ask()
        house.post(stream=True)
        response, text = house.request("GET", "/metrics")
        assert response.getheader("Content-Type") == CONTENT_TYPE
        families = {family.name: family for family in parser.text_string_to_metric_families(text.decode())}
        assert all(family.documentation for family in families.values())
        assert {name: family.type for name, family in families.items()} == {
            **dict.fromkeys(
                [
                    "hybrideval_requests",
                    "hybrideval_decisions",
                    "hybrideval_strategy_errors",
                    "hybrideval_calls",
                    "hybrideval_tokens",
                    "hybrideval_calls_without_usage",
                    "hybrideval_cost_usd",
                    "hybrideval_unpriced_calls",
                    "hybrideval_queue_seconds",
                ],
                "counter",
            ),
            "hybrideval_requests_in_progress": "gauge",
            "hybrideval_build_info": "gauge",
            "hybrideval_call_duration_seconds": "histogram",
            "hybrideval_call_first_byte_seconds": "histogram",
        }
        (build,) = families["hybrideval_build_info"].samples
        assert (build.labels["version"], build.value) == ("1.2.3", 1)

    def test_label_values_are_escaped(self) -> None:
        odd = 'a "quoted" \\ back\nslash é'
        value = Value("counter", "calls_total", "of\nall \\ kinds", ("model",))
        value.add(2.5, odd)
        text = exposition([value]).decode()
        assert text == (
            "# HELP calls_total of\\nall \\\\ kinds\n# TYPE calls_total counter\n"
            'calls_total{model="a \\"quoted\\" \\\\ back\\nslash é"} 2.5\n'
        )
        parser = pytest.importorskip("prometheus_client.parser")
        (family,) = parser.text_string_to_metric_families(text)
        assert [(sample.labels["model"], sample.value) for sample in family.samples] == [(odd, 2.5)]

    def test_a_histogram_counts_up_to_and_with_each_bound(self) -> None:
        histogram = Histogram("seconds", "x", ("tier",), (0.5, 1))
        for seconds in (0.5, 0.6, 1.0, 7.0):
            histogram.observe(seconds, "local")
        counts = {dict(labels).get("le", suffix): value for suffix, labels, value in histogram.samples()}
        assert counts == {"0.5": 1, "1": 3, "+Inf": 4, "_sum": pytest.approx(9.1), "_count": 4}
        assert math.inf not in counts.values()

    def test_answering_models_without_end_share_a_label(self, serve: Serve) -> None:
        strategy = ScriptedStrategy()
        house = serve(strategy=strategy)
        headers = {"Authorization": "Bearer a", CONVERSATION_HEADER: "one"}
        for _ in range(2):
            house.request("POST", CHAT, headers, json.dumps({"messages": HELLO}).encode())
        (call,) = strategy.contexts[1].earlier
        metrics = Metrics("s", "1", price_of)
        for number in range(80):
            metrics.count(Ledger([replace(call, model=f"url/model-{number}")]))
        lines = [line for line in metrics.text().decode().splitlines() if line.startswith("hybrideval_calls_total")]
        assert len(lines) == 51
        assert lines[-1] == 'hybrideval_calls_total{tier="local",model="other",purpose="agent",outcome="ok"} 30'


class TestHangingUp:
    @pytest.mark.parametrize("stream", [False, True])
    def test_the_upstream_call_is_ended_and_counted(self, serve: Serve, stream: bool) -> None:
        pause = Pause()
        backend = ScriptedBackend(["Hel", pause, "lo!"], ref=MODELS[Tier.LOCAL])
        house = serve(backend)
        with closing(house.connect()) as connection:
            body = json.dumps({"messages": HELLO, "stream": stream}).encode()
            connection.request("POST", CHAT, body, {"Authorization": "Bearer any"})
            pause.reached()
        pause.cancelled()
        deadline = time.monotonic() + 10
        while house.samples()["hybrideval_requests_in_progress"] and time.monotonic() < deadline:
            time.sleep(0.01)
        assert (len(backend.broken_off), backend.running) == (1, 0)
        found = house.samples()
        label = 'tier="local",model="ollama/gemma",purpose="agent",outcome="hung_up"'
        assert found["hybrideval_calls_total{" + label + "}"] == 1
        assert found['hybrideval_requests_total{path="/v1/chat/completions",status="499"}'] == 1


def refused_on(kept: HTTPConnection) -> bool:
    """Whether an open connection takes no new request: it says so, or it has been closed meanwhile as an idle one."""
    try:
        kept.request("POST", CHAT, json.dumps({"messages": HELLO}), {"Authorization": "Bearer any"})
        return kept.getresponse().status == 503
    except ConnectionError:
        return True


class TestStopping:
    @pytest.mark.parametrize("stream", [False, True])
    def test_requests_under_way_finish_and_no_new_ones_are_taken(self, serve: Serve, stream: bool) -> None:
        pause = Pause()
        backend = ScriptedBackend("first", ["Hel", pause, "lo!"])
        house = serve(backend)
        with closing(house.connect()) as kept, ThreadPoolExecutor() as pool:
            kept.request("GET", "/v1/models", headers={"Authorization": "Bearer any"})
            kept.getresponse().read()
            house.ask()
            running = pool.submit(house.post, stream=stream)
            pause.reached()
            stopped = house.begin(house.server.stop(15))
            wait_until_refused(house.port)
            assert refused_on(kept)
            assert not stopped.done()
            pause.release()
            response, content = running.result(15)
            stopped.result(15)
        assert response.status == 200
        assert (b"[DONE]" if stream else b"Hello!") in content
        assert (len(backend.calls), backend.broken_off, backend.closed) == (2, [], True)

    def test_they_are_broken_off_after_the_grace(self, serve: Serve) -> None:
        pause = Pause()
        backend = ScriptedBackend(["Hel", pause, "lo!"])
        house = serve(backend)
        with closing(house.connect()) as connection:
            body = json.dumps({"messages": HELLO, "stream": True}).encode()
            connection.request("POST", CHAT, body, {"Authorization": "Bearer any"})
            pause.reached()
            began = time.monotonic()
            house.stop(grace=0.2)
            assert 0.2 <= time.monotonic() - began < 10
        assert (len(backend.broken_off), backend.running, backend.closed) == (1, 0, True)

    def test_no_thread_and_no_port_is_left(self, serve: Serve) -> None:
        before = set(threading.enumerate())
        house = serve()
        house.ask()
        house.stop(15)
        assert set(threading.enumerate()) <= before
        wait_until_refused(house.port)

    def test_an_address_in_use_is_an_error(self, serve: Serve) -> None:
        house = serve()
        server = RouterServer(
            ServedRouter(ScriptedStrategy, None, {}, {}),
            ModelPool(lambda r, t: ScriptedBackend(), unlimited, None),
            house.metrics,
        )

        async def start() -> None:
            try:
                await server.start("127.0.0.1", house.port)
            finally:
                await server.stop(0)

        with pytest.raises(OSError, match="in use"):
            house.run(start())


def wait_until_refused(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # it was waiting to be accepted when the port was closed
            pass
        time.sleep(0.01)
    raise AssertionError(f"something still listens at port {port}")


def test_an_embedded_model_answers_trials_alone(serve: Serve) -> None:
    backend = simulated_backend(ModelRef("simulated", "gpt-5.5"), Tier.CLOUD, {}, None)
    response, content = serve(cloud=backend, strategy=ScriptedStrategy(default=Tier.CLOUD)).post()
    assert response.status == 400
    assert "knows nothing but the tasks of trials" in json.loads(content)["error"]["message"]


def test_backend_calls_belong_to_no_trial(serve: Serve) -> None:
    calls: list[BackendCall] = []
    backend = ScriptedBackend(default=lambda call: calls.append(call) or "Hello!")  # type: ignore[func-returns-value]
    serve(backend).ask()
    assert calls[0].trial is None
