"""Clients of models: Ollama, OpenAI-compatible servers, and the embedded simulated ones.

The names below are loaded when they are first asked for, so that importing this package imports no HTTP library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_hybrideval.backends.http import Timeouts
    from pytest_hybrideval.backends.ollama import OllamaBackend, ollama_backend
    from pytest_hybrideval.backends.openai import OpenAIBackend, openai_backend
    from pytest_hybrideval.backends.simulated import simulated_backend
    from pytest_hybrideval.backends.url import url_backend

__all__ = [
    "OllamaBackend",
    "OpenAIBackend",
    "Timeouts",
    "ollama_backend",
    "openai_backend",
    "simulated_backend",
    "url_backend",
]

_HOMES = {
    "OllamaBackend": "ollama",
    "OpenAIBackend": "openai",
    "Timeouts": "http",
    "ollama_backend": "ollama",
    "openai_backend": "openai",
    "simulated_backend": "simulated",
    "url_backend": "url",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
