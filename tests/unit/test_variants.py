"""The axes multiplied: which variants there are, and ids that people can read and pytest can tell apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hybrideval.backends import simulated_backend
from pytest_hybrideval.core.domain import ModelRef, Variant
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.pricing import parse_model
from pytest_hybrideval.core.settings import Settings, TierSettings
from pytest_hybrideval.plugin.matrix import variants
from pytest_hybrideval.plugin.registry import Registry
from pytest_hybrideval.strategies import BUILTIN

LOCAL, CLOUD = "ollama/gemma4:31b", "openai/gpt-5.5"


class Offers:
    """What pytest's configuration gives the registry: the plugins' answers to our hooks."""

    hook = property(lambda self: self)

    def pytest_hybrideval_strategies(self) -> list[Any]:
        return [BUILTIN]

    def pytest_hybrideval_backends(self) -> list[Any]:
        return [dict.fromkeys(("simulated", "ollama", "openai"), simulated_backend)]


REGISTRY = Registry(cast(pytest.Config, Offers()))
NOTHING = Settings(
    strategies=("heuristic",),
    thresholds=(),
    seeds=(42,),
    local=TierSettings((parse_model(LOCAL),)),
    cloud=TierSettings((parse_model(CLOUD),)),
    aider_format="architect",
    aider_path=None,
    aider_warm=True,
    scoring_warm=True,
    agent_timeout=None,
    sandbox="auto",
    results_dir=Path("results"),
    run_id="x",
    pricing_file=None,
    retries=4,
)


def models(*names: str) -> TierSettings:
    return TierSettings(tuple(map(parse_model, names)))


def made(**changes: Any) -> tuple[Variant, ...]:
    return variants(replace(NOTHING, **changes), REGISTRY)


def ids(**changes: Any) -> list[str]:
    return [variant.id for variant in made(**changes)]


def test_one_of_everything_is_one_variant() -> None:
    (variant,) = made(seeds=(7,))
    assert variant == Variant(
        "heuristic", 25.0, 7, ModelRef("ollama", "gemma4:31b"), ModelRef("openai", "gpt-5.5"), "heuristic-t25-s7"
    )


def test_without_thresholds_each_strategy_has_its_own() -> None:
    assert ids(strategies=("always-cloud", "always-local", "heuristic", "cascade")) == [
        "always-cloud-s42",
        "always-local-s42",
        "heuristic-t25-s42",
        "cascade-t15-s42",
    ]


def test_thresholds_multiply_only_the_strategies_that_take_one() -> None:
    found = made(strategies=("always-cloud", "cascade"), thresholds=(5.0, 12.5), seeds=(1, 2))
    assert [(v.strategy, v.threshold, v.seed) for v in found] == [
        ("always-cloud", None, 1),
        ("always-cloud", None, 2),
        ("cascade", 5.0, 1),
        ("cascade", 5.0, 2),
        ("cascade", 12.5, 1),
        ("cascade", 12.5, 2),
    ]
    assert [v.id for v in found if v.seed == 1] == ["always-cloud-s1", "cascade-t5-s1", "cascade-t12.5-s1"]


def test_a_threshold_of_zero_is_a_threshold() -> None:
    (variant,) = made(thresholds=(0.0,))
    assert (variant.threshold, variant.id) == (0.0, "heuristic-t0-s42")


def test_every_local_model_meets_every_cloud_model() -> None:
    found = made(local=models("ollama/a", "ollama/b"), cloud=models("openai/x", "openai/y"))
    assert [(str(v.local), str(v.cloud)) for v in found] == [
        ("ollama/a", "openai/x"),
        ("ollama/a", "openai/y"),
        ("ollama/b", "openai/x"),
        ("ollama/b", "openai/y"),
    ]
    assert [v.id for v in found] == [f"heuristic-t25-{pair}-s42" for pair in ("a+x", "a+y", "b+x", "b+y")]


def test_an_id_names_models_only_of_the_tier_that_has_several() -> None:
    assert ids(local=models("ollama/gemma4:31b", "ollama/qwen3-coder:30b")) == [
        "heuristic-t25-gemma4:31b-s42",
        "heuristic-t25-qwen3-coder:30b-s42",
    ]
    assert ids(cloud=models("openai/org/x", "openai/y")) == ["heuristic-t25-org_x-s42", "heuristic-t25-y-s42"]


@pytest.mark.parametrize("field", ["local", "cloud"])
def test_models_of_one_name_at_two_providers_have_two_ids(field: str) -> None:
    found = ids(**{field: models("ollama/gemma4:31b", "openai/gemma4:31b")})
    assert len(set(found)) == 2


def test_models_whose_names_differ_by_a_slash_have_two_ids() -> None:
    assert len(set(ids(cloud=models("openai/org/x", "openai/org_x")))) == 2


def test_thresholds_that_are_close_have_two_ids() -> None:
    assert len(set(ids(thresholds=(0.1234561, 0.1234562)))) == 2


def test_strategies_of_one_path_have_two_ids() -> None:
    found = ids(strategies=("pytest_hybrideval.strategies.heuristic:Heuristic", "heuristic"))
    assert len(set(found)) == 2


def test_a_strategy_named_by_its_path_has_an_id_without_colons() -> None:
    (variant,) = made(strategies=("pytest_hybrideval.strategies.cascade:Cascade",))
    assert variant.id == "pytest_hybrideval.strategies.cascade.Cascade-t15-s42"
    assert variant.strategy == "pytest_hybrideval.strategies.cascade:Cascade"


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.sampled_from(["always-cloud", "always-local", "cascade", "heuristic"]), min_size=1, unique=True),
    st.lists(st.floats(-1e6, 1e6), max_size=4, unique=True),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=4, unique=True),
)
def test_all_variants_of_a_run_have_different_ids(
    strategies: list[str], thresholds: list[float], seeds: list[int]
) -> None:
    takers = [name for name in strategies if not name.startswith("always")]
    chosen = tuple(thresholds) if takers else ()
    found = made(strategies=tuple(strategies), thresholds=chosen, seeds=tuple(seeds))
    assert len({variant.id for variant in found}) == len(found)
    points = len(strategies) - len(takers) + len(takers) * (len(chosen) or 1)
    assert len(found) == points * len(seeds)


def test_seeds_are_innermost_so_that_a_point_is_finished_before_the_next() -> None:
    found = made(strategies=("cascade", "heuristic"), seeds=(3, 1, 2))
    assert [v.seed for v in found] == [3, 1, 2, 3, 1, 2]


def test_thresholds_that_nobody_takes_are_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        made(strategies=("always-cloud", "always-local"), thresholds=(5.0,))
    text = str(caught.value)
    assert text.startswith("--thresholds: ")
    for name in ("always-cloud", "always-local", "heuristic", "cascade"):
        assert name in text


@pytest.mark.parametrize(("name", "hint"), [("cascad", "did you mean 'cascade'?"), ("zzz", "heuristic, cascade")])
def test_an_unknown_strategy_is_refused_and_never_replaced(name: str, hint: str) -> None:
    with pytest.raises(ConfigurationError, match=f"unknown strategy '{name}'") as caught:
        made(strategies=("heuristic", name))
    assert hint in str(caught.value)


@pytest.mark.parametrize("field", ["local", "cloud"])
def test_an_unknown_provider_is_refused_and_never_replaced(field: str) -> None:
    with pytest.raises(ConfigurationError, match=r"unknown provider 'olama'; did you mean 'ollama'\?"):
        made(**{field: models("olama/gemma4:31b")})


def test_an_argument_that_a_strategy_does_not_take_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="strategy 'heuristic' takes no argument"):
        made(strategies=("heuristic:",))


@pytest.mark.parametrize("path", ["no_such_module:Router", "json:Router", "json:dumps"])
def test_a_path_that_leads_to_no_strategy_is_refused_by_name(path: str) -> None:
    with pytest.raises(ConfigurationError, match=f"strategy '{path}' "):
        made(strategies=(path,))
