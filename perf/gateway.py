"""What the gateway costs: its start, and what it adds to a call, by one client and by sixteen at once."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

import aiohttp

from pytest_hybrideval.core.domain import Tier
from pytest_hybrideval.gateway import Gateway
from pytest_hybrideval.testing.samples import make_backend_call, make_sampling, make_trial
from pytest_hybrideval.testing.scripted import ScriptedBackend, ScriptedStrategy

_BODY = {"model": "hybrid", "messages": [{"role": "user", "content": "Say hello."}], "temperature": 0}


def measure(calls: int) -> list[dict[str, Any]]:
    """Rows of median and 95 % milliseconds: start, the backend alone, and loopback calls through the gateway."""
    backend = ScriptedBackend()
    direct = asyncio.run(_direct(backend, calls))
    starts = []
    for _ in range(5):
        gateway = Gateway(lambda ref, tier: backend)
        started = time.perf_counter()
        gateway.start()
        starts.append(time.perf_counter() - started)
        gateway.stop()
    rows = [_row("start", starts, None), _row("backend called directly", direct, None)]
    for clients in (1, 16):
        rows.append(
            _row(f"through the gateway, {clients} clients", _through(clients, calls), statistics.median(direct))
        )
    return rows


def _row(what: str, seconds: list[float], base: float | None) -> dict[str, Any]:
    median, high = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
    return {
        "what": what,
        "median ms": 1000 * median,
        "95 % ms": 1000 * high,
        "added ms": None if base is None else 1000 * (median - base),
    }


async def _direct(backend: ScriptedBackend, calls: int) -> list[float]:
    seconds = []
    for _ in range(calls):
        started = time.perf_counter()
        await backend.complete(make_backend_call())
        seconds.append(time.perf_counter() - started)
    return seconds


def _through(clients: int, calls: int) -> list[float]:
    gateway = Gateway(lambda ref, tier: ScriptedBackend())
    gateway.start()
    try:
        sampling = {tier: make_sampling() for tier in Tier}
        sessions = [gateway.open(make_trial(seed=n), ScriptedStrategy(), sampling) for n in range(clients)]
        seconds = asyncio.run(_clients(gateway.base_url, [session.key for session in sessions], calls // clients))
        for session in sessions:
            gateway.close(session)
    finally:
        gateway.stop()
    return seconds


async def _clients(base_url: str, keys: list[str], calls: int) -> list[float]:
    async with aiohttp.ClientSession() as http:
        found = await asyncio.gather(*(_client(http, base_url, key, calls) for key in keys))
    return [seconds for part in found for seconds in part]


async def _client(http: aiohttp.ClientSession, base_url: str, key: str, calls: int) -> list[float]:
    seconds = []
    for _ in range(calls):
        started = time.perf_counter()
        headers = {"Authorization": f"Bearer {key}"}
        async with http.post(f"{base_url}/chat/completions", json=_BODY, headers=headers) as answer:
            await answer.read()
            answer.raise_for_status()
        seconds.append(time.perf_counter() - started)
    return seconds
