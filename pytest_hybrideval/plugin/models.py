"""The models of a session: how a backend is made, what is put around it, and who is asked before the first trial."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_hybrideval.core.domain import ModelInfo, ModelRef, Tier
from pytest_hybrideval.core.errors import BackendError
from pytest_hybrideval.core.protocols import Backend, strategy_embeds, strategy_models
from pytest_hybrideval.plugin.state import State

if TYPE_CHECKING:
    from pytest_hybrideval.gateway import Slots
    from pytest_hybrideval.gateway.budget import Budget

SIMULATED = "simulated"


def make_backend(state: State, ref: ModelRef, tier: Tier) -> Backend:
    """The backend of a model, and around it, from the inside: guards, the cassettes, injected faults.

    Guards stand inside the cassettes, so that an answer that was cut is replayed as the agent got it. Raises
    `ConfigurationError` where a key or the like is missing; with cassettes only once a call is to go live.
    """
    from pytest_hybrideval.backends.guarded import GuardedBackend, Guards
    from pytest_hybrideval.backends.injected import injected, parse_faults
    from pytest_hybrideval.backends.recorded import RecordedBackend

    def live() -> Backend:
        backend = state.registry.backend(ref, tier, state.settings.tier(tier).base_url)
        return backend if backend.simulated else GuardedBackend(backend, Guards(seconds=state.settings.call_timeout))

    backend = live() if state.cassettes is None else RecordedBackend(ref, state.cassettes, live)
    spec = state.settings.inject
    return injected(backend, tier, parse_faults(spec) if spec else None)


def make_slots(state: State, ref: ModelRef, tier: Tier) -> Slots | None:
    """How many calls of a model go on at a time; None for any number, as for an embedded one (every process has it)."""
    from pytest_hybrideval.gateway import Slots

    chosen = state.settings.tier(tier)
    if chosen.slots is None or ref.provider == SIMULATED or state.settings.record == "none":
        return None
    return Slots(f"{ref} at {chosen.base_url}", chosen.slots)


def make_budget(state: State) -> Budget | None:
    """The run's ledger, None where nothing limits what may be spent."""
    from pytest_hybrideval.gateway.budget import Budget, Limits

    limits = Limits(state.settings.max_cost, state.settings.max_trial_cost)
    if limits == Limits() or state.settings.record == "none":  # a replay spends nothing
        return None
    state.run_directory.mkdir(parents=True, exist_ok=True)
    return Budget(state.run_directory / "budget.sqlite", limits, state.prices.price)


def ask_all(state: State) -> dict[str, ModelInfo]:
    """Ask every model that a trial may use who it is, before anything runs: `TIER PROVIDER/NAME` -> what it said.

    Raises `pytest.UsageError` for the first that would not answer, or whose context is shorter than what is asked for.
    """
    return asyncio.run(_ask_all(state))


async def _ask_all(state: State) -> dict[str, ModelInfo]:
    found: dict[str, ModelInfo] = {}
    for tier, ref in dict.fromkeys(_models(state)):
        backend = make_backend(state, ref, tier)
        try:
            found[f"{tier.value} {ref}"] = info = await backend.describe()
        except BackendError as error:
            raise pytest.UsageError(f"the {tier.value} model {ref} would not answer: {error}") from None
        finally:
            await backend.aclose()
        chats = ref.provider == "ollama" and ref != state.settings.embedding_model  # an embedding sends no num_ctx
        asked = state.settings.tier(tier).num_ctx if chats else None
        if asked and info.context_length and asked > info.context_length:
            raise pytest.UsageError(
                f"--hybrid-num-ctx {asked} is more than {ref} takes: {info.context_length} tokens; lower it"
            )
    return found


def _models(state: State) -> Iterator[tuple[Tier, ModelRef]]:
    for variant in state.variants:
        factory = state.registry.strategy(variant.strategy)
        yield from ((tier, variant.model(tier)) for tier in sorted(variant.tiers))
        yield from strategy_models(factory)
        if strategy_embeds(factory) and state.settings.embedding_model:
            yield Tier.LOCAL, state.settings.embedding_model
