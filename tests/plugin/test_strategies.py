"""The packaged strategies in runs: what they decide, what it costs, and what is refused before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench import Bench, one_line, timeless

pytest_plugins = ["pytester"]

TASK_MODELS = "{D5: 'simulated/qwen3-coder:30b', cloud: [D2]}"
EVERY = (
    "always-cloud,always-local,heuristic,cascade,rules,phase-aware,task-aware,llm-classifier,embedding-knn,escalate,"
    "random:0.5"
)


def map_of(bench: Bench, text: str = TASK_MODELS) -> tuple[str, str]:
    """The option for task-aware's map."""
    (bench.path / "models.yaml").write_text(text)
    return "--hybrid-task-models", "models.yaml"


def test_every_strategy_runs_and_what_it_asks_for_is_overhead(bench: Bench) -> None:
    bench.native()
    bench.agent()
    bench.run("--strategy", EVERY, *map_of(bench), "--hybrid-local-max-tokens", "5")  # local answers are cut off
    records = {record["strategy"]: record for record in bench.records()}
    assert set(records) == set(EVERY.split(","))
    assert {record["outcome"] for record in records.values()} <= {"passed", "failed"}
    overhead = {name: {tier: part["calls"] for tier, part in r["overhead"].items()} for name, r in records.items()}
    assert {name for name, calls in overhead.items() if calls} == {
        "cascade",
        "llm-classifier",
        "embedding-knn",
        "escalate",
    }
    assert overhead["llm-classifier"] == {"local": 1}
    assert overhead["embedding-knn"] == {"local": 2}
    assert overhead["escalate"] == {"local": 1}
    assert all(record["overhead"]["local"]["prompt"] > 0 for name, record in records.items() if overhead[name])


def test_a_cut_off_answer_is_sent_on_and_the_agent_sees_the_second_one(bench: Bench) -> None:
    bench.native()
    bench.agent()
    bench.run("--strategy", "escalate", "--hybrid-local-max-tokens", "5").assert_outcomes(passed=1)
    first, second = bench.calls()
    assert (first["purpose"], first["tier"], first["reason"]) == ("discarded", "local", "local first")
    assert (second["purpose"], second["tier"], second["finish_reason"]) == ("agent", "cloud", "stop")
    assert second["reason"] == "the local answer is of no use: it was cut off at its longest length"


def test_an_answer_that_can_be_used_is_not_sent_on(bench: Bench) -> None:
    bench.native()
    bench.agent()
    models = ("--local-model", "simulated/gpt-5.5", "--cloud-model", "simulated/gpt-5.5")
    bench.run("--strategy", "escalate", *models).assert_outcomes(passed=1)
    assert [(call["purpose"], call["tier"]) for call in bench.calls()] == [("agent", "local")]


def test_the_corpus_is_billed_to_the_first_trial_that_needs_it(bench: Bench) -> None:
    bench.native()
    bench.agent()
    bench.run("--strategy", "embedding-knn", "--seeds", "1,2,3")
    asked = [call["usage"]["prompt"] for call in bench.calls() if call["purpose"] == "embedding"]
    assert len(asked) == 4
    assert asked[0] > 500 > max(asked[1:])
    assert len(set(asked[1:])) == 1


def test_k_and_corpus_of_ones_own_reach_the_strategy(bench: Bench) -> None:
    bench.native()
    bench.agent()
    (bench.path / "mine.yaml").write_text("- {text: add numbers, tier: local}\n- {text: fly to Mars, tier: cloud}\n")
    bench.run("--strategy", "embedding-knn", "--hybrid-knn-corpus", "mine.yaml", "--hybrid-knn-k", "1")
    (call,) = (call for call in bench.calls() if call["purpose"] == "agent")
    assert "of 1 neighbours, nearest 'add numbers' (local" in call["reason"]


def test_task_aware_asks_the_model_of_the_tasks_class(bench: Bench) -> None:
    for name, task_class in (("feature", "D1"), ("bug", "D2"), ("script", "D5")):
        bench.native(name, task_class=task_class)
    bench.agent()
    bench.run("--strategy", "task-aware", *map_of(bench))
    assert {call["trial"].partition("[")[0]: (call["tier"], call["model"]) for call in bench.calls()} == {
        "small/feature": ("local", "simulated/gemma4:31b"),
        "small/bug": ("cloud", "simulated/gpt-5.5"),
        "small/script": ("local", "simulated/qwen3-coder:30b"),
    }
    assert "local simulated/qwen3-coder:30b" in bench.json("manifest.json")["models"], "it was asked who it is"


