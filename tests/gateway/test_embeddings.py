"""Embeddings of every backend, against servers that speak their protocols, and what the gateway bills for them."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_hybrideval.backends import OllamaBackend, OpenAIBackend, Timeouts, simulated_backend
from pytest_hybrideval.backends.embeddings import BATCH, hashed_words
from pytest_hybrideval.core.domain import ChatRequest, Decision, Embedding, ModelRef, Tier, Usage
from pytest_hybrideval.core.errors import BackendError, BackendUnavailable, ContextOverflow
from pytest_hybrideval.core.protocols import Backend, Embedder, RoutingContext
from pytest_hybrideval.gateway import Gateway, RouterSession
from pytest_hybrideval.testing import (
    FakeOllama,
    FakeOpenAI,
    Fault,
    Raw,
    ScriptedBackend,
    make_sampling,
    make_trial,
    refused_url,
)
from pytest_hybrideval.testing.replies import vector_of

T = TypeVar("T")
REF = ModelRef("x", "embedder")
Server = FakeOllama | FakeOpenAI
KINDS = pytest.mark.parametrize("kind", [FakeOllama, FakeOpenAI], ids=["ollama", "openai"])


def made(base_url: str, kind: type[Server], **options: Any) -> OllamaBackend | OpenAIBackend:
    if kind is FakeOllama:
        return OllamaBackend(REF, base_url, **options)
    return OpenAIBackend(REF, base_url, "key", **options)


def on(server: Server, action: Callable[[Embedder], Awaitable[T]], **options: Any) -> T:
    """What `action` gives with a backend of `server`; both are gone afterwards."""

    async def scenario() -> T:
        async with server:
            backend = made(server.base_url, type(server), **options)
            try:
                return await action(backend)
            finally:
                await backend.aclose()

    return asyncio.run(asyncio.wait_for(scenario(), 30))


def embed(server: Server, texts: Sequence[str] = ("one", "two words"), **options: Any) -> Embedding:
    return on(server, lambda backend: backend.embed(texts), **options)


def answer(kind: type[Server], vectors: Any, **rest: Any) -> Raw:
    """An answer of the server's kind with these vectors, whatever they are."""
    if kind is FakeOllama:
        return Raw([orjson.dumps({"model": "embedder", "embeddings": vectors, **rest})])
    data = [{"object": "embedding", "index": n, "embedding": vector} for n, vector in enumerate(vectors)]
    return Raw([orjson.dumps({"object": "list", "data": data, "model": "embedder", **rest})])


