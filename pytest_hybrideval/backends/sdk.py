"""The official clients on our terms: our key and time-outs, no retries, no environment, their faults in our words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from pytest_hybrideval.backends.faults import Peer, Secret
from pytest_hybrideval.backends.http import Timeouts, connect_timeout, not_reached, read_timeout
from pytest_hybrideval.core.errors import BackendError

_FROM_ENVIRONMENT = ("Authorization", "OpenAI-Organization", "OpenAI-Project")


def client_options(peer: Peer, timeouts: Timeouts, proxy: str | None) -> dict[str, Any]:
    """Arguments of `httpx.AsyncClient` that make a client go the way of the data path.

    Both official clients read keys from the process's environment; what they find there is taken out again.
    """
    return {
        "auth": _only(peer.secret),
        "follow_redirects": False,
        "proxy": proxy,
        "timeout": httpx.Timeout(timeouts.question, connect=timeouts.connect),
        "trust_env": False,
    }


def transport_fault(peer: Peer, timeouts: Timeouts, error: BaseException) -> BackendError:
    """The error for a connection that failed beneath an official client."""
    if isinstance(error, httpx.ConnectTimeout):
        return connect_timeout(peer, timeouts.connect)
    if isinstance(error, httpx.TimeoutException):
        return read_timeout(peer, timeouts.question)
    if isinstance(error, (httpx.ConnectError, ConnectionError)):
        return not_reached(peer, error)
    cause = str(error) or type(error).__name__
    return BackendError(f"{peer.name} closed the connection before it answered ({cause})", retryable=True)


def _only(secret: Secret) -> Callable[[httpx.Request], httpx.Request]:
    def authorise(request: httpx.Request) -> httpx.Request:
        for name in _FROM_ENVIRONMENT:
            request.headers.pop(name, None)
        if secret.value:
            request.headers["Authorization"] = f"Bearer {secret.value}"
        return request

    return authorise
