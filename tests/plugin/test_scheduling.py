"""With workers, long trials run first, each item once, and little is lost or kept waiting when something goes wrong."""

from __future__ import annotations

import dataclasses
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from bench import Bench, outcomes, timeless
from builders import make_record, make_task, make_trial

from pytest_hybrideval.core.domain import Outcome, TaskClass
from pytest_hybrideval.core.records import Stages, TrialRecord, to_json
from pytest_hybrideval.plugin.scheduling import Lengths, latest_records, ordered

pytest_plugins = ["pytester"]

# Each process writes what it runs, in its order.
LOG = """
    def pytest_runtest_logstart(nodeid):
        if "PYTEST_XDIST_WORKER" in os.environ:
            with open("started-" + os.environ["PYTEST_XDIST_WORKER"], "a") as file:
                file.write(nodeid + "\\n")
"""


def took(seconds: float, **changes: Any) -> TrialRecord:
    return make_record(stages=Stages(total=seconds), **changes)


def started(bench: Bench) -> dict[str, list[str]]:
    """What each worker ran, by task or test name."""
    logs = sorted(bench.path.glob("started-*"))
    return {
        log.name.removeprefix("started-"): [
            line.partition("::")[2].partition("[")[0] for line in log.read_text().splitlines()
        ]
        for log in logs
    }


def earlier_run(bench: Bench, seconds: dict[str, float], run_id: str = "earlier") -> None:
    """Records as an earlier run of tasks of the suite `small` would have left them."""
    directory = bench.directory(run_id)
    directory.mkdir(parents=True)
    records = [
        took(total, task=f"small/{name}", strategy="always-cloud", threshold=None) for name, total in seconds.items()
    ]
    (directory / "raw.jsonl").write_text("".join(json.dumps(to_json(record)) + "\n" for record in records))


class TestOrdered:
    def test_longest_first_and_ties_as_collected(self) -> None:
        assert ordered(4, {0: 1.0, 1: 5.0, 2: 9.0, 3: 5.0}) == [2, 1, 3, 0]

    def test_ordinary_tests_follow_in_their_order(self) -> None:
        assert ordered(5, {1: 1.0, 3: 2.0}) == [3, 1, 0, 2, 4]

    def test_trials_of_no_length_are_still_trials(self) -> None:
        assert ordered(2, {1: 0.0}) == [1, 0]


class TestLengths:
    def test_the_closest_that_is_known(self, tmp_path: Path) -> None:
        task = make_task(tmp_path, {}, {})
        records = [
            took(10.0, task=task.id, strategy="heuristic", threshold=25.0),
            took(20.0, task=task.id, strategy="heuristic", threshold=25.0),
            took(90.0, task=task.id, strategy="cascade", threshold=None),
        ]
        lengths = Lengths(records)
        assert lengths.of(make_trial(task, strategy="heuristic", threshold=25.0)) == 15.0
        assert lengths.of(make_trial(task, strategy="cascade")) == 90.0
        assert lengths.of(make_trial(task, strategy="heuristic", threshold=50.0)) == 40.0

    def test_a_guess_by_class_where_nothing_is_known(self, tmp_path: Path) -> None:
        task = make_task(tmp_path, {}, {})
        by_class = {kind: Lengths([]).of(make_trial(dataclasses.replace(task, task_class=kind))) for kind in TaskClass}
        assert [kind.value for kind in sorted(by_class, key=by_class.__getitem__, reverse=True)] == [
            "D6", "terminal", "D1", "D3", "D2", "D5", "puzzle",
        ]  # fmt: skip

    def test_errors_tell_nothing(self, tmp_path: Path) -> None:
        task = make_task(tmp_path, {}, {})
        error = took(9999.0, task=task.id, outcome=Outcome.ERROR)
        assert Lengths([error]).of(make_trial(task)) == Lengths([]).of(make_trial(task))


