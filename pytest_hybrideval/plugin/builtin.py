"""What the package itself offers through its own hooks. Backends are imported when one is made."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_hybrideval.core.domain import ModelRef, Tier
from pytest_hybrideval.core.protocols import Backend, BackendFactory


def ollama(ref: ModelRef, tier: Tier, environ: Mapping[str, str], base_url: str | None) -> Backend:
    """`ollama/NAME`: a model served by Ollama."""
    from pytest_hybrideval.backends.ollama import ollama_backend

    return ollama_backend(ref, tier, environ, base_url)


def openai(ref: ModelRef, tier: Tier, environ: Mapping[str, str], base_url: str | None) -> Backend:
    """`openai/NAME`: a model behind any OpenAI-compatible API."""
    from pytest_hybrideval.backends.openai import openai_backend

    return openai_backend(ref, tier, environ, base_url)


def simulated(ref: ModelRef, tier: Tier, environ: Mapping[str, str], base_url: str | None) -> Backend:
    """`simulated/NAME`: an embedded model."""
    from pytest_hybrideval.backends.simulated import simulated_backend

    return simulated_backend(ref, tier, environ, base_url)


def url(ref: ModelRef, tier: Tier, environ: Mapping[str, str], base_url: str | None) -> Backend:
    """`url/ADDRESS`: a router that runs as an OpenAI-compatible server; what `--strategy url:ADDRESS` sends to."""
    from pytest_hybrideval.backends.url import url_backend

    return url_backend(ref, tier, environ, base_url)


BACKENDS: Mapping[str, BackendFactory] = {"ollama": ollama, "openai": openai, "simulated": simulated, "url": url}
