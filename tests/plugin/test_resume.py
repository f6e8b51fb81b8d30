"""A run that ended early is gone on with: what has a verdict stays, the rest runs, and another run is refused."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import pytest
from bench import Bench, one_line

pytest_plugins = ["pytester"]

TASKS = ("one", "two", "three")


def prepare(bench: Bench, *failing: str) -> None:
    """Three tasks; the agent cannot be run for those that are failing as long as the file `down` is there."""
    for name in TASKS:
        bench.native(name)
    bench.agent()
    bench.conftest(f"""
        from pytest_hybrideval.core.errors import AgentUnavailable

        class Flaky(ScriptedAgent):
            def run(self, job):
                if os.path.exists("down"):
                    raise AgentUnavailable("the agent cannot be run")
                return super().run(job)

        @pytest.fixture
        def agent(trial):
            return Flaky() if trial.task.name in {failing!r} else ScriptedAgent()
    """)
    (bench.path / "down").touch()


def ids(records: list[dict[str, Any]]) -> Counter[tuple[str, str, int]]:
    return Counter((record["task"].partition("/")[2], record["outcome"], record["attempt"]) for record in records)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["plain", "workers"])
def test_errors_run_again_and_what_has_a_verdict_does_not(bench: Bench, workers: tuple[str, ...]) -> None:
    prepare(bench, "two")
    new_process = bool(workers)
    bench.run(*workers, new_process=new_process)
    assert ids(bench.records()) == {("one", "passed", 1): 1, ("two", "error", 1): 1, ("three", "passed", 1): 1}
    (bench.path / "down").unlink()
    again = bench.resume("r", *workers, new_process=new_process)
    again.assert_outcomes(passed=1, deselected=0 if workers else 2)
    assert again.ret == 0
    assert ids(bench.records()) == {
        **{("one", "passed", 1): 1, ("two", "error", 1): 1, ("three", "passed", 1): 1},
        ("two", "passed", 2): 1,
    }
    cell = bench.json("aggregate.json")["cells"][0]
    assert (cell["trials"], cell["passed"], cell["errors"]) == (3, 3, 0)
    assert len(bench.json("manifest.json")["resumed"]) == 1
    assert "- earlier attempts: 1 ended in errors" in (bench.directory() / "decision_matrix.md").read_text()


def test_latest_is_meant_where_no_run_is_named(bench: Bench) -> None:
    prepare(bench, "two")
    bench.run()
    (bench.path / "down").unlink()
    bench.pytest(*bench.usual, "--hybrid-resume").assert_outcomes(passed=1, deselected=2)


def test_a_run_with_nothing_left_shows_its_matrix(bench: Bench) -> None:
    prepare(bench)
    bench.run()
    again = bench.resume("r")
    assert again.ret == 0
    again.stdout.fnmatch_lines(["*decision matrix*", "always-cloud*3 of 3*"])
    assert len(bench.records()) == 3


def test_half_a_line_is_cut_and_its_trial_runs_again(bench: Bench) -> None:
    prepare(bench)
    bench.run()
    raw = bench.directory() / "raw.jsonl"
    lines = raw.read_bytes().splitlines(keepends=True)
    raw.write_bytes(b"".join(lines[:2]) + lines[2][:100])
    bench.resume("r").assert_outcomes(passed=1, deselected=2)
    assert ids(bench.records()) == {(name, "passed", 1): 1 for name in TASKS}
    assert bench.json("manifest.json")["resumed"][0]["bytes_cut"] == 100


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("--seeds", "1"), "options.seeds was [42] and is [1]"),
        (("--strategy", "always-local"), "options.strategies was ['always-cloud'] and is ['always-local']"),
        (("--hybrid-cloud-temperature", "0.5"), "options.cloud.temperature was 'agent' and is 0.5"),
        (("--local-model", "simulated/qwen3-coder:30b", "--cloud-model", "simulated/gpt-5.5"), "options.local.models"),
    ],
    ids=["seeds", "strategy", "temperature", "model"],
)
def test_another_run_is_refused_and_what_changed_is_named(bench: Bench, change: tuple[str, ...], named: str) -> None:
    prepare(bench, "two")
    bench.run()
    before = (bench.directory() / "raw.jsonl").read_bytes()
    refused = bench.resume("r", *change)
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    assert named in one_line(refused)
    assert (bench.directory() / "raw.jsonl").read_bytes() == before


def test_a_changed_task_is_refused(bench: Bench) -> None:
    prepare(bench, "two")
    bench.run()
    (bench.path / "small" / "one" / "hidden" / "test_calc.py").write_text("def test_other(): pass\n")
    assert "tasks.small/one was" in one_line(bench.resume("r"))


def test_a_changed_strategy_is_refused(bench: Bench) -> None:
    prepare(bench, "two")
    source = (
        "from pytest_hybrideval.strategies.always import AlwaysCloud\n\nclass Mine(AlwaysCloud):\n    name = 'mine'\n"
    )
    (bench.path / "mine.py").write_text(source)
    mine = ("-p", "mine", "--strategy", "mine:Mine")
    bench.run(*mine, new_process=True)
    (bench.path / "mine.py").write_text(source + "    # another thought\n")
    assert "strategies.mine:Mine was" in one_line(bench.resume("r", *mine, new_process=True))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--hybrid-resume=nothing",), "--hybrid-resume: no run 'nothing'"),
        (("--hybrid-resume=r", "--hybrid-run-id", "x"), "leave one of them out"),
        (("--hybrid-resume", "small"), "write --hybrid-resume=RUN"),
    ],
)
def test_what_cannot_be_resumed_is_one_line(bench: Bench, arguments: tuple[str, ...], said: str) -> None:
    prepare(bench)
    bench.run()
    assert said in one_line(bench.pytest(*bench.usual, *arguments))


def test_a_damaged_run_is_refused_with_file_and_line(bench: Bench) -> None:
    prepare(bench)
    bench.run()
    raw = bench.directory() / "raw.jsonl"
    raw.write_text('{"trial": 1}\n' + raw.read_text())
    assert "raw.jsonl:1:" in one_line(bench.resume("r"))


def test_a_run_that_is_killed_again_and_again_loses_at_most_the_trials_in_flight(bench: Bench) -> None:
    for name in (*TASKS, "four"):
        bench.native(name)
    bench.agent()
    chance = random.Random(5)
    usual = [*bench.usual, "--seeds", "1,2,3", "-n", "2", "-q"]
    kept: set[tuple[str, str]] = set()
    for start in range(6):
        names = ["--hybrid-run-id", "k"] if start == 0 else ["--hybrid-resume=k"]
        command = [sys.executable, "-m", "pytest", *usual, *names]
        environ = {**os.environ, "PYTEST_ADDOPTS": ""}
        process = subprocess.Popen(
            command, cwd=bench.path, env=environ, stdout=subprocess.DEVNULL, start_new_session=True
        )
        wanted = len(kept) + chance.randint(1, 3)
        deadline = time.monotonic() + 60
        while process.poll() is None and len(_whole_lines(bench)) < wanted and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.2))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        now = {(record["trial"], record["outcome"]) for record in _whole_lines(bench)}
        assert kept <= now, "a finished trial was lost"
        kept = now
    last = bench.pytest(*usual, "--hybrid-resume=k", new_process=True)
    assert last.ret == 0
    trials = Counter(record["trial"] for record in bench.records("k"))
    assert len(trials) == 12
    assert bench.json("aggregate.json", "k")["cells"][0]["passed"] == 12
    assert set(trials.values()) == {1}, "a trial with a verdict ran twice"


def _whole_lines(bench: Bench) -> list[dict[str, Any]]:
    path = bench.directory("k") / "raw.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
