"""What the gateway costs: its start, and what it adds to a call, beside a direct call and beside the official SDK.

    python perf/gateway.py [--calls N] [--rounds N] [--json FILE]

`hybrideval serve --strategy always-cloud` stands between a load of 1, 16 and 64 clients and a model server that answers
at once; so does the same job done with the official SDK (`gateway_sdk.py`). All are processes of their own and take
turns. Figures are medians over the rounds; what is added is over a direct call. CPU time is that of the process that is
asked: it depends least on what else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from gateway_sdk import KEY
from load import Load, apply, request_bytes
from tabulate import tabulate

from pytest_hybrideval.gateway import Gateway
from pytest_hybrideval.testing.scripted import ScriptedBackend

HERE = Path(__file__).parent
CLIENTS = (1, 16, 64)
WAYS = ("direct", "gateway", "SDK")
_STREAMS = 10  # a stream is as much work as so many whole answers and more
_TEXT = "Make the parser accept quoted fields. " * 75  # about 3 kB
_BODY = {"model": "hybrid", "messages": [{"role": "user", "content": _TEXT}], "temperature": 0}

Figure = Callable[[Load], float]
_FIGURES: dict[str, Figure] = {
    "p50 ms": lambda load: 1000 * statistics.median(load.ends),
    "p95 ms": lambda load: 1000 * statistics.quantiles(load.ends, n=20)[-1],
    "first byte p50 ms": lambda load: 1000 * statistics.median(load.first_bytes),
    "first byte p95 ms": lambda load: 1000 * statistics.quantiles(load.first_bytes, n=20)[-1],
    "CPU ms per answer": lambda load: 1000 * load.cpu / len(load.ends),
    "answers/s": lambda load: len(load.ends) / load.wall,
}
_RATES = ("answers/s",)
_LATENCIES = ("p50 ms", "p95 ms", "first byte p50 ms", "first byte p95 ms")


def measure(calls: int, rounds: int = 3) -> list[dict[str, Any]]:
    """Rows of a figure each: directly, through the gateway, through the SDK, and how many times better the gateway is.

    `calls` are whole answers per load and round; streams are a tenth of that.
    """
    with ExitStack() as stack:
        upstream = stack.enter_context(_process([sys.executable, str(HERE / "gateway_upstream.py")]))
        sdk = [sys.executable, str(HERE / "gateway_sdk.py"), upstream[0]]
        servers = {
            "direct": upstream,
            "gateway": stack.enter_context(_process(_served(upstream[0]))),
            "SDK": stack.enter_context(_process(sdk)),
        }
        loads = [
            (stream, clients, _turns(servers, stream, clients, calls, rounds))
            for stream in (False, True)
            for clients in CLIENTS
        ]
    rows = [row for stream, clients, found in loads for row in _rows(stream, clients, found)]
    return [_start(), *rows]


def _served(upstream: str) -> list[str]:
    models = ["--cloud-model", "openai/perf", "--cloud-base-url", upstream]
    program = "from pytest_hybrideval.cli import main; main()"
    return [sys.executable, "-c", program, "serve", "--strategy", "always-cloud", *models, "--port", "0"]


@contextmanager
def _process(command: list[str]) -> Iterator[tuple[str, int]]:
    """A server until the block ends; gives the base URL that it prints, and its process's number."""
    environ = {**os.environ, "HYBRIDEVAL_SERVE_KEY": KEY, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("serving at "):
                    yield line.split()[2], process.pid
                    break
            else:
                raise RuntimeError(f"{' '.join(command)} ended with exit code {process.wait()}")
        finally:
            process.terminate()


def _turns(
    servers: dict[str, tuple[str, int]], stream: bool, clients: int, calls: int, rounds: int
) -> dict[str, list[Load]]:
    body = json.dumps({**_BODY, "stream": stream}).encode()
    count = max(calls // _STREAMS if stream else calls, 2 * clients, 20)
    found: dict[str, list[Load]] = {way: [] for way in WAYS}
    for number in range(rounds):
        for way in WAYS[number % 3 :] + WAYS[: number % 3]:
            url, pid = servers[way]
            found[way].append(asyncio.run(apply(url, pid, request_bytes(url, body, KEY), clients, count)))
    return found


def _rows(stream: bool, clients: int, found: dict[str, list[Load]]) -> Iterator[dict[str, Any]]:
    head = {"answers": "streamed" if stream else "whole", "clients": clients}
    for figure, of in _FIGURES.items():
        direct, gateway, sdk = (statistics.median(map(of, found[way])) for way in WAYS)
        better = gateway / sdk if figure in _RATES else sdk / gateway
        yield {**head, "figure": figure, "direct": direct, "gateway": gateway, "SDK": sdk, "times better": better}
        if figure in _LATENCIES:
            added, theirs = gateway - direct, sdk - direct
            ratio = theirs / added if added > 0 else None
            yield {**head, "figure": f"added {figure}", "gateway": added, "SDK": theirs, "times better": ratio}


def _start() -> dict[str, Any]:
    seconds = []
    for _ in range(5):
        gateway = Gateway(lambda ref, tier: ScriptedBackend())
        started = time.perf_counter()
        gateway.start()
        seconds.append(time.perf_counter() - started)
        gateway.stop()
    return {
        "answers": "none",
        "clients": 0,
        "figure": "start of a gateway, ms",
        "direct": None,
        "gateway": 1000 * statistics.median(seconds),
        "SDK": None,
        "times better": None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2000, help="whole answers per load and round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    rows = measure(options.calls, options.rounds)
    columns = ("answers", "clients", "figure", *WAYS, "times better")
    print(tabulate([[row.get(name) for name in columns] for row in rows], headers=columns, floatfmt=".3g"))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
