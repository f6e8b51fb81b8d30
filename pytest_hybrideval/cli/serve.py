"""`hybrideval serve`: the router that was measured, for everyday use."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pytest_hybrideval.cli.router import Choice, Composed
    from pytest_hybrideval.core.domain import ModelRef
    from pytest_hybrideval.core.settings import TierSettings

KEY = "HYBRIDEVAL_SERVE_KEY"
_THINK = {"on": True, "off": False, "model": None}

Model = Annotated[str | None, typer.Option(metavar="PROVIDER/NAME", help="A model, such as ollama/gemma4:31b.")]
Url = Annotated[str | None, typer.Option(metavar="URL", help="Where that tier's model is served.")]
Count = Annotated[int | None, typer.Option(metavar="N", min=1, help="Calls of that model at a time.")]
File = Annotated[Path | None, typer.Option(metavar="FILE", help="See docs/strategies.md.")]


def serve_command(
    strategy: Annotated[str, typer.Option(metavar="NAME", help="A packaged strategy, or module:Class.")],
    local_model: Model = None,
    cloud_model: Model = None,
    threshold: Annotated[float | None, typer.Option(metavar="T", help="The strategy's threshold.")] = None,
    local_base_url: Url = None,
    cloud_base_url: Url = None,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="0 takes a free one.")] = 8000,
    local_slots: Count = None,
    cloud_slots: Count = None,
    retries: Annotated[int, typer.Option(metavar="N", min=0, help="How often a failed call is tried again.")] = 4,
    num_ctx: Annotated[int, typer.Option(metavar="N", min=1, help="Context length of Ollama models.")] = 16384,
    think: Annotated[str, typer.Option(metavar="on|off|model", help="Thinking of Ollama models.")] = "model",
    keep_alive: Annotated[str, typer.Option(metavar="TIME", help="How long Ollama keeps models loaded.")] = "30m",
    embedding_model: Model = None,
    knn_k: Annotated[int, typer.Option(metavar="K", min=1, help="See docs/strategies.md.")] = 5,
    knn_corpus: File = None,
    task_models: File = None,
    url_tiers: Annotated[str, typer.Option(metavar="PATTERN=TIER,...", help="Whose answers count as what.")] = "",
    pricing: Annotated[Path | None, typer.Option(metavar="FILE", help="YAML file of prices.")] = None,
    grace: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="What running requests get to finish.")] = 30,
) -> None:
    """Serve a router to any OpenAI client: the same strategy, the same gateway as in trials.

    Clients use the printed URL as base URL, any model name, and the key in HYBRIDEVAL_SERVE_KEY; without that variable
    any key will do, and only this machine is served. /metrics is for Prometheus. SIGINT or SIGTERM stops it gracefully,
    a second one at once.

    Example:
      hybrideval serve --strategy heuristic --local-model ollama/gemma4:31b --cloud-model openai/gpt-5.5
    """
    from pytest_hybrideval.cli.router import Choice
    from pytest_hybrideval.core.domain import Tier
    from pytest_hybrideval.core.errors import ConfigurationError
    from pytest_hybrideval.core.settings import StrategyOptions
    from pytest_hybrideval.gateway.serving import is_loopback
    from pytest_hybrideval.strategies.url import parse_tiers

    key = os.environ.get(KEY, "").strip()
    if not key and not is_loopback(host):
        raise ConfigurationError(f"others can reach {host}: set {KEY} to the key that clients must send")
    if think not in _THINK:
        raise ConfigurationError(f"--think {think}: must be one of {', '.join(_THINK)}")
    if threshold is not None and not math.isfinite(threshold):
        raise ConfigurationError(f"--threshold {threshold}: must be a finite number")
    sys.path.insert(0, str(Path.cwd()))  # where `module:Class` may lie; a script's own path has it not
    choice = Choice(
        strategy=strategy,
        tiers={
            tier: _tier(model, url, slots).with_ollama(num_ctx=num_ctx, think=_THINK[think], keep_alive=keep_alive)
            for tier, model, url, slots in (
                (Tier.LOCAL, local_model, local_base_url, local_slots),
                (Tier.CLOUD, cloud_model, cloud_base_url, cloud_slots),
            )
        },
        threshold=threshold,
        retries=retries,
        embedding_model=_model(embedding_model),
        options=StrategyOptions(
            knn_k=knn_k,
            knn_corpus=knn_corpus,
            task_models=task_models,
            url_tiers=parse_tiers(url_tiers) if url_tiers else (),
        ),
        pricing_file=pricing,
        key=key or None,
    )
    asyncio.run(_serve(choice, host, port, grace))


def _model(text: str | None) -> ModelRef | None:
    from pytest_hybrideval.core.pricing import parse_model

    return None if text is None else parse_model(text)


def _tier(text: str | None, base_url: str | None, slots: int | None) -> TierSettings:
    from pytest_hybrideval.core.settings import TierSettings

    model = _model(text)
    return TierSettings(models=() if model is None else (model,), base_url=base_url, slots=slots)


async def _serve(choice: Choice, host: str, port: int, grace: float) -> None:
    from pytest_hybrideval.cli.router import compose
    from pytest_hybrideval.core.errors import ConfigurationError

    composed = compose(choice)
    server = composed.server
    started = False
    try:
        await _preflight(composed, choice)
        try:
            await server.start(host, port)
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen at {host} port {port}: {_cause(error)}; see --host, --port"
            ) from None
        started = True
        stop = _on_signals()
        keys = f"the key in {KEY}" if choice.key else "any key, from this machine only"
        _say(f"serving at {server.url} (model name: any; key: {keys})")
        await stop.wait()
        _say(f"stopping: {server.under_way} requests under way have {grace:g} s; a second signal ends at once")
    finally:
        await server.stop(grace if started else 0)


async def _preflight(composed: Composed, choice: Choice) -> None:
    """Ask each model who it is, and say so. Raises `BackendError` where one would not answer."""
    from pytest_hybrideval.cli.router import described, price_of
    from pytest_hybrideval.core.errors import ConfigurationError

    level = "" if composed.threshold is None else f", threshold {composed.threshold:g}"
    _say(f"strategy {choice.strategy}{level}")
    for tier, model in composed.models:
        info = await composed.pool.backend(model, tier).describe()
        context = choice.tiers[tier].num_ctx if model.provider == "ollama" else None
        if context and info.context_length and context > info.context_length:
            raise ConfigurationError(f"--num-ctx {context} is more than {model} takes: {info.context_length} tokens")
        _say(described(tier, info, context, price_of(composed.prices, model, tier)))
    _say(f"prices {composed.prices.source}")


def _on_signals() -> asyncio.Event:
    """Set by the first SIGINT or SIGTERM; from then on they do what they do to any process: end it."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def first() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in numbers:
        loop.add_signal_handler(number, first)
    return stop


def _cause(error: OSError) -> str:
    import errno

    known = {
        errno.EADDRINUSE: "the port is in use",
        errno.EACCES: "not permitted",
        errno.EADDRNOTAVAIL: "no such address",
    }
    return known.get(error.errno or 0, str(error))


def _say(line: str) -> None:
    typer.echo(line)