def test_workers_change_nothing(bench: Bench) -> None:
    bench.native()
    bench.native("other")
    bench.agent()
    options = ("--strategy", "random:0.5,escalate", "--seeds", "1,2")
    bench.run(*options, run_id="plain")
    bench.run(*options, "-n2", run_id="n2", new_process=True)
    assert timeless(bench.records("plain")) == timeless(bench.records("n2"))


def test_a_coin_per_trial_and_two_coins_side_by_side(bench: Bench) -> None:
    bench.native()
    bench.agent("ScriptedAgent(requests=3)")
    bench.run("--strategy", "random:0,random:0.5,random:1", "--seeds", "1,2,3,4,5,6")
    tiers: dict[str, set[str]] = {}
    for call in bench.calls():
        tiers.setdefault(call["trial"], set()).add(call["tier"])
    assert all(len(of_trial) == 1 for of_trial in tiers.values()), "each trial goes one way"
    assert {tier for trial, of_trial in tiers.items() if "[random.0-" in trial for tier in of_trial} == {"local"}
    assert {tier for trial, of_trial in tiers.items() if "[random.1-" in trial for tier in of_trial} == {"cloud"}
    assert {tier for trial, of_trial in tiers.items() if "[random.0.5-" in trial for tier in of_trial} == {
        "local",
        "cloud",
    }
    assert {record["strategy"] for record in bench.records()} == {"random:0", "random:0.5", "random:1"}


def test_ids_of_named_strategies_work_on_the_command_line(bench: Bench) -> None:
    bench.native()
    chosen = ("--strategy", "random:0.3,random:0.5", "--seeds", "1,2")
    assert bench.collected("small/add::add[random.0.5-s2]", *chosen) == ["small/add::add[random.0.5-s2]"]


def test_a_strategy_of_ones_own_takes_an_argument(bench: Bench) -> None:
    bench.native()
    bench.agent()
    bench.conftest("""
        from functools import partial
        from pytest_hybrideval.core.domain import Decision, Tier

        class Fixed:
            default_threshold = 1.5

            def __init__(self, tier):
                self.name = f"fixed:{tier}"
                self.tier = Tier(tier)

            @classmethod
            def configured(cls, options, argument):
                return partial(cls, argument)

            async def decide(self, request, context):
                return Decision(self.tier, f"always so, threshold {context.threshold:g}, k {self.k}")

        def pytest_hybrideval_strategies():
            Fixed.k = 5
            return {"fixed": Fixed}
    """)
    bench.run("--strategy", "fixed:cloud,fixed:local")
    assert {call["trial"]: call["tier"] for call in bench.calls()} == {
        "small/add[fixed.cloud-t1.5-s42]": "cloud",
        "small/add[fixed.local-t1.5-s42]": "local",
    }


REAL = ("--local-model", "ollama/gemma4:31b", "--cloud-model", "openai/gpt-5.5")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--strategy", "random"), "strategy 'random' needs a probability: write random:P"),
        (("--strategy", "random:2"), "strategy 'random': '2' is no probability"),
        (("--strategy", "rules:x"), "strategy 'rules' takes no argument"),
        (("--strategy", "task-aware"), "strategy 'task-aware' needs --hybrid-task-models FILE"),
        (("--strategy", "task-aware", "--hybrid-task-models", "none.yaml"), "none.yaml: No such file"),
        (("--strategy", "embedding-knn", *REAL), "--hybrid-embedding-model PROVIDER/NAME names their model"),
        (("--strategy", "embedding-knn", "--hybrid-knn-k", "9999"), "--hybrid-knn-k: 9999 neighbours cannot be had"),
        (("--strategy", "embedding-knn", "--hybrid-knn-k", "0"), "--hybrid-knn-k: '0' is not valid"),
        (("--strategy", "embedding-knn", "--hybrid-knn-corpus", "none.yaml"), "none.yaml: No such file"),
        (
            ("--strategy", "embedding-knn", *REAL, "--hybrid-embedding-model", "openai/text-embedding-3-small"),
            "--hybrid-embedding-model openai/text-embedding-3-small is asked where the local models are served",
        ),
        (("--strategy", "embedding-knn", *REAL, "--hybrid-embedding-model", "nobody/x"), "unknown provider 'nobody'"),
        (("--strategy", "embedding-knn", "--hybrid-embedding-model", "nomic"), "model 'nomic' is not PROVIDER/NAME"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], told: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    bench.native()
    result = bench.pytest(*options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert told in one_line(result)
    assert not Path(bench.path / "results").exists()
