"""What a call that came to nothing costs: nothing, where it was certainly not answered; else all it may have cost."""

from __future__ import annotations

import contextlib
from pathlib import Path

import httpx
import pytest

from pytest_hybrideval.core.domain import ModelRef, Tier
from pytest_hybrideval.core.errors import BackendError, BackendUnavailable, StreamBroken
from pytest_hybrideval.core.pricing import Price
from pytest_hybrideval.gateway import Gateway
from pytest_hybrideval.gateway.budget import Budget, Limits
from pytest_hybrideval.testing import ScriptedBackend, ScriptedStrategy, make_sampling, make_trial


def price(ref: ModelRef, tier: Tier) -> Price:
    return Price(prompt=5.0, completion=30.0, cached=0.5)


@pytest.mark.parametrize(
    ("fault", "costs"),
    [
        (BackendUnavailable("it refused the connection"), False),
        (BackendError("it wants no such field", status=422), False),
        (StreamBroken("it ended in the middle"), True),
    ],
)
def test_only_what_may_have_been_answered_stays_reserved(tmp_path: Path, fault: BackendError, costs: bool) -> None:
    backend = ScriptedBackend(fault)
    budget = Budget(tmp_path / "budget.sqlite", Limits(run=10.0), price)
    gateway = Gateway(lambda ref, tier: backend, budget=budget)
    gateway.start()
    try:
        session = gateway.open(make_trial(), ScriptedStrategy(), dict.fromkeys(Tier, make_sampling(max_tokens=1000)))
        with httpx.Client(trust_env=False) as client, contextlib.suppress(httpx.HTTPError):
            client.post(
                f"{session.base_url}/chat/completions",
                headers={"Authorization": f"Bearer {session.key}"},
                json={"model": "hybrid", "messages": [{"role": "user", "content": "Hello"}]},
            )
        assert len(session.ledger.calls) == 1
        assert (budget.spent > 0) is costs
    finally:
        gateway.stop()
