"""Scripted fakes to test against, for this project and for those who build on it. No mock patches anything here.

The names below are loaded when they are first asked for, so that importing this package imports no HTTP library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_hybrideval.testing.fake_ollama import FakeOllama
    from pytest_hybrideval.testing.fake_openai import FakeOpenAI
    from pytest_hybrideval.testing.fake_server import ReceivedRequest, refused_url
    from pytest_hybrideval.testing.replies import Fault, Raw, Reply, ToolCall
    from pytest_hybrideval.testing.samples import (
        make_backend_call,
        make_request,
        make_sampling,
        make_task,
        make_trial,
        make_variant,
    )
    from pytest_hybrideval.testing.sandbox_conformance import SANDBOX_CHECKS, SandboxCheck, check_sandbox
    from pytest_hybrideval.testing.scripted import (
        Ask,
        Pause,
        ScriptedBackend,
        ScriptedClassifier,
        ScriptedReply,
        ScriptedStrategy,
        make_context,
    )
    from pytest_hybrideval.testing.scripted_agent import ScriptedAgent
    from pytest_hybrideval.testing.scripted_embedder import ScriptedEmbedder
    from pytest_hybrideval.testing.strategy_conformance import STRATEGY_CHECKS, StrategyCheck, check_strategy

__all__ = [
    "Ask",
    "FakeOllama",
    "FakeOpenAI",
    "Fault",
    "Pause",
    "Raw",
    "ReceivedRequest",
    "Reply",
    "SANDBOX_CHECKS",
    "STRATEGY_CHECKS",
    "SandboxCheck",
    "ScriptedAgent",
    "ScriptedBackend",
    "ScriptedClassifier",
    "ScriptedEmbedder",
    "ScriptedReply",
    "ScriptedStrategy",
    "StrategyCheck",
    "ToolCall",
    "check_sandbox",
    "check_strategy",
    "make_backend_call",
    "make_context",
    "make_request",
    "make_sampling",
    "make_task",
    "make_trial",
    "make_variant",
    "refused_url",
]

_HOMES = {
    "Ask": "scripted",
    "FakeOllama": "fake_ollama",
    "FakeOpenAI": "fake_openai",
    "Fault": "replies",
    "Pause": "scripted",
    "Raw": "replies",
    "ReceivedRequest": "fake_server",
    "Reply": "replies",
    "SANDBOX_CHECKS": "sandbox_conformance",
    "STRATEGY_CHECKS": "strategy_conformance",
    "SandboxCheck": "sandbox_conformance",
    "ScriptedAgent": "scripted_agent",
    "ScriptedBackend": "scripted",
    "ScriptedClassifier": "scripted",
    "ScriptedEmbedder": "scripted_embedder",
    "ScriptedReply": "scripted",
    "ScriptedStrategy": "scripted",
    "StrategyCheck": "strategy_conformance",
    "ToolCall": "replies",
    "check_sandbox": "sandbox_conformance",
    "check_strategy": "strategy_conformance",
    "make_backend_call": "samples",
    "make_context": "scripted",
    "make_request": "samples",
    "make_sampling": "samples",
    "make_task": "samples",
    "make_trial": "samples",
    "make_variant": "samples",
    "refused_url": "fake_server",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
