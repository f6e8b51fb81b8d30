"""A load of requests that costs little itself: fixed bytes over kept-alive connections, timed to first byte and end."""

from __future__ import annotations

import asyncio
import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_LAST_CHUNK = b"\r\n0\r\n\r\n"
_TIMEOUT = 60.0


@dataclass
class Load:
    """What was measured, in seconds: each request's first body byte and end, the time of all, the server's CPU time."""

    first_bytes: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    wall: float = 0.0
    cpu: float = 0.0


class _Client(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._body_at = -1
        self._length: int | None = None
        self._first = 0.0
        self._done: asyncio.Future[float] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self._done and not self._done.done():
            self._done.set_exception(error or ConnectionResetError("the server closed the connection"))

    async def exchange(self, request: bytes) -> tuple[float, float]:
        """Seconds to the first byte of the body, and to its end."""
        assert self.transport is not None
        self._received.clear()
        self._body_at, self._length = -1, None
        self._done = asyncio.get_running_loop().create_future()
        started = time.perf_counter()
        self.transport.write(request)
        ended = await asyncio.wait_for(self._done, _TIMEOUT)
        return self._first - started, ended - started

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._body_at < 0 and not self._read_head():
            return
        if not self._first:
            self._first = time.perf_counter()
        complete = (
            self._received.endswith(_LAST_CHUNK)
            if self._length is None
            else len(self._received) - self._body_at >= self._length
        )
        if complete and self._done and not self._done.done():
            self._done.set_result(time.perf_counter())

    def _read_head(self) -> bool:
        """Whether head and at least one byte of the body are there."""
        end = self._received.find(b"\r\n\r\n")
        if end < 0 or len(self._received) == end + 4:
            return False
        head = bytes(self._received[: end + 2])
        if not head.startswith(b"HTTP/1.1 200 "):
            raise AssertionError(bytes(self._received[:500]))
        length = _LENGTH.search(head)
        self._body_at, self._length, self._first = end + 4, int(length[1]) if length else None, 0.0
        return True


def request_bytes(url: str, body: bytes, key: str) -> bytes:
    """A chat request to a base URL."""
    parts = urlsplit(url)
    head = (
        f"POST {parts.path}/chat/completions HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def apply(url: str, pid: int, request: bytes, clients: int, requests: int) -> Load:
    """Send `requests` in all by `clients` connections at once, each waiting for its answer before its next one.

    `pid` is the server's process.
    """
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(_Client, parts.hostname or "", parts.port or 0) for _ in range(clients)]
    load = Load()

    async def one(client: _Client, count: int) -> None:
        for _ in range(count):
            first, end = await client.exchange(request)
            load.first_bytes.append(first)
            load.ends.append(end)

    try:
        await asyncio.gather(*(one(client, 2) for _, client in opened))  # the server's own connections are open by then
        load.first_bytes.clear()
        load.ends.clear()
        started, used = time.perf_counter(), _cpu_seconds(pid)
        await asyncio.gather(*(one(client, max(1, requests // clients)) for _, client in opened))
        load.wall, load.cpu = time.perf_counter() - started, _cpu_seconds(pid) - used
    finally:
        for transport, _ in opened:
            transport.close()
    return load
