"""A router behind an OpenAI-compatible URL: the whole request goes there, and some model that it knows answers."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urldefrag

from pytest_hybrideval.backends import address
from pytest_hybrideval.backends.faults import Secret
from pytest_hybrideval.backends.openai import OpenAIBackend
from pytest_hybrideval.core.domain import ModelInfo, ModelRef, Tier
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.protocols import BackendCall

ROUTER_KEY = "HYBRIDEVAL_ROUTER_API_KEY"
_CLIENTS_NAME = "hybrid"


def url_backend(ref: ModelRef, tier: Tier, environ: Mapping[str, str], base_url: str | None) -> UrlBackend:
    """The backend of `url/ADDRESS` or `url/ADDRESS#MODEL`; its key is in HYBRIDEVAL_ROUTER_API_KEY.

    `base_url` is that of the tier's own models and not used. Raises `ConfigurationError` where the address is none.
    """
    if not ref.name.startswith(("http://", "https://")):
        raise ConfigurationError(
            f"{ref}: provider 'url' is for --strategy url:ADDRESS; name the model by its own provider"
        )
    value = environ.get(ROUTER_KEY, "").strip()
    secret = address.checked_key(ROUTER_KEY, value) if value else Secret(ROUTER_KEY)
    url = address.base_url(urldefrag(ref.name).url, "the router's URL")  # checked before anything can show it
    return UrlBackend(ref, secret.value, proxy=address.proxy_for(url, environ))


class UrlBackend(OpenAIBackend):
    """Requests go out as the agent wrote them, with the trial's seed. Their model is the agent's or that after `#`."""

    def __init__(self, ref: ModelRef, api_key: str | None, *, proxy: str | None = None) -> None:
        """`ref.name` is the address, with `/v1` or whatever else precedes `/chat/completions`."""
        url, self._asked_for = urldefrag(ref.name)
        super().__init__(ref, url, api_key, key_name=ROUTER_KEY, proxy=proxy)

    async def describe(self) -> ModelInfo:
        """Whether the router answers and takes our key. What it lists is its own matter."""
        await self._look(self._sdk().models.with_raw_response.list())
        return ModelInfo(model=str(self.ref))

    def _name_for(self, call: BackendCall) -> str:
        return self._asked_for or str(call.request.body.get("model") or _CLIENTS_NAME)
