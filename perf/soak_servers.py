"""The model servers of the soak: a fake Ollama and a fake OpenAI that misbehave, in a process of their own."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from pytest_hybrideval.core.domain import Usage
from pytest_hybrideval.testing import FakeOllama, FakeOpenAI, Fault, Reply
from pytest_hybrideval.testing.fake_server import FakeServer, ReceivedRequest
from pytest_hybrideval.testing.replies import Behaviour

LOOP = Reply(chunks=["and once more\n"] * 2000, stall_after=1990)
FATES: tuple[tuple[float, Behaviour], ...] = (
    (0.03, Fault.rate_limited("0")),
    (0.02, Fault.server_error(503)),
    (0.01, Fault.context_overflow()),
    (0.01, Reply(cut_after=2)),
    (0.01, Reply(end_marker=False)),
    (0.01, LOOP),
)


@dataclass
class Upstream:
    """What the model servers did: requests, and the tokens of the last whole answer to each call."""

    requests: int = 0
    sent: dict[int, tuple[int, int]] = field(default_factory=dict)
    tries: Counter[int] = field(default_factory=Counter)

    def respond(self, request: ReceivedRequest) -> Behaviour:
        """A fault or an answer, by the call's number and how often it came."""
        number = int(request.body["messages"][-1]["content"].split()[-1])
        self.requests += 1
        self.tries[number] += 1
        draws = random.Random(f"{number} {self.tries[number]}")
        draw = draws.random()
        for share, behaviour in FATES:
            if draw < share:
                return self._told(number, behaviour)
            draw -= share
        usage = Usage(prompt=50 + draws.randrange(5000), completion=1 + draws.randrange(500))
        text = f"Answer {number}. " * (1 + draws.randrange(40))
        gap = 0.001 if draws.random() < 0.2 else 0.0
        return self._told(number, Reply(text, chunk_size=20, usage=usage, gap=gap))

    def _told(self, number: int, behaviour: Behaviour) -> Behaviour:
        """The same; some faults of a stream are none of a whole answer, which then tells its tokens."""
        if isinstance(behaviour, Reply) and behaviour.usage:
            self.sent[number] = (behaviour.usage.prompt or 0, behaviour.usage.completion or 0)
        return behaviour


def serve(pipe: Connection) -> None:
    """Run both servers until the pipe is told to end; then hand over the account."""
    asyncio.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    upstream = Upstream()
    servers: list[FakeServer] = [FakeOllama(default=upstream.respond), FakeOpenAI(default=upstream.respond)]
    async with servers[0], servers[1]:
        pipe.send([server.url for server in servers])
        while not pipe.poll():
            await asyncio.sleep(0.2)
            for server in servers:
                server.requests.clear()
        pipe.recv()
        pipe.send((upstream.requests, upstream.sent))
