"""What is reserved and spent never passes the limit, whoever asks at the same time and however they end."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_hybrideval.core.domain import ModelRef, Tier, Usage
from pytest_hybrideval.core.errors import BudgetExceeded, ConfigurationError
from pytest_hybrideval.core.pricing import FREE, Price
from pytest_hybrideval.gateway.budget import Budget, Limits
from pytest_hybrideval.testing import make_backend_call

CLOUD = ModelRef("openai", "gpt-5.5")
PRICE = Price(prompt=5.0, completion=30.0, cached=0.5)
CALL = make_backend_call(max_tokens=1000)  # at most .03 USD for its answer, and less than .001 for its request


def price(ref: ModelRef, tier: Tier) -> Price:
    return PRICE if tier is Tier.CLOUD else FREE


def budget(folder: Path, run: float | None = None, trial: float | None = None) -> Budget:
    return Budget(folder / "budget.sqlite", Limits(run, trial), price)


def reserve(ledger: Budget, trial: str = "a") -> int:
    number = ledger.reserve(trial, CLOUD, Tier.CLOUD, CALL)
    assert number is not None
    return number


def test_a_call_that_could_pass_the_limit_is_refused_and_nothing_is_spent(tmp_path: Path) -> None:
    ledger = budget(tmp_path, run=0.02)
    with pytest.raises(
        BudgetExceeded, match=r"can cost 0\.03\d+ USD was not sent: 0\.0000 .* of the 0\.02 USD of the run"
    ):
        reserve(ledger)
    assert ledger.spent == 0.0
    assert ledger.used_up


def test_what_a_call_did_cost_replaces_what_it_could_have(tmp_path: Path) -> None:
    ledger = budget(tmp_path, run=0.05)
    number = reserve(ledger)
    assert 0.03 < ledger.spent < 0.031
    with pytest.raises(BudgetExceeded):
        reserve(ledger)
    ledger.settle(number, CLOUD, Tier.CLOUD, Usage(prompt=1000, completion=100, cached=400))
    assert ledger.spent == pytest.approx((600 * 5 + 400 * 0.5 + 100 * 30) / 1e6)
    assert reserve(ledger)


def test_unknown_tokens_count_in_full(tmp_path: Path) -> None:
    ledger = budget(tmp_path, run=1.0)
    number = reserve(ledger)
    before = ledger.spent
    ledger.settle(number, CLOUD, Tier.CLOUD, Usage(prompt=1000))
    assert ledger.spent == before


def test_a_released_reservation_costs_nothing(tmp_path: Path) -> None:
    ledger = budget(tmp_path, run=1.0)
    number = reserve(ledger)
    ledger.release(number)
    ledger.settle(number, CLOUD, Tier.CLOUD, Usage())
    assert ledger.spent == 0.0


def test_a_trials_limit_stops_that_trial_alone(tmp_path: Path) -> None:
    ledger = budget(tmp_path, trial=0.05)
    reserve(ledger, "greedy")
    with pytest.raises(BudgetExceeded, match="of the trial"):
        reserve(ledger, "greedy")
    assert reserve(ledger, "another")
    assert not ledger.used_up


def test_free_models_need_no_reservation(tmp_path: Path) -> None:
    assert budget(tmp_path, run=0.0).reserve("a", ModelRef("ollama", "small"), Tier.LOCAL, CALL) is None


def test_it_outlives_the_process_that_made_it(tmp_path: Path) -> None:
    first = budget(tmp_path, run=0.05)
    reserve(first)
    first.close()
    first.close()
    with pytest.raises(BudgetExceeded):
        reserve(budget(tmp_path, run=0.05))


def test_a_resumed_run_may_go_on_with_a_higher_limit(tmp_path: Path) -> None:
    with pytest.raises(BudgetExceeded):
        reserve(budget(tmp_path, run=0.001))
    again = budget(tmp_path, run=1.0)
    assert again.used_up
    again.go_on()
    assert not again.used_up
    assert reserve(again)


def test_a_ledger_that_is_none_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "budget.sqlite").write_text("not a database, and long enough to be read as one" * 50)
    with pytest.raises(ConfigurationError, match=r"budget\.sqlite, cannot be used: file is not a database"):
        budget(tmp_path, run=1.0)


def _spend(folder: Path, go: object, spent: object) -> None:
    go.wait(60)  # type: ignore[attr-defined]
    ledger, actual = budget(folder, run=2.0), 0.0
    for _ in range(200):
        try:
            number = reserve(ledger)
        except BudgetExceeded:
            break
        usage = Usage(prompt=50, completion=900)
        ledger.settle(number, CLOUD, Tier.CLOUD, usage)
        actual += (50 * 5 + 900 * 30) / 1e6
    spent.put(actual)  # type: ignore[attr-defined]


def test_four_processes_never_pass_the_limit_together(tmp_path: Path) -> None:
    budget(tmp_path, run=2.0).close()
    start = multiprocessing.get_context("spawn")
    go, spent = start.Barrier(4), start.Queue()
    workers = [start.Process(target=_spend, args=(tmp_path, go, spent)) for _ in range(4)]
    for worker in workers:
        worker.start()
    parts = [spent.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join(30)
    assert sum(parts) <= 2.0
    assert budget(tmp_path, run=2.0).spent == pytest.approx(sum(parts))


@given(text=st.text(max_size=200), limit=st.integers(1, 5000))
def test_a_reservation_is_never_less_than_any_tokenizer_could_cost(text: str, limit: int) -> None:
    call = make_backend_call({"messages": [{"role": "user", "content": text}]}, max_tokens=limit)
    ledger = Budget(Path(":memory:"), Limits(), price)
    ledger.reserve("a", CLOUD, Tier.CLOUD, call)
    worst = (len(text.encode()) * 5 + limit * 30) / 1e6
    assert ledger.spent >= worst
    ledger.close()
