"""The fixtures of a trial. Each can be overridden in a conftest: another agent, another scorer, a router of one's own.

Imports stand inside: this module is loaded in every session, also in those without trials.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pytest_hybrideval.core.domain import Tier, Trial
from pytest_hybrideval.core.protocols import Agent, Scorer, strategy_embeds, strategy_models
from pytest_hybrideval.plugin.state import state_of

if TYPE_CHECKING:
    from pytest_hybrideval.gateway import Gateway, RouterSession
    from pytest_hybrideval.plugin.recording import TrialRecorder


@pytest.fixture(scope="session")
def hybrid_gateway(pytestconfig: pytest.Config) -> Iterator[Gateway]:
    """The gateway of this process, on a free loopback port."""
    from pytest_hybrideval.gateway import Gateway
    from pytest_hybrideval.plugin import models
    from pytest_hybrideval.plugin.preflight import PREFLIGHT, Preflight

    state = state_of(pytestconfig)
    gateway = Gateway(
        partial(models.make_backend, state),
        state.settings.retries,
        partial(models.make_slots, state),
        state.settings.embedding_model,
        models.make_budget(state),
    )
    gateway.start()
    pytestconfig.stash[PREFLIGHT] = Preflight(gateway)
    yield gateway
    gateway.stop()


@pytest.fixture
def trial(request: pytest.FixtureRequest) -> Trial:
    """What to run: the task under one variant."""
    node: Any = request.node
    found: Trial = node.trial
    return found


@pytest.fixture
def router(trial: Trial, hybrid_gateway: Gateway, pytestconfig: pytest.Config) -> Iterator[RouterSession]:
    """The trial's session at the gateway: base URL, key, strategy, ledger. Its key dies with the trial."""
    from pytest_hybrideval.plugin.preflight import PREFLIGHT
    from pytest_hybrideval.strategies.naming import make_strategy
    from pytest_hybrideval.trial import sampling

    state = state_of(pytestconfig)
    preflight, factory = pytestconfig.stash[PREFLIGHT], state.registry.strategy(trial.variant.strategy)
    strategy = make_strategy(factory, trial.variant.strategy)
    for tier in sorted(trial.variant.tiers):
        preflight.check(trial.variant.model(tier), tier)
    for tier, model in strategy_models(factory):
        preflight.check(model, tier)
    if strategy_embeds(factory) and state.settings.embedding_model:
        preflight.check(state.settings.embedding_model, Tier.LOCAL)
    if hybrid_gateway.budget is not None and hybrid_gateway.budget.used_up:
        pytest.skip(f"the budget of {state.settings.max_cost:g} USD is used up; --hybrid-resume goes on with the run")
    session = hybrid_gateway.open(trial, strategy, sampling(state.settings, trial))
    yield session
    hybrid_gateway.close(session)


@pytest.fixture(scope="session")
def agent(pytestconfig: pytest.Config) -> Iterator[Agent]:
    """The coding tool: aider in the chosen format. It warms up since collection began."""
    aider = state_of(pytestconfig).aider
    yield aider
    aider.stop()


@pytest.fixture(scope="session")
def scorer(pytestconfig: pytest.Config) -> Iterator[Scorer]:
    """The hidden tests in the chosen sandbox, forked from a warm runner where that is possible."""
    from pytest_hybrideval.sandbox.choice import choose
    from pytest_hybrideval.scoring.hidden_tests import HiddenTestScorer
    from pytest_hybrideval.scoring.limits import Limits
    from pytest_hybrideval.scoring.warm import choose_warm

    settings = state_of(pytestconfig).settings
    warm = choose_warm(settings.sandbox, sys.executable) if settings.scoring_warm else None
    if warm:
        warm.start()
    cache: Any = getattr(pytestconfig, "cache", None)
    folder = cache.mkdir("hybrideval") if cache is not None else None
    yield HiddenTestScorer(warm or choose(settings.sandbox), Limits(), folder)
    if warm:
        warm.stop()


@pytest.fixture
def trial_recorder(request: pytest.FixtureRequest, hybrid_gateway: Gateway) -> TrialRecorder:
    """Runs the trial and keeps its record for the report."""
    from pytest_hybrideval.plugin.recording import TrialRecorder

    state = state_of(request.config)
    return TrialRecorder(request.node, state.settings, hybrid_gateway, state.run_directory)