@KINDS
class TestBackends:
    """Ollama and OpenAI-compatible servers."""

    def test_vectors_come_in_the_order_of_the_texts(self, kind: type[Server]) -> None:
        embedding = embed(kind(), ["one", "two words", "one"])
        assert embedding.vectors == (
            pytest.approx(tuple(vector_of("one"))),
            pytest.approx(tuple(vector_of("two words"))),
            pytest.approx(tuple(vector_of("one"))),
        )
        assert embedding.usage == Usage(prompt=4, completion=0)

    def test_one_request_carries_many_texts(self, kind: type[Server]) -> None:
        server = kind()
        embed(server, [str(n) for n in range(BATCH)])
        (request,) = server.requests
        assert len(request.body["input"]) == BATCH
        assert request.body["model"] == "embedder"

    def test_very_many_texts_go_in_batches(self, kind: type[Server]) -> None:
        server = kind()
        texts = [str(n) for n in range(2 * BATCH + 1)]
        embedding = embed(server, texts)
        assert [len(request.body["input"]) for request in server.requests] == [BATCH, BATCH, 1]
        assert embedding.vectors[-1] == pytest.approx(tuple(vector_of(texts[-1])))
        assert embedding.usage.prompt == len(texts)

    def test_no_texts_are_no_request(self, kind: type[Server]) -> None:
        server = kind()
        assert embed(server, []) == Embedding((), Usage(prompt=0, completion=0))
        assert server.requests == []

    def test_a_server_that_does_not_count_is_unknown_and_not_zero(self, kind: type[Server]) -> None:
        server = kind()
        server.will_embed(answer(kind, [[1.0], [2.0]]))
        assert embed(server).usage == Usage(prompt=None, completion=0)

    def test_one_uncounted_batch_makes_the_sum_unknown(self, kind: type[Server]) -> None:
        server = kind()
        server.will_embed(answer(kind, [[1.0]] * BATCH))
        texts = [str(n) for n in range(BATCH + 1)]
        with pytest.raises(BackendError, match="1 and 8 numbers"):  # the fake's own vectors have eight
            embed(server, texts)
        server.will_embed(answer(kind, [[1.0] * 8] * BATCH))
        assert not embed(server, texts).usage.known

    @pytest.mark.parametrize(
        ("fault", "error", "status", "retryable"),
        [
            (Fault.unauthorized(), BackendUnavailable, 401, False),
            (Fault.model_missing(), BackendUnavailable, 404, False),
            (Fault.context_overflow(), ContextOverflow, 400, False),
            (Fault.rate_limited(), BackendError, 429, True),
            (Fault.server_error(), BackendError, 500, True),
            (Fault.server_error(503), BackendError, 503, True),
        ],
    )
    def test_refusals(
        self, kind: type[Server], fault: Fault, error: type[BackendError], status: int, retryable: bool
    ) -> None:
        server = kind()
        server.will_embed(fault)
        with pytest.raises(error) as caught:
            embed(server)
        assert (caught.value.status, caught.value.retryable) == (status, retryable)
        assert "embedder" in str(caught.value) or status == 401

    def test_a_server_that_is_not_there(self, kind: type[Server]) -> None:
        async def scenario() -> None:
            with refused_url() as url:
                backend = made(f"{url}/v1" if kind is FakeOpenAI else url, kind)
                try:
                    await backend.embed(["x"])
                finally:
                    await backend.aclose()

        with pytest.raises(BackendUnavailable, match="refused the connection"):
            asyncio.run(scenario())

    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_another_number_of_vectors_than_of_texts_is_refused(self, kind: type[Server], count: int) -> None:
        server = kind()
        server.will_embed(answer(kind, [[1.0, 2.0]] * count))
        with pytest.raises(BackendError) as caught:
            embed(server)
        told = f"gave {count} embeddings of 'embedder' for 2 texts"
        assert told in str(caught.value) or (count == 0 and "without 'data'" in str(caught.value))

    def test_vectors_of_different_lengths_are_refused(self, kind: type[Server]) -> None:
        server = kind()
        server.will_embed(answer(kind, [[1.0, 2.0], [1.0, 2.0, 3.0]]))
        with pytest.raises(BackendError, match="with 2 and 3 numbers; all must be alike long"):
            embed(server)

    @pytest.mark.parametrize("vector", [[], "abc", None, ["x"], [None], [[1.0]], {"0": 1.0}, 7])
    def test_what_is_no_vector_is_refused(self, kind: type[Server], vector: Any) -> None:
        server = kind()
        server.will_embed(answer(kind, [[1.0], vector]))
        with pytest.raises(BackendError, match=r"that is no list of numbers|its client cannot read"):
            embed(server)

    @pytest.mark.parametrize("body", [b"", b"hello", b"[]", b"7", b"{}", b'{"embeddings": null, "data": null}'])
    def test_what_is_no_answer_is_refused(self, kind: type[Server], body: bytes) -> None:
        server = kind()
        server.will_embed(Raw([body]))
        with pytest.raises(BackendError):
            embed(server)

    def test_whole_numbers_are_numbers(self, kind: type[Server]) -> None:
        server = kind()
        server.will_embed(answer(kind, [[1, 0], [0, 1]]))
        vectors = embed(server).vectors
        assert vectors == ((1.0, 0.0), (0.0, 1.0))
        assert all(isinstance(number, float) for vector in vectors for number in vector)

    def test_chat_and_embeddings_have_scripts_of_their_own(self, kind: type[Server]) -> None:
        server = kind(Fault.server_error())
        assert len(embed(server).vectors) == 2


def test_ollama_is_told_to_refuse_what_does_not_fit() -> None:
    server = FakeOllama()
    embed(server)
    assert server.requests[0].path == "/api/embed"
    assert server.requests[0].body["truncate"] is False


def test_ollama_without_the_model() -> None:
    with pytest.raises(BackendUnavailable, match="run 'ollama pull embedder'"):
        embed(FakeOllama(models=["other"]))


def test_openai_gets_the_key_and_gives_floats() -> None:
    server = FakeOpenAI(api_key="key")
    embed(server)
    assert server.requests[0].path == "/v1/embeddings"
    assert server.requests[0].body["encoding_format"] == "float"


def test_openai_vectors_are_sorted_by_their_index() -> None:
    server = FakeOpenAI()
    data = [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]
    server.will_embed(Raw([orjson.dumps({"data": data, "usage": {"prompt_tokens": 5, "total_tokens": 5}})]))
    assert embed(server) == Embedding(((1.0,), (2.0,)), Usage(prompt=5, completion=0))


def test_openai_vectors_without_an_index_come_as_they_are() -> None:
    server = FakeOpenAI()
    server.will_embed(Raw([orjson.dumps({"data": [{"embedding": [2.0]}, {"embedding": [1.0]}]})]))
    assert embed(server).vectors == ((2.0,), (1.0,))


def test_an_error_under_status_200_is_an_error() -> None:
    server = FakeOpenAI()
    server.will_embed(Raw([b'{"error": {"message": "overloaded", "type": "overloaded_error"}}']))
    with pytest.raises(BackendError, match="overloaded") as caught:
        embed(server)
    assert caught.value.retryable


