"""A soak: thousands of calls at once through the gateway, to models that misbehave, and every one accounted for.

    python perf/soak.py [--calls N] [--concurrency N] [--inject SPEC]

Agents, gateway, guards and injected faults run in this process; a fake Ollama and a fake OpenAI server, which have
faults of their own (429, 503, cut streams, missing ends, endless loops), in another. Prints what became of the calls,
whether each was recorded once and with the tokens that the servers say they sent, and the memory of this process at the
start, in the middle and at the end. Exit status 1 where an account does not balance.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import random
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from soak_account import Account, Logged, memory_mib
from soak_servers import serve
from tabulate import tabulate

from pytest_hybrideval.backends import OllamaBackend, OpenAIBackend
from pytest_hybrideval.backends.guarded import GuardedBackend, Guards
from pytest_hybrideval.backends.injected import injected, parse_faults
from pytest_hybrideval.core.domain import ChatRequest, Decision, ModelRef, Tier
from pytest_hybrideval.core.protocols import Backend, RoutingContext
from pytest_hybrideval.gateway import Gateway, RouterSession
from pytest_hybrideval.testing import make_sampling, make_trial

INJECT = (
    "local:latency=2ms,local:503=0.04,local:cut=0.02,local:empty=0.02,"
    "cloud:latency=2ms,cloud:429=0.05,cloud:500=0.02,cloud:400=0.01,cloud:cut=0.02"
)
CALLS_PER_SESSION = 10
RETRIES = 2
GIVEN_UP = "given up"  # what the gateway says after too many failures in a row; no call is made, none recorded
HANGS_UP = 0.03


class Either:
    """A strategy that sends every other call to the cloud."""

    name = "either"

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        """By the call's number."""
        number = int(request.messages[-1]["content"].split()[-1])
        return Decision(Tier.CLOUD if number % 2 else Tier.LOCAL, "by number")


async def converse(http: aiohttp.ClientSession, gateway: Gateway, first: int, account: Account) -> None:
    """One session: its calls, one after the other, until the gateway gives it up."""
    sampling = {tier: make_sampling(num_ctx=None) for tier in Tier}
    session = gateway.open(make_trial(seed=first), Either(), sampling)
    asked = 0
    for number in range(first, first + CALLS_PER_SESSION):
        seen = await ask(http, session, number)
        account.answers[seen] += 1
        if seen == GIVEN_UP:
            break
        asked += 1
    await asyncio.to_thread(gateway.close, session)
    account.close(session, first, asked)


async def ask(http: aiohttp.ClientSession, session: RouterSession, number: int) -> str:
    """One call, and what came of it."""
    draws = random.Random(number)
    stream, hangs_up = draws.random() < 0.8, draws.random() < HANGS_UP
    body = {"model": "hybrid", "messages": [{"role": "user", "content": f"call {number}"}], "stream": stream}
    headers = {"Authorization": f"Bearer {session.key}"}
    async with http.post(f"{session.base_url}/chat/completions", json=body, headers=headers) as answer:
        if hangs_up:
            await answer.content.readany()
            answer.close()
            return "hung up"
        content = await answer.read()
    if b"given up after" in content:
        return GIVEN_UP
    if answer.status != 200:
        return f"refused {answer.status}"
    if stream and not content.endswith(b"data: [DONE]\n\n"):
        return "broken off"
    return "whole"


async def soak(gateway: Gateway, calls: int, concurrency: int) -> Account:
    """All calls, and the memory on the way."""
    account = Account(array("q", [-1]) * (2 * calls + 2 * CALLS_PER_SESSION))
    starts = iter(range(0, calls, CALLS_PER_SESSION))
    marks = {calls // 20: "after 5 %", calls // 2: "in the middle"}

    async def agent(http: aiohttp.ClientSession) -> None:
        for first in starts:
            await converse(http, gateway, first, account)
            for mark in [mark for mark in marks if account.asked >= mark]:
                account.memory.append((marks.pop(mark), memory_mib()))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        await asyncio.gather(*(agent(http) for _ in range(concurrency)))
    account.memory.append(("at the end", memory_mib()))
    return account


@contextmanager
def running(urls: list[str], inject: str) -> Iterator[Gateway]:
    """The gateway, its backends guarded and with injected faults."""
    plan = parse_faults(inject)

    def make(ref: ModelRef, tier: Tier) -> Backend:
        real: Any = (
            OllamaBackend(ModelRef("ollama", "gemma"), urls[0])
            if tier is Tier.LOCAL
            else OpenAIBackend(ModelRef("openai", "gpt"), f"{urls[1]}/v1", None)
        )
        return injected(GuardedBackend(real, Guards(seconds=30)), tier, plan)

    gateway = Gateway(make, RETRIES)
    gateway.start()
    try:
        yield gateway
    finally:
        gateway.stop()


def report(
    account: Account, requests: int, sent: dict[int, tuple[int, int]], logged: Counter[str], seconds: float
) -> list[str]:
    """Print the figures; what does not balance."""
    wrong = list(account.wrong)
    tokens = account.told
    differing = [number for number, pair in tokens.items() if sent.get(number) != pair]
    if differing:
        wrong.append(f"{len(differing)} calls have other tokens than were sent: {differing[:5]}")
    if account.asked != account.recorded:
        wrong.append(f"{account.asked} calls were asked and {account.recorded} recorded")
    told = [sent.get(number, (0, 0)) for number in tokens]
    rows: list[tuple[str, Any]] = [
        ("calls that agents made", account.asked),
        ("calls recorded", account.recorded),
        ("requests that reached the servers", requests),
        ("retries", account.retries),
        *((f"agents saw: {what}", count) for what, count in sorted(account.answers.items())),
        *((f"recorded fault: {what}", count) for what, count in sorted(account.faults.items())),
        *((f"recorded cut: {what}", count) for what, count in sorted(account.cuts.items())),
        ("calls with tokens", len(tokens)),
        ("tokens recorded", sum(map(sum, tokens.values()))),
        ("tokens that the servers sent for them", sum(map(sum, told))),
        *((f"errors logged: {kind}", count) for kind, count in sorted(logged.items())),
        *((f"memory {when}, MiB", f"{mib:.1f}") for when, mib in account.memory),
        ("seconds", f"{seconds:.1f}"),
        ("calls per second", f"{account.asked / seconds:.0f}"),
    ]
    print(tabulate(rows, headers=["what", "figure"], colalign=("left", "right"), disable_numparse=True))
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--inject", default=INJECT, help="as for --hybrid-inject")
    options = parser.parse_args()
    pipe, other = multiprocessing.Pipe()
    servers = multiprocessing.get_context("spawn").Process(target=serve, args=(other,), daemon=True)
    servers.start()
    urls = pipe.recv()
    logged = Logged()
    logging.getLogger("aiohttp.server").addHandler(logged)
    logging.getLogger("stamina").setLevel(logging.ERROR)  # its retries are counted from the records
    with running(urls, options.inject) as gateway:
        started = time.perf_counter()
        account = asyncio.run(soak(gateway, options.calls, options.concurrency))
        seconds = time.perf_counter() - started
    pipe.send("end")
    requests, sent = pipe.recv()
    servers.join()
    wrong = report(account, requests, sent, logged.kinds, seconds)
    print("\n" + ("\n".join(wrong) or "Every call was recorded once, with the tokens that the servers sent."))
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
