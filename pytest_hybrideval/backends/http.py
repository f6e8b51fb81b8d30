"""The data path to a model server: one aiohttp session, opened when it is first used, its faults in our words."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from pytest_hybrideval.backends.faults import Peer, status_fault
from pytest_hybrideval.core.errors import BackendError, BackendUnavailable, StreamBroken

USER_AGENT = "pytest-hybrideval"


@dataclass(frozen=True)
class Timeouts:
    """Seconds: to `connect`, between two reads of an answer (`read`, its first byte included), for a `question`."""

    connect: float = 10.0
    read: float = 600.0
    question: float = 120.0


class Upstream:
    """A pool of connections to one server, with its key and time-outs. Opened in the loop that first uses it."""

    def __init__(self, peer: Peer, timeouts: Timeouts, proxy: str | None = None) -> None:
        """`proxy` is an HTTP proxy's URL; None goes to the server directly."""
        self._peer = peer
        self._timeouts = timeouts
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def post(self, url: str, body: Any, accept: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send `body` as JSON; the answer has status 200 and its body is still to be read.

        Raises `BackendError` or a subclass for any other status and for every fault of the connection, also for
        those met while the caller reads the body inside the `async with`.
        """
        headers = {"Content-Type": "application/json", "Accept": accept}
        async with self._exchange("POST", url, data=orjson.dumps(body), headers=headers) as response:
            yield response

    async def get(self, url: str) -> Any:
        """The JSON at `url`. Raises as `post` does, and `BackendError` where it is not JSON."""
        async with self._exchange("GET", url) as response:
            body = await response.read()
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            raise BackendError(f"{self._peer.name} answered {url} with something that is not JSON") from None

    async def aclose(self) -> None:
        """Close all connections. Safe to call twice; a later request opens a new session."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @asynccontextmanager
    async def _exchange(self, method: str, url: str, **arguments: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        answered = False
        try:
            async with self._open().request(
                method, url, allow_redirects=False, proxy=self._proxy, **arguments
            ) as response:
                if response.status != 200:
                    raise status_fault(self._peer, response.status, response.headers, await response.read())
                answered = True
                yield response
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            raise _connection_fault(self._peer, self._timeouts, error, answered=answered) from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Identity: a compressed stream would be held back until a block is full.
            headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
            if self._peer.secret.value:
                headers["Authorization"] = f"Bearer {self._peer.secret.value}"
            limits = aiohttp.ClientTimeout(total=None, connect=self._timeouts.connect, sock_read=self._timeouts.read)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), headers=headers, timeout=limits
            )
        return self._session


def not_reached(peer: Peer, error: BaseException) -> BackendUnavailable:
    """The error for a connection that could not be made: refused, name not found, certificate not trusted."""
    cause = _root(error)
    if isinstance(cause, ConnectionRefusedError):
        return BackendUnavailable(f"{peer.name} refused the connection; {peer.start}", retryable=True)
    if isinstance(cause, ssl.SSLError):
        return BackendUnavailable(f"{peer.name} has no certificate we can trust ({cause}); check the base URL")
    return BackendUnavailable(f"{peer.name} cannot be reached ({cause}); {peer.start}", retryable=True)


def connect_timeout(peer: Peer, seconds: float) -> BackendUnavailable:
    """The error for a server that does not take the connection."""
    return BackendUnavailable(f"{peer.name} took no connection for {seconds:g} s; {peer.start}", retryable=True)


def read_timeout(peer: Peer, seconds: float) -> BackendError:
    """The error for a server that went silent."""
    return BackendError(f"{peer.name} sent nothing for {seconds:g} s while '{peer.model}' answered", retryable=True)


def _connection_fault(peer: Peer, timeouts: Timeouts, error: Exception, *, answered: bool) -> BackendError:
    if isinstance(error, aiohttp.ClientConnectorError):
        return not_reached(peer, error)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return connect_timeout(peer, timeouts.connect)
    if isinstance(error, asyncio.TimeoutError):
        return read_timeout(peer, timeouts.read)
    if isinstance(error, aiohttp.InvalidURL):
        return BackendUnavailable(f"{peer.name} has an address that is no URL; check the base URL")
    cause = str(error) or type(error).__name__
    if answered:
        return StreamBroken(f"{peer.name} cut its answer off ({cause})", retryable=True)
    return BackendError(f"{peer.name} closed the connection before it answered ({cause})", retryable=True)


def _root(error: BaseException) -> BaseException:
    """The operating system's own error beneath the wrappers of a client library; else the innermost error."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error
    while not (isinstance(error, OSError) and error.errno is not None):
        inner = error.__cause__ or error.__context__
        if inner is None:
            break
        error = inner
    return error
