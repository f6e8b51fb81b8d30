"""Models behind OpenAI's chat API: OpenAI itself and every server that speaks it (llama.cpp, vLLM, OpenRouter, ...)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from pytest_hybrideval.backends import address
from pytest_hybrideval.backends.embeddings import checked_vectors, in_batches
from pytest_hybrideval.backends.faults import Peer, Secret, answer_fault, status_fault
from pytest_hybrideval.backends.http import Timeouts, Upstream
from pytest_hybrideval.backends.openai_stream import AnswerReader
from pytest_hybrideval.backends.openai_wire import (
    parse,
    read_message,
    read_model,
    read_usage,
    sent_temperature,
    upstream_body,
    wants_usage,
)
from pytest_hybrideval.backends.quirks import quirks_of
from pytest_hybrideval.backends.sdk import client_options, transport_fault
from pytest_hybrideval.core.domain import Answer, Completion, Embedding, ModelInfo, ModelRef, StreamEvent, Tier, Usage
from pytest_hybrideval.core.errors import BackendError, BackendUnavailable
from pytest_hybrideval.core.protocols import BackendCall

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai._legacy_response import LegacyAPIResponse

_NO_SUCH_ROUTE = (404, 405, 501)
_CONTEXT_KEYS = ("max_model_len", "context_length", "context_window", "max_context_length")  # vLLM, OpenRouter, Groq, …


def openai_backend(ref: ModelRef, tier: Tier, environ: Mapping[str, str], base_url: str | None) -> OpenAIBackend:
    """The backend of an `openai/NAME` model; `environ` and `base_url` say where it is and which key is sent there.

    Raises `ConfigurationError` where the URL is none or the key is missing (see `address.openai_address`).
    """
    url, secret = address.openai_address(tier, environ, base_url)
    proxy = address.proxy_for(url, environ)
    return OpenAIBackend(ref, url, secret.value, key_name=secret.name, proxy=proxy)


class OpenAIBackend:
    """One model behind OpenAI's chat API. Requests and answers pass unchanged but for what `Sampling` sets."""

    def __init__(
        self,
        ref: ModelRef,
        base_url: str,
        api_key: str | None,
        simulated: bool = False,
        timeouts: Timeouts | None = None,
        *,
        key_name: str = "OPENAI_API_KEY",
        proxy: str | None = None,
    ) -> None:
        """`base_url` is what precedes `/chat/completions`. `key_name` is the variable that errors tell users to set."""
        self.ref = ref
        self.simulated = simulated
        self._base = address.base_url(base_url, f"the base URL of {ref}")
        self._url = f"{self._base}/chat/completions"
        self._peer = Peer(
            name=f"the server at {self._base}",
            model=ref.name,
            start="start the server or correct the base URL",
            missing="check the model's name and the base URL",
            secret=address.checked_key(key_name, api_key) if api_key else Secret(key_name),
        )
        self._quirks = quirks_of(ref.name)
        self._timeouts = timeouts or Timeouts()
        self._proxy = proxy
        self._upstream = Upstream(self._peer, self._timeouts, proxy)
        self._client: AsyncOpenAI | None = None

    def __repr__(self) -> str:
        """Model and address, without the key."""
        return f"OpenAIBackend({self.ref} at {self._base})"

    def effective_temperature(self, call: BackendCall) -> float | None:
        """The temperature that `complete` and `stream` send for `call`; None where none is sent."""
        return sent_temperature(call, self._quirks)

    @property
    def question_temperature(self) -> float | None:
        """The temperature that `ask` sends: 0, or None where the model takes none."""
        return 0.0 if self._quirks.temperature else None

    async def describe(self) -> ModelInfo:
        """Ask for the model by name, else look it up in the list of models.

        A server that has neither route gives unknowns. A server that lists a single model answers with it whatever it
        is called, as llama.cpp does, and is taken to serve ours. Raises `BackendUnavailable` where the server refuses
        the key or connection, or lists several models and ours is not among them.
        """
        models = self._sdk().models.with_raw_response
        entry = await self._look(models.retrieve(self.ref.name))
        if not isinstance(entry, Mapping):
            entry = self._find(await self._look(models.list()))
        lengths = (entry.get(key) for key in _CONTEXT_KEYS)
        return ModelInfo(
            model=str(self.ref),
            simulated=self.simulated,
            context_length=next((length for length in lengths if isinstance(length, int)), None),
        )

    async def complete(self, call: BackendCall) -> Completion:
        """A whole answer, its body byte for byte."""
        body = upstream_body(call, self._name_for(call), self._quirks, stream=False)
        async with self._upstream.post(self._url, body, "application/json") as response:
            data = await response.read()
        answer = self._checked(data)
        text, finish = read_message(answer)
        usage = read_usage(answer.get("usage"))
        return Completion(data, text, finish, usage, answer.get("system_fingerprint"), read_model(answer))

    async def stream(self, call: BackendCall) -> AsyncGenerator[StreamEvent, None]:
        """The answer as it comes, each payload byte for byte; see `AnswerReader` for what the events carry."""
        body = upstream_body(call, self._name_for(call), self._quirks, stream=True)
        reader = AnswerReader(self._peer, pass_usage=wants_usage(call.request.body))
        async with self._upstream.post(self._url, body, "text/event-stream") as response:
            if response.content_type == "application/json":
                self._checked(await response.read())
                raise BackendError(f"{self._peer.name} answered a request for a stream with a whole body")
            async for chunk in response.content.iter_any():
                for event in reader.feed(chunk):
                    yield event
                if reader.done:
                    break
        for event in reader.close():
            yield event

    async def ask(self, question: str, call: BackendCall) -> Answer:
        """A question as a conversation of one message, with the trial's seed and the tier's token limit."""
        parameters: dict[str, Any] = {} if call.seed is None else {"seed": call.seed}
        if self.question_temperature is not None:
            parameters["temperature"] = self.question_temperature
        if call.sampling.max_tokens is not None:
            parameters[self._quirks.token_limit] = call.sampling.max_tokens
        with self._faults():
            raw = await self._sdk().chat.completions.with_raw_response.create(
                model=self.ref.name, messages=[{"role": "user", "content": question}], **parameters
            )
        answer = self._checked(raw.content)
        return Answer(read_message(answer)[0], read_usage(answer.get("usage")))

    async def embed(self, texts: Sequence[str]) -> Embedding:
        """The texts' vectors, from `/embeddings`."""
        return await in_batches(self._peer, texts, self._embed)

    async def _embed(self, texts: list[str]) -> Embedding:
        with self._faults():
            raw = await self._sdk().embeddings.with_raw_response.create(
                model=self.ref.name, input=texts, encoding_format="float"
            )
        answer = self._checked(raw.content, "data")
        entries = [entry if isinstance(entry, Mapping) else {} for entry in answer["data"]]
        entries.sort(key=lambda entry: index if isinstance(index := entry.get("index"), int) else 0)
        vectors = checked_vectors(self._peer, [entry.get("embedding") for entry in entries], len(texts))
        return Embedding(vectors, Usage(prompt=read_usage(answer.get("usage")).prompt, completion=0))

    async def aclose(self) -> None:
        """Close connections. Safe to call twice; a later request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()
        await self._upstream.aclose()

    def _name_for(self, call: BackendCall) -> str:
        """The model's name in the request that goes out."""
        return self.ref.name

    def _checked(self, data: bytes, field: str = "choices") -> dict[str, Any]:
        """The answer in a body of status 200. Raises `BackendError` where it is an error or has no list in `field`."""
        try:
            answer = parse(data)
        except ValueError:
            raise BackendError(f"{self._peer.name} answered with something that is not JSON") from None
        if isinstance(answer, dict) and answer.get("error"):
            raise answer_fault(self._peer, answer)
        if not isinstance(answer, dict) or not isinstance(answer.get(field), list) or not answer[field]:
            raise BackendError(f"{self._peer.name} answered without '{field}'; is it an OpenAI-compatible API?")
        return answer

    async def _look(self, lookup: Awaitable[LegacyAPIResponse[Any]]) -> Any:
        """What a look-up says, as JSON; None where the server has no such route or answers with something else."""
        from openai import APIStatusError

        with self._faults():
            try:
                response = await lookup
            except APIStatusError as error:
                if error.status_code in _NO_SUCH_ROUTE and error.code != "model_not_found":
                    return None
                raise
        try:
            return parse(response.content)
        except ValueError:
            return None

    def _find(self, listing: Any) -> Mapping[str, Any]:
        entries = listing.get("data") if isinstance(listing, Mapping) else listing
        models = [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
        for entry in models:
            if entry.get("id") == self.ref.name:
                return entry
        if len(models) > 1:
            known = ", ".join(sorted(str(entry.get("id")) for entry in models)[:10])
            raise BackendUnavailable(f"{self._peer.name} does not list '{self.ref.name}'; it lists {known}")
        return models[0] if models else {}

    def _sdk(self) -> AsyncOpenAI:
        if self._client is None:
            from openai import AsyncOpenAI  # heavy: only who describes or asks pays for it

            options = client_options(self._peer, self._timeouts, self._proxy)
            self._client = AsyncOpenAI(
                api_key="unused",  # `client_options` sets the key; later releases of the client refuse an empty one
                base_url=self._base,
                max_retries=0,
                timeout=options["timeout"],
                http_client=httpx.AsyncClient(**options),
            )
        return self._client

    @contextmanager
    def _faults(self) -> Iterator[None]:
        from openai import APIConnectionError, APIError, APIStatusError

        try:
            yield
        except APIStatusError as error:
            response = error.response
            raise status_fault(self._peer, response.status_code, response.headers, response.text) from None
        except APIConnectionError as error:
            raise transport_fault(self._peer, self._timeouts, error.__cause__ or error) from None
        except APIError as error:
            raise BackendError(self._peer.secret.hide(f"{self._peer.name}: {error.message}")) from None
