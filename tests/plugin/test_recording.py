"""What a run leaves behind: one record per trial, the same with workers and without, and marked where simulated."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from bench import CALL_CLOCKS, Bench, outcomes, timeless
from typer.testing import CliRunner

from pytest_hybrideval.cli import app

pytest_plugins = ["pytester"]

NOTICE = "SIMULATED"
BOTH = pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])


@pytest.fixture
def mixed(bench: Bench) -> Bench:
    """Three tasks: one is solved, one is spoilt by the agent, one never gets a request sent."""
    bench.exercism("leap")
    bench.native("spoilt")
    bench.native("silent")
    bench.agent(spoilt="""ScriptedAgent(touches={"calc.py": "no_python"})""", silent="ScriptedAgent(requests=0)")
    return bench


def test_a_record_for_each_trial(mixed: Bench) -> None:
    result = mixed.run()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert outcomes(mixed.records()) == {
        "exercism/leap[always-cloud-s42]": "passed",
        "small/spoilt[always-cloud-s42]": "failed tests_failed",
        "small/silent[always-cloud-s42]": "error agent",
    }
    passed = next(record for record in mixed.records() if record["outcome"] == "passed")
    assert passed["node_id"] == "exercism/leap::leap[always-cloud-s42]"
    assert (passed["strategy"], passed["threshold"], passed["seed"]) == ("always-cloud", None, 42)
    assert (passed["suite"], passed["task_class"], passed["agent"]) == ("exercism", "puzzle", "scripted")
    assert passed["tests_passed"] == passed["tests_expected"] == 1
    assert passed["tokens"]["cloud"]["calls"] == 1
    assert passed["worker"] == ""


def test_workers_change_nothing_but_clocks(mixed: Bench) -> None:
    axes = ("--strategy", "always-cloud,cascade", "--thresholds", "0,100")
    mixed.run(*axes, run_id="plain")
    mixed.run(*axes, "-n2", run_id="workers", new_process=True)
    assert len(mixed.records("plain")) == 9
    assert {record["worker"] for record in mixed.records("workers")} == {"gw0", "gw1"}
    assert timeless(mixed.records("workers")) == timeless(mixed.records("plain"))
    assert timeless(mixed.calls("workers"), CALL_CLOCKS) == timeless(mixed.calls("plain"), CALL_CLOCKS)
    for name in ("aggregate.json", "bootstrap_cis.json"):
        assert without_clocks(mixed.json(name, "workers")) == without_clocks(mixed.json(name, "plain"))
    plain, workers = mixed.json("manifest.json", "plain"), mixed.json("manifest.json", "workers")
    assert (plain.pop("workers"), sorted(workers.pop("workers"))) == ([], ["gw0", "gw1"])
    for manifest in (plain, workers):
        assert manifest["options"].pop("run_id") == manifest.pop("run_id")
        assert manifest.pop("started_at") <= manifest.pop("finished_at")
        manifest["tasks"] = dict(sorted(manifest["tasks"].items()))
    assert workers == plain


def without_clocks(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [{key: value for key, value in cell.items() if key != "seconds_per_trial"} for cell in document["cells"]]


def test_every_call_has_a_line(mixed: Bench) -> None:
    mixed.run("--seeds", "42,7", "-k", "leap")
    assert [(call["trial"], call["seed"]) for call in mixed.calls()] == [
        ("exercism/leap[always-cloud-s42]", 42),
        ("exercism/leap[always-cloud-s7]", 7),
    ]
    call = mixed.calls()[0]
    assert (call["tier"], call["model"], call["purpose"]) == ("cloud", "simulated/gpt-5.5", "agent")
    assert (call["phase"], call["status"], call["fault"], call["reason"]) == ("code", 200, None, "always-cloud")
    assert call["usage"]["prompt"] > 0


def test_the_strategys_own_calls_are_overhead(bench: Bench) -> None:
    bench.native()
    bench.agent()
    bench.run("--strategy", "cascade", "--thresholds", "100")
    assert [call["purpose"] for call in bench.calls()] == ["classifier", "agent"]
    assert bench.record()["overhead"]["local"]["calls"] == 1


def test_the_manifest_says_what_ran(mixed: Bench) -> None:
    mixed.run()
    manifest = mixed.json("manifest.json")
    assert manifest["run_id"] == "r"
    assert manifest["simulated"] is True
    assert manifest["trials"] == 3
    assert manifest["agent"] == "scripted"
    assert manifest["sandbox"].startswith("none")
    assert manifest["agent_sandbox"] == "the agent does not say"
    assert manifest["models"]["cloud simulated/gpt-5.5"]["simulated"] is True
    assert set(manifest["tasks"]) == {"exercism/leap", "small/spoilt", "small/silent"}
    assert manifest["tasks"]["exercism/leap"] == mixed.records()[0]["task_digest"]
    assert manifest["options"]["cloud"]["models"] == ["simulated/gpt-5.5"]
    assert manifest["versions"]["pytest"] == pytest.__version__


def test_what_is_derived(mixed: Bench) -> None:
    mixed.run()
    cells = mixed.json("aggregate.json")["cells"]
    assert sorted(cell["trials"] for cell in cells) == [1, 2, 3], "a cell per suite and one for both"
    (total,) = (cell for cell in cells if cell["trials"] == 3)
    assert [total[name] for name in ("passed", "failed", "errors")] == [1, 1, 1]
    assert total["cloud_fraction"] == 1.0
    assert total["cost_usd"] > 0
    intervals = {cell["scope"]: cell for cell in mixed.json("bootstrap_cis.json")["cells"]}
    assert set(intervals) == {cell["scope"] for cell in cells}
    interval = intervals[total["scope"]]["dirichlet_unseen_task"]
    assert interval["low"] < interval["high"]
    matrix = (mixed.directory() / "decision_matrix.md").read_text()
    assert "## Suite exercism" in matrix
    assert "| always-cloud " in matrix


def test_latest_points_to_the_last_run(bench: Bench) -> None:
    bench.native()
    bench.agent("ScriptedAgent(requests=0)")
    for run_id in ("first", "second"):
        bench.run(run_id=run_id)
        latest = bench.path / "results" / "latest"
        assert latest.is_symlink()
        assert latest.resolve() == bench.directory(run_id)


@BOTH
def test_a_run_without_a_name_has_one_directory(mixed: Bench, workers: tuple[str, ...]) -> None:
    mixed.pytest("--strategy", "always-cloud", "--hybrid-sandbox", "none", *workers, new_process=bool(workers))
    latest, run = sorted((mixed.path / "results").iterdir(), reverse=True)
    assert (latest.name, latest.resolve()) == ("latest", run.resolve())
    found = sorted(path.parent.parent.name for path in run.glob("trials/*/*/*/transcript.txt"))
    assert found == ["leap", "silent", "spoilt"], "the workers' files lie in the controller's directory"


def test_a_trials_own_files(mixed: Bench) -> None:
    mixed.run()
    trials = mixed.directory() / "trials"
    solved, spoilt, silent = (
        trials / task / "always-cloud-s42" for task in ("exercism/leap", "small/spoilt", "small/silent")
    )
    assert "def leap(year):" in (solved / "transcript.txt").read_text()
    changes = (solved / "changes.diff").read_text().splitlines()
    assert changes[:2] == ["--- a/leap.py", "+++ b/leap.py"]
    assert "-    pass" in changes
    assert "test_1900" in json.dumps(json.loads((solved / "tests.json").read_text()))
    assert "+no_python" in (spoilt / "changes.diff").read_text()
    assert (silent / "transcript.txt").is_file()
    assert not (silent / "tests.json").exists(), "without a request there is nothing to score"


def test_no_key_of_a_trial_is_kept(bench: Bench) -> None:
    bench.native()
    bench.conftest("""
        class Telltale(ScriptedAgent):
            def run(self, job):
                with open("keys.txt", "a") as file:
                    file.write(job.api_key)
                return super().run(job)

        @pytest.fixture
        def agent():
            return Telltale()
    """)
    bench.run().assert_outcomes(passed=1)
    key = (bench.path / "keys.txt").read_text()
    assert key
    files = [path for path in bench.directory().rglob("*") if path.is_file()]
    assert [path for path in files if key in path.read_text()] == []


@BOTH
def test_the_screen_tells_failures_from_errors(mixed: Bench, workers: tuple[str, ...]) -> None:
    result = mixed.run(*workers, "-rA", new_process=bool(workers))
    result.assert_outcomes(passed=1, failed=1, errors=1)
    progress = "".join(line.partition("[")[0] for line in result.outlines if line.endswith("%]"))
    assert sorted(letter for letter in progress if letter in ".FE") == [".", "E", "F"]
    result.stdout.fnmatch_lines(
        [
            "hybrideval: local simulated/gemma4:31b, cloud simulated/gpt-5.5 (SIMULATED, not a measurement)",
            "hybrideval: strategies always-cloud; seeds 42; *",
            f"hybrideval: results in {mixed.directory()}",
        ],
        consecutive=True,
    )
    result.stdout.fnmatch_lines_random(
        [
            "tests_failed: test_calc.py could not be collected: *",
            "agent: the agent ended with exit code 0 without sending a request*",
            "PASSED exercism/leap::leap[[]always-cloud-s42[]]",
            "FAILED small/spoilt::spoilt[[]always-cloud-s42[]] - *tests_failed*",
            "ERROR small/silent::silent[[]always-cloud-s42[]] - *agent*",
        ]
    )
    result.stdout.fnmatch_lines(["*= decision matrix =*", "SIMULATED: *", "All suites together", "always-cloud *"])
    assert str(mixed.directory() / "decision_matrix.md") in result.outlines
    text = result.stdout.str()
    assert "Traceback" not in text
    assert "collection.py" not in text, "no frame of ours is shown"


def test_the_screen_in_words(mixed: Bench) -> None:
    lines = [line for line in mixed.run("-v").outlines if line.endswith("%]")]
    for word, task in (("PASSED", "exercism/leap::leap"), ("FAILED", "small/spoilt"), ("ERROR", "small/silent")):
        assert any(word in line and task in line for line in lines)


def test_simulated_is_marked_everywhere(mixed: Bench) -> None:
    result = mixed.run()
    assert result.stdout.str().count(NOTICE) >= 2
    assert all(record["simulated"] for record in mixed.records())
    assert mixed.json("manifest.json")["simulated"]
    assert all(cell["simulated"] for cell in mixed.json("aggregate.json")["cells"])
    assert NOTICE in (mixed.directory() / "decision_matrix.md").read_text()


@BOTH
def test_reports_and_junit_carry_the_records_digest(mixed: Bench, workers: tuple[str, ...]) -> None:
    mixed.conftest("""
        def pytest_runtest_logreport(report):
            if report.when == "call" and not os.environ.get("PYTEST_XDIST_WORKER"):
                with open("properties.txt", "a") as file:
                    print(report.nodeid.partition("::")[0], dict(report.user_properties), file=file)
    """)
    mixed.run("--junitxml=junit.xml", *workers, new_process=bool(workers))
    lines = (mixed.path / "properties.txt").read_text().splitlines()
    assert len(lines) == 3
    leap = next(line for line in lines if line.startswith("exercism/leap "))
    assert "'hybrideval_outcome': 'passed'" in leap
    assert "'hybrideval_seed': 42" in leap
    cases = ElementTree.parse(mixed.path / "junit.xml").getroot().iter("testcase")
    found = {
        case.get("name"): {prop.get("name"): prop.get("value") for prop in case.iter("property")} for case in cases
    }
    assert set(found) == {"leap[always-cloud-s42]", "spoilt[always-cloud-s42]", "silent[always-cloud-s42]"}
    assert found["leap[always-cloud-s42]"]["hybrideval_outcome"] == "passed"
    assert found["leap[always-cloud-s42]"]["hybrideval_simulated"] == "True"
    assert found["spoilt[always-cloud-s42]"]["hybrideval_failure_mode"] == "tests_failed"
    assert found["silent[always-cloud-s42]"]["hybrideval_error_kind"] == "agent"
    assert all(properties["hybrideval_strategy"] == "always-cloud" for properties in found.values())


def test_records_stand_on_disk_while_the_run_goes_on(bench: Bench) -> None:
    bench.native("one")
    bench.native("two")
    bench.conftest("""
        @pytest.fixture
        def agent(trial):
            if trial.task.name == "one":
                return ScriptedAgent(requests=0)
            with open("results/r/raw.jsonl") as records:
                return ScriptedAgent(requests=0, exit_code=len(list(records)))
    """)
    bench.run()
    assert "exit code 1 " in bench.records()[1]["detail"], "the first record was there when the second trial began"


def test_local_hours_are_in_the_bill_and_in_what_is_reported_later(mixed: Bench) -> None:
    mixed.run("-k", "leap", "--strategy", "always-local", "--hybrid-local-cost-per-hour", "3600000")
    record = mixed.record()
    assert record["local_seconds"] > 0
    (cell,) = mixed.json("aggregate.json")["cells"]
    assert cell["cost_usd"] == pytest.approx(1000 * record["local_seconds"])
    said = "local models 3.6e+06 USD per busy hour"
    assert said in (mixed.directory() / "decision_matrix.md").read_text()
    again = CliRunner().invoke(app, ["report", str(mixed.directory())], prog_name="hybrideval")
    assert again.exit_code == 0
    assert mixed.json("aggregate.json")["cells"][0]["cost_usd"] == cell["cost_usd"]
    free = CliRunner().invoke(app, ["report", str(mixed.directory()), "--local-cost-per-hour", "0"])
    assert free.exit_code == 0
    assert mixed.json("aggregate.json")["cells"][0]["cost_usd"] == 0
