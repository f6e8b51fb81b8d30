"""The task's class decides which model answers, by a map that is checked before anything runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from builders import edit_request, plan_request

from pytest_hybrideval.core.domain import Decision, ModelRef, TaskClass, Tier
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.protocols import strategy_models, strategy_tiers
from pytest_hybrideval.core.settings import StrategyOptions
from pytest_hybrideval.strategies.task_aware import TaskAware, TaskModels, parse_task_models
from pytest_hybrideval.testing import make_context

QWEN, GEMMA = ModelRef("ollama", "qwen3-coder:30b"), ModelRef("ollama", "gemma4:31b")
MAP = "{D5: ollama/qwen3-coder:30b, D2: ollama/qwen3-coder:30b, default: ollama/gemma4:31b, cloud: [D6, puzzle]}"


def decide(chosen: TaskModels, task_class: TaskClass | None) -> Decision:
    decisions = {
        asyncio.run(chosen().decide(request, make_context(task_class=task_class)))
        for request in (plan_request("Greet."), edit_request("Change it."), plan_request("locks " * 500))
    }
    assert len(decisions) == 1, "what is asked does not count"
    return decisions.pop()


@pytest.mark.parametrize(
    ("task_class", "decision"),
    [
        (
            TaskClass.D5,
            Decision(Tier.LOCAL, "task class D5 has a model of its own, ollama/qwen3-coder:30b", model=QWEN),
        ),
        (TaskClass.D1, Decision(Tier.LOCAL, "task class D1 goes to the default, ollama/gemma4:31b", model=GEMMA)),
        (TaskClass.D6, Decision(Tier.CLOUD, "task class D6 goes to the cloud")),
        (TaskClass.PUZZLE, Decision(Tier.CLOUD, "task class puzzle goes to the cloud")),
        (None, Decision(Tier.LOCAL, "a request of no task goes to the default, ollama/gemma4:31b", model=GEMMA)),
    ],
)
def test_the_map_decides(task_class: TaskClass | None, decision: Decision) -> None:
    assert decide(parse_task_models(MAP, "x"), task_class) == decision


def test_without_a_default_it_is_the_trials_local_model() -> None:
    chosen = parse_task_models("{D5: ollama/qwen3-coder:30b}", "x")
    expected = Decision(Tier.LOCAL, "task class D1 goes to the trial's local model")
    assert decide(chosen, TaskClass.D1) == expected


def test_it_says_which_models_and_tiers_it_may_name() -> None:
    chosen = parse_task_models(MAP, "x")
    assert set(strategy_models(chosen)) == {(Tier.LOCAL, QWEN), (Tier.LOCAL, GEMMA)}
    assert len(strategy_models(chosen)) == 2, "each once"
    assert strategy_tiers(chosen) == set(Tier)
    strategy = chosen()
    assert (strategy.models, strategy.tiers) == (chosen.models, chosen.tiers)


def test_without_a_class_for_the_cloud_the_cloud_is_no_tier_of_it() -> None:
    assert strategy_tiers(parse_task_models("{D5: ollama/x}", "x")) == {Tier.LOCAL}


def test_the_map_is_read_from_the_runs_file(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(MAP)
    factory = TaskAware.configured(StrategyOptions(task_models=file), "")
    assert factory == parse_task_models(MAP, "x")
    assert factory().name == "task-aware"


def test_it_needs_a_map() -> None:
    with pytest.raises(ConfigurationError, match=r"needs --hybrid-task-models FILE, .* \{D5: ollama/qwen3"):
        TaskAware.configured(StrategyOptions(), "")


def test_an_argument_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="takes no argument; --hybrid-task-models FILE is its map"):
        TaskAware.configured(StrategyOptions(task_models=tmp_path), "D5")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ": must be a map; its keys are task classes (D1, D2, D3, D5, D6, puzzle, terminal), default and cloud"),
        ("{}", ": must be a map"),
        ("[D5]", ": must be a map"),
        ("{D5: ", ": not readable as YAML"),
        (b"D5: \xff", ": not UTF-8"),
        ("{D4: ollama/x}", ": 'D4' is no key of it; keys are task classes"),
        ("{5: ollama/x}", ": '5' is no key of it"),
        ("{D5: qwen}", ": D5: model 'qwen' is not PROVIDER/NAME"),
        ("{D5: null}", ": D5: None is no model; write PROVIDER/NAME"),
        ("{D5: [ollama/x]}", ": D5: ['ollama/x'] is no model"),
        ("{default: x}", ": default: model 'x' is not PROVIDER/NAME"),
        ("{cloud: D6}", ": cloud: must be a list of task classes"),
        ("{cloud: [D6, D7]}", ": cloud: must be a list of task classes"),
        ("{cloud: [default]}", ": cloud: must be a list of task classes"),
        ("{D6: ollama/x, cloud: [D6]}", ": D6 has a local model and is listed under cloud too"),
    ],
)
def test_a_map_that_is_wrong_is_refused_by_file_and_key(tmp_path: Path, text: str | bytes, told: str) -> None:
    file = tmp_path / "models.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigurationError) as caught:
        TaskAware.configured(StrategyOptions(task_models=file), "")
    assert str(caught.value).startswith(f"task models {file}{told}")


def test_a_map_that_is_missing_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"task models .*none\.yaml: No such file or directory"):
        TaskAware.configured(StrategyOptions(task_models=tmp_path / "none.yaml"), "")
