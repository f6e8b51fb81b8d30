"""The OpenAI-compatible server between agent and models: it routes, seeds, streams, counts and logs every call."""

from pytest_hybrideval.gateway.server import Gateway
from pytest_hybrideval.gateway.sessions import RouterSession
from pytest_hybrideval.gateway.slots import Slots

__all__ = ["Gateway", "RouterSession", "Slots"]
