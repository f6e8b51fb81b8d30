"""Models in Ollama, through its own API: the OpenAI-compatible one takes neither context size nor keep_alive."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from pytest_hybrideval.backends import address
from pytest_hybrideval.backends.embeddings import checked_vectors, in_batches
from pytest_hybrideval.backends.faults import Peer, Secret, status_fault
from pytest_hybrideval.backends.http import Timeouts, Upstream
from pytest_hybrideval.backends.ollama_reply import (
    AnswerReader,
    ReplyWriter,
    check_ended,
    checked,
    given_up,
    read_usage,
)
from pytest_hybrideval.backends.ollama_request import FAIL_ON_OVERFLOW, ollama_body, residence, sampling_options
from pytest_hybrideval.backends.openai_wire import wants_usage
from pytest_hybrideval.backends.sdk import client_options, transport_fault
from pytest_hybrideval.core.domain import Answer, Completion, Embedding, ModelInfo, ModelRef, StreamEvent, Tier, Usage
from pytest_hybrideval.core.errors import BackendError
from pytest_hybrideval.core.protocols import BackendCall

if TYPE_CHECKING:
    from ollama import AsyncClient

_KEY = "OLLAMA_API_KEY"


def ollama_backend(ref: ModelRef, tier: Tier, environ: Mapping[str, str], base_url: str | None) -> OllamaBackend:
    """The backend of an `ollama/NAME` model: at `base_url`, else OLLAMA_HOST, else this machine's port 11434.

    OLLAMA_API_KEY is sent where it is set, as Ollama's own client does. Raises `ConfigurationError` where the address
    is none.
    """
    host = environ.get("OLLAMA_HOST", "").strip()
    source = f"the {tier.value} base URL" if base_url else "OLLAMA_HOST"
    url = address.ollama_url(base_url or host or address.OLLAMA_URL, source)
    key = environ.get(_KEY, "").strip() or None
    return OllamaBackend(ref, url, api_key=key, proxy=address.proxy_for(url, environ))


class OllamaBackend:
    """One model in Ollama, spoken to through `/api/chat`; requests and answers are translated from and to OpenAI's."""

    simulated = False

    def __init__(
        self,
        ref: ModelRef,
        base_url: str,
        timeouts: Timeouts | None = None,
        *,
        api_key: str | None = None,
        proxy: str | None = None,
    ) -> None:
        """`base_url` is what precedes `/api/chat`, in any form that OLLAMA_HOST may have."""
        self.ref = ref
        self._base = address.ollama_url(base_url, f"the base URL of {ref}")
        self._peer = Peer(
            name=f"Ollama at {self._base}",
            model=ref.name,
            start="start it with 'ollama serve'",
            missing=f"run 'ollama pull {ref.name}'",
            secret=address.checked_key(_KEY, api_key) if api_key else Secret(_KEY),
        )
        self._timeouts = timeouts or Timeouts()
        self._proxy = proxy
        self._upstream = Upstream(self._peer, self._timeouts, proxy)
        self._client: AsyncClient | None = None

    def __repr__(self) -> str:
        """Model and address, without the key."""
        return f"OllamaBackend({self.ref} at {self._base})"

    def effective_temperature(self, call: BackendCall) -> float | None:
        """The temperature that `complete` and `stream` send for `call`; None where none is sent."""
        return call.temperature

    @property
    def question_temperature(self) -> float | None:
        """The temperature that `ask` sends: 0."""
        return 0.0

    async def describe(self) -> ModelInfo:
        """Version of the server, digest and context length of the model.

        Raises `BackendUnavailable` where nothing answers or the model has not been pulled.
        """
        version = await self._upstream.get(f"{self._base}/api/version")
        with self._faults():
            shown = await self._sdk().show(self.ref.name)
            listed = await self._sdk().list()
        names = (self.ref.name, f"{self.ref.name}:latest")
        return ModelInfo(
            model=str(self.ref),
            version=version.get("version") if isinstance(version, dict) else None,
            digest=next((model.digest for model in listed.models if model.model in names), None),
            context_length=_context_length(shown.modelinfo or {}),
        )

    async def complete(self, call: BackendCall) -> Completion:
        """A whole answer. Raises `RequestRefused` where the request cannot be said in Ollama's API."""
        body = ollama_body(call, self.ref.name, stream=False)
        async with self._upstream.post(f"{self._base}/api/chat", body, "application/json") as response:
            data = await response.read()
        answer = checked(self._peer, data)
        if not given_up(answer):
            check_ended(self._peer, answer)
        return ReplyWriter(self.ref.name).completion(answer)

    async def stream(self, call: BackendCall) -> AsyncGenerator[StreamEvent, None]:
        """The answer as it comes, in OpenAI's chunks; see `AnswerReader` for what the events carry."""
        body = ollama_body(call, self.ref.name, stream=True)
        reader = AnswerReader(self._peer, pass_usage=wants_usage(call.request.body))
        async with self._upstream.post(f"{self._base}/api/chat", body, "application/x-ndjson") as response:
            async for chunk in response.content.iter_any():
                for event in reader.feed(chunk):
                    yield event
                if reader.done:
                    break
        for event in reader.close():
            yield event

    async def ask(self, question: str, call: BackendCall) -> Answer:
        """A question as a conversation of one message, with the same model settings as the trial's other calls."""
        sampling = call.sampling
        settings: dict[str, Any] = residence(sampling)
        with self._faults():
            answer = await self._sdk().chat(
                self.ref.name,
                messages=[{"role": "user", "content": question}],
                options=sampling_options(sampling, self.question_temperature, sampling.max_tokens),
                **settings,
            )
        final = answer.model_dump()
        check_ended(self._peer, final)
        return Answer(answer.message.content or "", read_usage(final))

    async def embed(self, texts: Sequence[str]) -> Embedding:
        """The texts' vectors, from `/api/embed`. A text that does not fit the model's context is refused, never cut."""
        return await in_batches(self._peer, texts, self._embed)

    async def _embed(self, texts: list[str]) -> Embedding:
        with self._faults():
            answer = (await self._sdk().embed(self.ref.name, input=texts, truncate=False)).model_dump()
        vectors = checked_vectors(self._peer, [list(vector) for vector in answer["embeddings"]], len(texts))
        return Embedding(vectors, Usage(prompt=read_usage(answer).prompt, completion=0))

    async def aclose(self) -> None:
        """Close connections. Safe to call twice; a later request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()  # type: ignore[no-untyped-call]
        await self._upstream.aclose()

    def _sdk(self) -> AsyncClient:
        if self._client is None:
            from ollama import AsyncClient  # only who describes or asks pays for it

            options = client_options(self._peer, self._timeouts, self._proxy)
            self._client = AsyncClient(self._base, event_hooks={"request": [_fail_on_overflow]}, **options)
        return self._client

    @contextmanager
    def _faults(self) -> Iterator[None]:
        from ollama import ResponseError

        try:
            yield
        except ResponseError as error:
            raise status_fault(self._peer, error.status_code, {}, error.error) from None
        except (httpx.HTTPError, ConnectionError) as error:
            raise transport_fault(self._peer, self._timeouts, error) from None
        except (ValueError, TypeError) as error:  # what the client raises for JSON of another shape
            raise BackendError(f"{self._peer.name} gave an answer that its client cannot read ({error})") from None


def _context_length(facts: Mapping[str, Any]) -> int | None:
    length = facts.get(f"{facts.get('general.architecture')}.context_length")
    return length if isinstance(length, int) else None


async def _fail_on_overflow(request: httpx.Request) -> None:
    """Add to a chat what the official client has no parameter for."""
    if request.url.path.endswith("/api/chat"):
        content = orjson.dumps({**orjson.loads(request.content), **FAIL_ON_OVERFLOW})
        request.headers["Content-Length"] = str(len(content))
        request.stream = httpx.ByteStream(content)
