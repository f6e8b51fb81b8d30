"""Where the gateway listens: a loopback port of its own, and sockets that come out of the enclosures of agents."""

from __future__ import annotations

import asyncio
import socket

from aiohttp import web

_HOST = "127.0.0.1"


class Listening:
    """The listening part of a gateway. All methods are for its event loop."""

    def __init__(self, app: web.Application) -> None:
        # handler_cancellation: an agent that hangs up must stop the upstream call, which costs money.
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None)

    async def start(self) -> str:
        """Listen on a free port of the loopback; the address, which ends in `/v1`."""
        await self._runner.setup()
        await web.TCPSite(self._runner, _HOST, 0).start()
        return f"http://{_HOST}:{self._runner.addresses[0][1]}/v1"

    async def open(self) -> Doorway:
        """A new doorway. Close it."""
        return Doorway(self._runner)

    async def stop(self) -> None:
        """Close every socket and connection."""
        await self._runner.cleanup()


class Doorway:
    """Takes a listening socket from an enclosure, which has a network of its own, and answers what connects there.

    A socket belongs to the network it was made in: who holds it accepts connections from there, with nothing between.
    """

    def __init__(self, runner: web.AppRunner) -> None:
        self._runner = runner
        self._ours, self._theirs = socket.socketpair()
        self._site: web.SockSite | None = None
        self._starting: asyncio.Task[None] | None = None
        self._ours.setblocking(False)
        asyncio.get_running_loop().add_reader(self._ours, self._take)

    @property
    def descriptor(self) -> int:
        """Of the Unix socket over which the listening socket is sent (SCM_RIGHTS)."""
        return self._theirs.fileno()

    async def close(self) -> None:
        """Stop listening there. Connections end with the agent's processes."""
        self._stop_taking()
        if self._starting is not None:
            await self._starting
        if self._site is not None:
            await self._site.stop()
        self._ours.close()
        self._theirs.close()

    def _take(self) -> None:
        """The first message is all there is: it is sent before the agent starts."""
        self._stop_taking()
        _, descriptors, _, _ = socket.recv_fds(self._ours, 1, 1)
        if descriptors:
            self._site = web.SockSite(self._runner, socket.socket(fileno=descriptors[0]))
            self._starting = asyncio.create_task(self._site.start())

    def _stop_taking(self) -> None:
        asyncio.get_running_loop().remove_reader(self._ours)
