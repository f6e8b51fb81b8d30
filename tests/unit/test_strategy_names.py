"""Names of strategies: plain, with an argument, and paths; what each stands for, and the ids of their trials."""

from __future__ import annotations

import random as stdlib_random
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest
from test_variants import NOTHING, models

from pytest_hybrideval.backends import simulated_backend
from pytest_hybrideval.core.domain import ChatRequest, Decision, ModelRef, Tier
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.pricing import parse_model
from pytest_hybrideval.core.protocols import RoutingContext, StrategyFactory
from pytest_hybrideval.core.settings import StrategyOptions, default_embedding_model
from pytest_hybrideval.plugin.matrix import variants
from pytest_hybrideval.plugin.registry import Registry
from pytest_hybrideval.strategies import BUILTIN
from pytest_hybrideval.strategies.random import Random
from pytest_hybrideval.strategies.rules import Rules

SIMULATED = models("simulated/gemma4:31b")


class Tuned:
    """A strategy with an argument, as a user writes one."""

    name = "tuned"
    default_threshold = 3.0
    made = 0

    def __init__(self, level: str = "") -> None:
        self.level = level

    @classmethod
    def configured(cls, options: StrategyOptions, argument: str) -> StrategyFactory:
        cls.made += 1
        if argument == "bug":
            raise LookupError("no such level")
        return partial(cls, argument)

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        return Decision(Tier.LOCAL, self.level)


class Offers:
    """What pytest's configuration gives the registry: the plugins' answers to our hooks."""

    hook = property(lambda self: self)

    def pytest_hybrideval_strategies(self) -> list[Any]:
        return [{**BUILTIN, "tuned": Tuned}]

    def pytest_hybrideval_backends(self) -> list[Any]:
        return [dict.fromkeys(("simulated", "ollama", "openai"), simulated_backend)]


def registry(options: StrategyOptions | None = None) -> Registry:
    return Registry(cast(pytest.Config, Offers()), lambda: options or StrategyOptions())