class TestLatestRecords:
    def write(self, results: Path, run_id: str, text: str, written_at: int) -> None:
        path = results / run_id / "raw.jsonl"
        path.parent.mkdir()
        path.write_text(text)
        os.utime(path, (written_at, written_at))

    def test_of_the_run_that_was_written_last(self, tmp_path: Path) -> None:
        for run_id, written_at in (("a", 20), ("b", 30), ("c", 10)):
            self.write(tmp_path, run_id, json.dumps(to_json(took(float(written_at)))) + "\n", written_at)
        assert [record.stages.total for record in latest_records(tmp_path)] == [30.0]

    def test_up_to_a_bad_line(self, tmp_path: Path) -> None:
        good = json.dumps(to_json(took(1.0))) + "\n"
        self.write(tmp_path, "cut", good + '{"trial": "sma', 10)
        assert len(latest_records(tmp_path)) == 1

    @pytest.mark.parametrize("text", ["", "no json\n", "{}\n", "[]\n"])
    def test_nothing_to_read(self, tmp_path: Path, text: str) -> None:
        self.write(tmp_path, "broken", text, 10)
        assert latest_records(tmp_path) == []

    def test_no_runs(self, tmp_path: Path) -> None:
        assert latest_records(tmp_path / "results") == []


def test_every_trial_once_and_as_without_workers(bench: Bench) -> None:
    for name in ("a", "b", "c"):
        bench.native(name)
    bench.agent(b="ScriptedAgent(requests=0)")
    seeds = ("--seeds", "1,2,3")
    bench.run(*seeds, run_id="plain")
    bench.run(*seeds, "-n2", run_id="workers", new_process=True)
    assert len(bench.records("plain")) == 9
    assert timeless(bench.records("workers")) == timeless(bench.records("plain"))


@pytest.mark.parametrize("trials", [1, 2, 3])
def test_fewer_trials_than_workers_can_hold(bench: Bench, trials: int) -> None:
    for number in range(trials):
        bench.native(f"t{number}")
    bench.agent()
    result = bench.run("-n2", new_process=True)
    result.assert_outcomes(passed=trials)
    assert len(bench.records()) == trials


def test_without_an_earlier_run_workers_begin_as_collected(bench: Bench) -> None:
    for name in ("a", "b", "c"):
        bench.native(name)
    bench.agent()
    bench.conftest(LOG)
    bench.run("-n2", new_process=True).assert_outcomes(passed=3)
    assert {items[0] for items in started(bench).values()} == {"a", "b"}


def test_what_took_long_in_an_earlier_run_starts_first(bench: Bench) -> None:
    names = ("a", "b", "c", "d", "long", "z")
    for name in names:
        bench.native(name)
    bench.agent()
    bench.conftest(LOG)
    earlier_run(bench, dict.fromkeys(names, 1.0) | {"long": 900.0, "z": 2.0})
    bench.run("-n2", new_process=True).assert_outcomes(passed=6)
    firsts = {items[0] for items in started(bench).values()}
    assert firsts == {"long", "z"}


def test_nothing_waits_behind_a_long_trial(bench: Bench) -> None:
    """The long trial ends when all others have run: with one queued behind it, it would wait in vain."""
    others = ("a", "b", "c", "d", "e")
    for name in (*others, "long", "shortest"):
        bench.native(name)
    bench.conftest(LOG)
    bench.conftest(
        """
        import select

        class Tells(ScriptedAgent):
            def run(self, job):
                os.write(os.open("PIPE", os.O_RDWR), b".")
                return super().run(job)

        class Patient(ScriptedAgent):
            def run(self, job):
                pipe = os.open("PIPE", os.O_RDWR)
                for _ in range(6):
                    assert select.select([pipe], [], [], 30)[0], "others wait behind this one"
                    os.read(pipe, 1)
                return super().run(job)

        @pytest.fixture
        def agent(trial):
            return Patient() if trial.task.name == "long" else Tells()
    """.replace("PIPE", str(bench.path / "news"))
    )
    earlier_run(bench, dict.fromkeys(others, 10.0) | {"long": 900.0, "shortest": 1.0})
    os.mkfifo(bench.path / "news")
    kept_open = os.open(bench.path / "news", os.O_RDWR)  # what is told before the long trial listens is not lost
    try:
        bench.run("-n2", new_process=True).assert_outcomes(passed=7)
    finally:
        os.close(kept_open)
    assert ["long"] in started(bench).values()


def test_a_killed_worker_loses_the_trial_it_ran_and_no_other(bench: Bench) -> None:
    names = ("a", "b", "c", "killed", "y", "z")
    for name in names:
        bench.native(name)
    bench.conftest("""
        class Deadly(ScriptedAgent):
            def run(self, job):
                os.kill(os.getpid(), signal.SIGKILL)

        @pytest.fixture
        def agent(trial):
            return Deadly() if trial.task.name == "killed" else ScriptedAgent()
    """)
    earlier_run(bench, dict.fromkeys(names, 1.0) | {"killed": 900.0})
    result = bench.run("-n2", new_process=True)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    expected = {f"small/{name}[always-cloud-s42]": "passed" for name in names}
    assert outcomes(bench.records()) == expected | {"small/killed[always-cloud-s42]": "error worker_lost"}
    assert len(bench.records()) == len(names), "each once"