@KINDS
def test_a_silent_server_is_given_up(kind: type[Server]) -> None:
    async def scenario(url: str) -> None:
        backend = made(f"{url}/v1" if kind is FakeOpenAI else url, kind, timeouts=Timeouts(question=0.2))
        try:
            await backend.embed(["x"])
        finally:
            await backend.aclose()

    with socket.create_server(("127.0.0.1", 0)) as listener:  # takes connections and never answers
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(BackendError, match=r"sent nothing for 0\.2 s") as caught:
            asyncio.run(scenario(url))
    assert caught.value.retryable


class TestSimulated:
    """The embedded models' bag of words."""

    def likeness(self, one: str, other: str) -> float:
        return sum(a * b for a, b in zip(hashed_words(one), hashed_words(other), strict=True))

    def test_texts_with_words_in_common_are_alike(self) -> None:
        assert self.likeness("Add a lock.", "a LOCK, add!") == pytest.approx(1.0)
        assert self.likeness("add a lock", "add a clock") > self.likeness("add a lock", "write the docs")

    def test_a_text_without_words_is_like_nothing(self) -> None:
        assert set(hashed_words(" ... ")) == {0.0}

    def test_the_backend_counts_its_tokens(self) -> None:
        backend = simulated_backend(ModelRef("simulated", "gemma4:31b"), Tier.LOCAL, {}, None)
        assert isinstance(backend, Embedder)
        embedding = asyncio.run(backend.embed(["abcd", "abcdefgh"]))
        assert embedding.usage == Usage(prompt=3, completion=0, cached=0, reasoning=0)
        assert embedding.vectors == (hashed_words("abcd"), hashed_words("abcdefgh"))

    @given(st.text(max_size=60))
    def test_every_vector_is_of_length_one_or_zero_and_always_the_same(self, text: str) -> None:
        vector = hashed_words(text)
        assert vector == hashed_words(text)
        assert math.sqrt(sum(number * number for number in vector)) == pytest.approx(1.0) or set(vector) == {0.0}


class Comparing:
    """A strategy that compares texts."""

    name = "comparing"
    embeds = True

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        found = await context.embed(["one", "two words"])
        return Decision(Tier.LOCAL, f"{len(found.vectors)} vectors")


def served(embedder: Backend, model: ModelRef | None = REF, retries: int = 0) -> tuple[int, RouterSession]:
    """Status of one request of an agent, with the session that it was sent in."""
    local = ScriptedBackend(default="Hello!")

    def backend(ref: ModelRef, tier: Tier) -> Backend:
        return embedder if ref == model else local

    gateway = Gateway(backend, retries, embedding=model)
    gateway.start()
    try:
        session = gateway.open(make_trial(), Comparing(), {tier: make_sampling() for tier in Tier})
        body = {"model": "hybrid", "messages": [{"role": "user", "content": "Hi."}]}
        answer = httpx.post(
            f"{session.base_url}/chat/completions",
            json=body,
            headers={"Authorization": f"Bearer {session.key}"},
            trust_env=False,
        )
        gateway.close(session)
        return answer.status_code, session
    finally:
        gateway.stop()


class TestGateway:
    """What a strategy asks for is recorded as its overhead."""

    def test_embeddings_are_overhead_of_the_trial(self) -> None:
        with FakeOllama() as server:
            status, session = served(OllamaBackend(REF, server.base_url))
        assert status == 200
        embedding, agent = session.ledger.calls
        assert (embedding.purpose, embedding.phase, embedding.model) == ("embedding", "embed", "x/embedder")
        assert embedding.reason == "embedding for comparing"
        assert (embedding.usage, embedding.temperature) == (Usage(prompt=3, completion=0), None)
        assert agent.reason == "2 vectors"
        assert session.ledger.tokens(overhead=True)[Tier.LOCAL].prompt == 3

    def test_a_fault_is_tried_again(self) -> None:
        with FakeOllama() as server:
            server.will_embed(Fault.server_error())
            status, session = served(OllamaBackend(REF, server.base_url), retries=1)
        assert status == 200
        assert session.ledger.calls[0].attempts == 2

    def test_a_fault_that_stays_ends_the_request_and_is_not_the_strategys(self) -> None:
        with FakeOllama() as server:
            server.will_embed(Fault.model_missing())
            status, session = served(OllamaBackend(REF, server.base_url))
        assert status == 400
        assert session.ledger.strategy_error == ""
        assert "does not serve 'embedder'" in session.ledger.calls[0].error

    def test_a_model_that_makes_no_embeddings_is_the_strategys_fault(self) -> None:
        status, session = served(ScriptedBackend(ref=REF))
        assert status == 400
        assert "makes no embeddings" in session.ledger.strategy_error

    def test_without_a_model_the_strategy_is_told_how_to_name_one(self) -> None:
        status, session = served(ScriptedBackend(), model=None)
        assert status == 400
        assert "--hybrid-embedding-model PROVIDER/NAME" in session.ledger.strategy_error