def refusal(name: str, options: StrategyOptions | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        registry(options).strategy(name)
    return str(caught.value)


@pytest.fixture
def module() -> Iterator[ModuleType]:
    """A module `routers` with the class above."""
    made = sys.modules["routers"] = ModuleType("routers")
    cast(Any, made).Tuned, cast(Any, made).Rules = Tuned, Rules
    yield made
    del sys.modules["routers"]


def test_a_plain_name_is_the_class_itself() -> None:
    assert registry().strategy("rules") is Rules


def test_what_stands_after_the_colon_is_the_argument() -> None:
    assert registry().strategy("random:0.3")().name == "random:0.3"
    assert cast(Any, registry().strategy("tuned:a:b")()).level == "a:b"
    assert cast(Any, registry().strategy("tuned")()).level == ""
    assert cast(Any, registry().strategy("tuned:")()).level == ""


def test_a_path_may_have_an_argument(module: ModuleType) -> None:
    assert cast(Any, registry().strategy("routers:Tuned:high")()).level == "high"
    assert cast(Any, registry().strategy("routers:Tuned")()).level == ""
    assert registry().strategy("routers:Rules") is Rules


def test_a_strategys_name_goes_before_a_module_of_that_name() -> None:
    assert stdlib_random.__name__ == "random"
    assert isinstance(registry().strategy("random:0.5")(), Random)


def test_a_name_is_configured_once() -> None:
    Tuned.made, known = 0, registry()
    assert known.strategy("tuned:a") is known.strategy("tuned:a")
    assert known.strategy("tuned:a") is not known.strategy("tuned:b")
    assert Tuned.made == 2


def test_options_are_read_only_where_they_are_taken() -> None:
    def options() -> StrategyOptions:
        raise AssertionError("nobody takes options")

    assert Registry(cast(pytest.Config, Offers()), options).strategy("rules") is Rules


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("random", "strategy 'random' needs a probability: write random:P"),
        ("random:", "strategy 'random' needs a probability"),
        ("random:often", "strategy 'random': 'often' is no probability"),
        ("randm:0.3", "strategy 'randm:0.3' cannot be imported"),
        ("randm:0.3", "did you mean 'random'?"),
        ("rules:5", "strategy 'rules' takes no argument"),
        ("heuristic:", "strategy 'heuristic' takes no argument"),
        ("embedding-knn:7", "takes no argument; --hybrid-knn-k"),
        ("task-aware", "needs --hybrid-task-models FILE"),
        ("tuned:bug", "strategy 'tuned:bug' could not be configured: LookupError: no such level"),
        (":x", "unknown strategy ':x'"),
        ("json:loads", "strategy 'json:loads' is no strategy"),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right(name: str, told: str) -> None:
    assert told in refusal(name)


def test_a_path_to_a_class_without_options_takes_no_argument(module: ModuleType) -> None:
    assert "takes no argument: it has no method 'configured'" in refusal("routers:Rules:high")


class TestVariants:
    """What names with an argument make of the matrix."""

    def ids(self, *strategies: str, options: StrategyOptions | None = None, **changes: Any) -> list[str]:
        settings = replace(NOTHING, strategies=strategies, **changes)
        return [variant.id for variant in variants(settings, registry(options))]

    def test_two_probabilities_are_two_strategies(self) -> None:
        settings = replace(NOTHING, strategies=("random:0.3", "random:0.5"), seeds=(1, 2))
        found = variants(settings, registry())
        assert [(v.strategy, v.id) for v in found if v.seed == 1] == [
            ("random:0.3", "random.0.3-s1"),
            ("random:0.5", "random.0.5-s1"),
        ]
        assert len({variant.id for variant in found}) == 4

    def test_an_argument_may_hold_what_no_folder_name_should(self) -> None:
        assert self.ids("tuned:a/b c") == ["tuned.a.b.c-t3-s42"]

    def test_two_names_that_make_one_id_are_refused(self) -> None:
        with pytest.raises(
            ConfigurationError, match=r"two of tuned:a/b, tuned:a:b would have trials named tuned\.a\.b"
        ):
            self.ids("tuned:a/b", "tuned:a:b")

    def test_thresholds_reach_a_configured_strategy(self) -> None:
        assert self.ids("tuned:a", thresholds=(1.0, 2.0)) == ["tuned.a-t1-s42", "tuned.a-t2-s42"]

    def test_embeddings_need_a_model(self) -> None:
        with pytest.raises(
            ConfigurationError, match=r"'embedding-knn' .*; --hybrid-embedding-model PROVIDER/NAME names"
        ):
            self.ids("embedding-knn")
        assert self.ids("embedding-knn", embedding_model=ModelRef("ollama", "nomic-embed-text")) == [
            "embedding-knn-t0.5-s42"
        ]

    def test_an_embedding_model_of_an_unknown_provider_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match=r"unknown provider 'olama'; did you mean 'ollama'\?"):
            self.ids("embedding-knn", embedding_model=ModelRef("olama", "x"))

    def test_a_simulated_embedding_model_is_not_mixed_with_real_ones(self) -> None:
        model = ModelRef("simulated", "gemma4:31b")
        with pytest.raises(ConfigurationError, match="a simulated one beside real local models"):
            self.ids("embedding-knn", embedding_model=model)
        assert self.ids("embedding-knn", embedding_model=model, local=SIMULATED)

    def test_models_of_a_tier_are_of_one_provider(self, tmp_path: Path) -> None:
        file = tmp_path / "models.yaml"
        file.write_text("{D5: ollama/qwen3-coder:30b}")
        options = StrategyOptions(task_models=file)
        assert self.ids("task-aware", options=options) == ["task-aware-s42"]
        with pytest.raises(ConfigurationError, match=r"names ollama/qwen3-coder:30b beside the local model simulated/"):
            self.ids("task-aware", options=options, local=SIMULATED)


@pytest.mark.parametrize(
    ("local", "default"),
    [
        (("simulated/gemma4:31b",), "simulated/gemma4:31b"),
        (("simulated/a", "simulated/b"), "simulated/a"),
        (("ollama/a",), None),
        (("simulated/a", "ollama/b"), None),
        ((), None),
    ],
)
def test_embedded_local_models_come_with_an_embedded_embedding_model(
    local: tuple[str, ...], default: str | None
) -> None:
    found = default_embedding_model(tuple(map(parse_model, local)))
    assert (str(found) if found else None) == default