def test_ordinary_tests_follow_the_trials(bench: Bench) -> None:
    bench.native("short")
    bench.native("tall")
    bench.agent()
    bench.conftest(LOG)
    tests = [f"test_{number}" for number in range(5)]
    bench.pytester.makepyfile(test_a="\n".join(f"def {name}():\n    pass\n" for name in tests))
    earlier_run(bench, {"short": 1.0, "tall": 9.0})
    bench.run("-n1", new_process=True).assert_outcomes(passed=7)
    assert started(bench) == {"gw0": ["tall", "short", *tests]}
    bench.run("-n3", run_id="more", new_process=True).assert_outcomes(passed=7)
    assert len(bench.records("more")) == 2


def test_an_ordinary_session_is_xdists(bench: Bench) -> None:
    bench.pytester.makepyfile("import pytest\n@pytest.mark.parametrize('n', range(40))\ndef test_it(n):\n    pass\n")
    bench.conftest(LOG)
    result = bench.pytest("-n2", "-v", new_process=True)
    result.assert_outcomes(passed=40)
    result.stdout.fnmatch_lines(["scheduling tests via LoadScheduling"])
    assert Counter(name for names in started(bench).values() for name in names) == {"test_it": 40}
    assert not (bench.path / "results").exists()


@pytest.mark.parametrize(
    ("options", "scheduler"),
    [
        ((), "TrialScheduling"),
        (("--dist", "worksteal"), "WorkStealingScheduling"),
        (("--dist", "loadfile"), "LoadFileScheduling"),
    ],
)
def test_another_choice_of_the_user_stands(bench: Bench, options: tuple[str, ...], scheduler: str) -> None:
    bench.native()
    bench.agent()
    result = bench.run("-n2", "-v", *options, new_process=True)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"scheduling tests via {scheduler}"])


def test_another_plugins_scheduler_stands(bench: Bench) -> None:
    bench.native()
    bench.agent()
    bench.conftest("""
        def pytest_xdist_make_scheduler(config, log):
            from xdist.scheduler import WorkStealingScheduling
            return WorkStealingScheduling(config, log)
    """)
    result = bench.run("-n2", "-v", new_process=True)
    result.stdout.fnmatch_lines(["scheduling tests via WorkStealingScheduling"])


@pytest.mark.parametrize(("option", "failures"), [("-x", 1), ("--maxfail=2", 2)])
def test_it_stops_at_failures(bench: Bench, option: str, failures: int) -> None:
    """Each worker still ends what it runs, so few of the many trials run after the last failure."""
    bench.native("a")
    bench.agent("""ScriptedAgent(touches={"calc.py": "no_python"})""")
    result = bench.run("-n2", option, "--seeds", ",".join(map(str, range(20))), new_process=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([f"*stopping after {failures} failures*"])
    assert failures <= len(bench.records()) <= failures + 4
    assert (bench.directory() / "decision_matrix.md").is_file()


def test_workers_share_the_slots_of_a_model(bench: Bench) -> None:
    for name in ("one", "two", "three"):
        bench.native(name)
    bench.agent()
    bench.conftest("""
        import asyncio
        from pytest_hybrideval.backends.simulated import SimulatedBackend, profiles

        class Narrow(SimulatedBackend):
            async def stream(self, call):
                os.close(os.open("busy", os.O_CREAT | os.O_EXCL))  # fails where another call goes on
                await asyncio.sleep(0.5)
                os.remove("busy")
                async for event in super().stream(call):
                    yield event

        def narrow(ref, tier, environ, base_url):
            return Narrow(ref, profiles()["gpt-5.5"])

        def pytest_hybrideval_backends():
            return {"narrow": narrow}
    """)
    models = ("--local-model", "narrow/gpt-5.5", "--cloud-model", "simulated/gpt-5.5", "--strategy", "always-local")
    bench.run(*models, "--seeds", "1,2", "-n", "2", new_process=True).assert_outcomes(passed=6)
    queued = [record["stages"]["queued"] for record in bench.records()]
    assert max(queued) > 0.05, queued
    results = bench.run(
        *models, "--seeds", "1,2", "-n", "2", "--hybrid-local-slots", "2", run_id="wide", new_process=True
    )
    assert results.ret != 0, "two at a time were let through"
