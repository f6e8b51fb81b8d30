"""What tokens cost, and that a price which is not known is an error."""

from __future__ import annotations

from typing import Any

import pytest
from builders import make_record
from hypothesis import given
from hypothesis import strategies as st

from pytest_hybrideval.core.domain import ModelRef, Tier
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.pricing import FREE, Price, PriceList, parse_model, price_list
from pytest_hybrideval.core.records import TierTokens

PRICES = PriceList({"gpt-5.5": Price(5.0, 30.0, 0.5), "big/one:x": Price(1.0, 2.0, 1.0)}, "a test")
CLOUD = TierTokens(calls=2, prompt=1_000_000, completion=100_000, cached=400_000, reasoning=50_000)


def test_a_cost_is_tokens_times_dollars_per_million() -> None:
    # 600,000 fresh at 5.00, 400,000 cached at .50, 100,000 written at 30.00; reasoning is part of what is written.
    assert PRICES.prices["gpt-5.5"].cost(CLOUD) == pytest.approx(3.0 + 0.2 + 3.0)


def test_no_tokens_cost_nothing() -> None:
    assert PRICES.prices["gpt-5.5"].cost(TierTokens()) == 0


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_cached_tokens_never_make_a_call_dearer(prompt: int, cached: int, completion: int) -> None:
    cached = min(cached, prompt)
    price = Price(5.0, 30.0, 0.5)
    full = price.cost(TierTokens(prompt=prompt, completion=completion))
    assert 0 <= price.cost(TierTokens(prompt=prompt, completion=completion, cached=cached)) <= full * (1 + 1e-12)


def test_a_trial_costs_what_its_cloud_calls_cost_the_strategys_own_included() -> None:
    one = make_record(tokens={Tier.CLOUD: CLOUD, Tier.LOCAL: CLOUD})
    both = make_record(tokens={Tier.CLOUD: CLOUD}, overhead={Tier.CLOUD: CLOUD})
    assert PRICES.cost(one) == pytest.approx(6.2)
    assert PRICES.cost(both) == pytest.approx(12.4)


def test_local_tokens_are_free_whatever_the_model() -> None:
    record = make_record(tokens={Tier.LOCAL: CLOUD}, overhead={Tier.LOCAL: CLOUD}, local_model="ollama/unpriced")
    assert PRICES.cost(record) == 0
    assert PRICES.price(ModelRef("openai", "gpt-5.5"), Tier.LOCAL) == FREE


def test_an_hour_of_local_models_costs_what_it_is_said_to() -> None:
    priced = PRICES.with_local(0.5)
    record = make_record(tokens={Tier.LOCAL: CLOUD, Tier.CLOUD: CLOUD}, local_seconds=720.0)
    assert priced.cost(record) == pytest.approx(6.2 + 0.1)
    assert "local models 0.5 USD per busy hour" in priced.source
    assert PRICES.with_local(0.0) == PRICES


def test_local_time_that_is_not_known_is_not_free() -> None:
    old = make_record(tokens={Tier.LOCAL: CLOUD}, local_seconds=None)
    with pytest.raises(ConfigurationError, match="does not say how long local models took"):
        PRICES.with_local(0.5).cost(old)
    assert PRICES.with_local(0.5).cost(make_record(tokens={Tier.CLOUD: CLOUD}, local_seconds=None)) == pytest.approx(
        6.2
    )


def test_a_cloud_model_without_a_price_is_an_error_that_says_what_to_do() -> None:
    record = make_record(cloud_model="openai/gpt-9")
    with pytest.raises(ConfigurationError, match=r"no price for cloud model 'gpt-9' .*gpt-5\.5.*--hybrid-pricing FILE"):
        PRICES.cost(record)


def test_a_cloud_model_that_was_never_called_needs_no_price() -> None:
    assert PRICES.cost(make_record(cloud_model="openai/gpt-9", tokens={Tier.LOCAL: CLOUD})) == 0


def test_a_price_belongs_to_the_model_at_whatever_provider() -> None:
    assert PRICES.price(ModelRef("simulated", "gpt-5.5"), Tier.CLOUD).prompt == 5.0
    assert PRICES.price(ModelRef("openai", "big/one:x"), Tier.CLOUD).prompt == 1.0


@pytest.mark.parametrize(
    ("text", "provider", "name"),
    [
        ("ollama/gemma4:31b", "ollama", "gemma4:31b"),
        ("openai/org/model", "openai", "org/model"),
        ("simulated/gpt-5.5", "simulated", "gpt-5.5"),
    ],
)
def test_a_model_is_provider_and_name(text: str, provider: str, name: str) -> None:
    assert parse_model(text) == ModelRef(provider, name)
    assert str(parse_model(text)) == text


@pytest.mark.parametrize("text", ["", "/", "gpt-5.5", "openai/", "/gpt-5.5"])
def test_what_is_no_provider_and_name_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not PROVIDER/NAME, for example"):
        parse_model(text)


def test_a_price_list_is_read_from_its_document() -> None:
    document = {"models": {"a": {"prompt": 1, "completion": 2.5, "cached": 0}, "b": {"prompt": 3, "completion": 4}}}
    prices = price_list(document, "mine")
    assert prices.prices == {"a": Price(1, 2.5, 0), "b": Price(3, 4, 3)}
    assert prices.source == "mine"


def test_a_price_of_zero_is_a_price() -> None:
    prices = price_list({"models": {"free": {"prompt": 0, "completion": 0}}}, "mine")
    assert prices.price(ModelRef("openai", "free"), Tier.CLOUD) == FREE


@pytest.mark.parametrize("document", [None, [], "models", {}, {"models": None}, {"models": []}, {"prices": {}}])
def test_a_document_without_models_is_refused(document: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^mine: 'models' must map"):
        price_list(document, "mine")


@pytest.mark.parametrize(
    "fields", [None, 5, {}, {"prompt": 1}, {"completion": 1}, {"prompt": 1, "completion": 2, "output": 3}]
)
def test_a_model_without_its_two_prices_is_refused_by_name(fields: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^mine: models\.gpt: needs 'prompt' and 'completion'"):
        price_list({"models": {"gpt": fields}}, "mine")


@pytest.mark.parametrize("value", [-1, -0.01, "5", None, True, [1], float("nan"), float("inf")])
@pytest.mark.parametrize("field", ["prompt", "completion", "cached"])
def test_what_is_no_price_is_refused_by_field(field: str, value: Any) -> None:
    fields = {"prompt": 1, "completion": 2, "cached": 0.5, field: value}
    with pytest.raises(ConfigurationError, match=rf"^mine: models\.gpt\.{field}: .* is not a price"):
        price_list({"models": {"gpt": fields}}, "mine")
