"""What a run declares before it starts: a gate that decides the exit status, an earlier run to be measured by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bench import Bench, one_line, outcomes

import pytest_hybrideval.reporting.github
import pytest_hybrideval.reporting.report
import pytest_hybrideval.reporting.terminal  # noqa: F401
from pytest_hybrideval.testing import FakeOpenAI, Fault

pytest_plugins = ["pytester"]

OK, FAILED = pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED
BOTH = pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
SPOILT = """ScriptedAgent(touches={"calc.py": "no_python"})"""
SIMULATED = "(Simulated models: this measures no model.)"


@pytest.fixture(autouse=True)
def _no_workflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where these tests run in a workflow themselves, it is not that one's summary."""
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def mixed(bench: Bench) -> Bench:
    """Two tasks, of which one is solved: a pass rate of .50 [.01, .99], and no error."""
    bench.native("solved")
    bench.native("spoilt")
    bench.agent(spoilt=SPOILT)
    return bench


@pytest.fixture
def easy(bench: Bench) -> Bench:
    """Two tasks that are solved: a pass rate of 1.00 [.16, 1.00]."""
    bench.native("one")
    bench.native("two")
    bench.agent()
    return bench


def gates(*expressions: str) -> list[str]:
    return [part for expression in expressions for part in ("--hybrid-gate", expression)]


def gate_of(bench: Bench, run_id: str = "r") -> dict[str, Any]:
    found: dict[str, Any] = bench.json("aggregate.json", run_id)["gate"]
    return found


def both(bench: Bench, *args: str) -> tuple[pytest.RunResult, dict[str, Any]]:
    """A run and its gate, after it has been found to be the same with workers."""
    plain = bench.run(*args, run_id="plain")
    workers = bench.run(*args, "-n2", run_id="workers", new_process=True)
    assert workers.ret == plain.ret
    assert gate_of(bench, "workers") == gate_of(bench, "plain")
    assert [line for line in workers.outlines if line.startswith("Gate ")] == [
        line for line in plain.outlines if line.startswith("Gate ")
    ]
    return plain, gate_of(bench, "plain")


class TestExitStatus:
    """The gate decides it, and nothing else that has failed is covered by the gate."""

    def test_without_a_gate_an_unsolved_task_does(self, mixed: Bench) -> None:
        assert mixed.run().ret == FAILED
        assert gate_of(mixed) is None

    def test_met_although_a_task_is_unsolved(self, mixed: Bench) -> None:
        result, gate = both(mixed, *gates("errors<=0"))
        assert result.ret == OK
        result.assert_outcomes(passed=1, failed=1)
        assert gate["state"] == "met"
        result.stdout.fnmatch_lines(
            [
                "*= gate =*",
                "met: errors<=0: always-cloud has .00 (0 of 2 trials)",
                "Gate met: every condition holds. (Simulated*",
                "1 unsolved trial does not fail the session: the gate decides.",
            ]
        )

    def test_not_met(self, mixed: Bench) -> None:
        result, gate = both(mixed, *gates("pass_rate>=0.99"))
        assert result.ret == FAILED
        why = "pass_rate>=0.99: always-cloud has .50 [.01, .987], and not even its upper limit is high enough"
        assert gate == {
            "state": "not met",
            "simulated": True,
            "sentence": f"Gate not met: {why}. {SIMULATED}",
            "findings": [
                {"condition": "pass_rate>=0.99", "line": "always-cloud", "state": "not met", "why": why},
            ],
        }
        assert gate["sentence"] in result.outlines
        assert "the gate decides" not in result.stdout.str()

    def test_not_met_although_every_task_is_solved(self, easy: Bench) -> None:
        result = easy.run(*gates("cloud_fraction<=0.5"))
        result.assert_outcomes(passed=2)
        assert result.ret == FAILED
        assert gate_of(easy)["sentence"] == (
            f"Gate not met: cloud_fraction<=0.5: always-cloud has 1.00 (by design). {SIMULATED}"
        )

    def test_inconclusive(self, easy: Bench) -> None:
        result, gate = both(easy, *gates("pass_rate>=0.5"))
        assert result.ret == FAILED
        assert gate["state"] == "inconclusive"
        assert gate["sentence"] == (
            "Gate inconclusive: pass_rate>=0.5: always-cloud has 1.00 [.16, 1.00], "
            f"and only its upper limit is high enough. {SIMULATED}"
        )

    def test_inconclusive_passes_where_that_is_asked_for(self, mixed: Bench) -> None:
        result, gate = both(mixed, *gates("pass_rate>=0.5"), "--hybrid-gate-inconclusive", "pass")
        assert result.ret == OK
        assert gate["state"] == "inconclusive"
        assert "The inconclusive gate passes, by --hybrid-gate-inconclusive." in result.outlines

    def test_not_met_never_passes(self, mixed: Bench) -> None:
        asked = ("--hybrid-gate-inconclusive", "pass")
        assert mixed.run(*gates("errors<=0", "pass_rate>=0.99"), *asked).ret == FAILED

    def test_two_conditions(self, mixed: Bench) -> None:
        assert mixed.run(*gates("errors<=0", "pass_rate>=0.01")).ret == OK
        assert [each["condition"] for each in gate_of(mixed)["findings"]] == ["errors<=0", "pass_rate>=0.01"]

    def test_one_of_two_that_is_not_met(self, mixed: Bench) -> None:
        result, gate = both(mixed, *gates("errors<=0", "pass_rate>=0.99"))
        assert result.ret == FAILED
        assert [each["state"] for each in gate["findings"]] == ["met", "not met"]
        assert gate["sentence"].startswith("Gate not met: pass_rate>=0.99: ")

    def test_non_inferior_to_always_cloud(self, easy: Bench) -> None:
        strategies = ("--strategy", "always-cloud,heuristic")
        result, gate = both(easy, *strategies, *gates("non-inferior:0.9"))
        assert result.ret == OK
        assert [(each["line"], each["state"]) for each in gate["findings"]] == [("heuristic t=25", "met")]
        result = easy.run(*strategies, *gates("non-inferior:0.05"), run_id="strict")
        assert result.ret == FAILED
        assert gate_of(easy, "strict")["state"] == "inconclusive"

    def test_errors(self, easy: Bench) -> None:
        models = ("--local-model", "openai/x", "--cloud-model", "simulated/gpt-5.5", "--strategy", "always-local")
        with FakeOpenAI(default=Fault.server_error()) as server:
            address = ("--local-base-url", server.base_url, "--hybrid-retries", "0")
            result, gate = both(easy, *models, *address, *gates("errors<=0"))
        assert result.ret == FAILED
        assert set(outcomes(easy.records("plain")).values()) == {"error backend"}
        assert gate["sentence"] == "Gate not met: errors<=0: always-local has 1.00 (2 of 2 trials)."

    def test_a_worker_that_dies_is_an_unsolved_trial_and_no_more(self, mixed: Bench) -> None:
        mixed.conftest("""
            class Deadly(ScriptedAgent):
                def run(self, job):
                    os.kill(os.getpid(), signal.SIGKILL)

            @pytest.fixture
            def agent(trial):
                return Deadly() if trial.task.name == "spoilt" else ScriptedAgent()
        """)
        result = mixed.run("-n2", *gates("errors<=0.5"), new_process=True)
        assert sorted(outcomes(mixed.records()).values()) == ["error worker_lost", "passed"]
        assert result.ret == OK
        assert mixed.run("-n2", *gates("errors<=0"), run_id="strict", new_process=True).ret == FAILED


class TestWhatElseFails:
    """A gate that is met covers unsolved trials alone."""

    SAID = "The session fails all the same: not only unsolved trials have failed."

    def test_an_ordinary_test(self, mixed: Bench) -> None:
        mixed.pytester.makepyfile("def test_it():\n    assert False, 'an ordinary failure'\n")
        result, gate = both(mixed, *gates("errors<=0"))
        assert result.ret == FAILED
        assert gate["state"] == "met"
        assert self.SAID in result.outlines

    def test_an_ordinary_test_that_passes(self, mixed: Bench) -> None:
        mixed.pytester.makepyfile("def test_it():\n    pass\n")
        assert mixed.run(*gates("errors<=0")).ret == OK

    def test_a_broken_task_folder(self, mixed: Bench) -> None:
        (mixed.native("broken") / "task.yaml").write_text("title: Nothing else\n")
        result, gate = both(mixed, *gates("errors<=0"), "--continue-on-collection-errors")
        assert result.ret == FAILED
        assert gate["state"] == "met"
        assert self.SAID in result.outlines

    def test_the_end_of_a_trial(self, easy: Bench) -> None:
        easy.conftest("""
            @pytest.fixture(autouse=True)
            def untidy():
                yield
                raise OSError("cannot tidy up")
        """)
        assert easy.run(*gates("errors<=0")).ret == FAILED
        assert gate_of(easy)["state"] == "met"

    def test_another_plugins_check(self, mixed: Bench) -> None:
        mixed.conftest("""
            @pytest.hookimpl(wrapper=True)
            def pytest_runtestloop(session):
                result = yield
                session.testsfailed += 1  # as pytest-cov does where the coverage is too low
                return result
        """)
        assert mixed.run(*gates("errors<=0")).ret == FAILED


class TestStopped:
    """A session that ended early meets no condition, and says why."""

    @BOTH
    def test_after_a_failure(self, bench: Bench, workers: tuple[str, ...]) -> None:
        for name in "abcdef":
            bench.native(name)
        bench.agent(SPOILT)
        result = bench.run("-x", *gates("errors<=0"), *workers, new_process=bool(workers))
        assert result.ret == (pytest.ExitCode.INTERRUPTED if workers else FAILED)  # as pytest and xdist have it
        why = "errors<=0: the session ended early: stopping after 1 failures"
        assert gate_of(bench)["findings"] == [{"condition": "errors<=0", "line": "", "state": "not met", "why": why}]
        assert f"Gate not met: {why}. {SIMULATED}" in result.outlines

    def test_by_somebody(self, mixed: Bench) -> None:
        mixed.conftest("""
            def pytest_runtest_logfinish():
                pytest.exit("enough for today")
        """)
        result = mixed.run(*gates("errors<=0"))
        assert result.ret == pytest.ExitCode.INTERRUPTED
        assert gate_of(mixed)["state"] == "not met"
        assert "the session ended early: enough for today" in gate_of(mixed)["sentence"]

    def test_by_somebody_who_says_that_all_is_well(self, mixed: Bench) -> None:
        mixed.conftest("""
            def pytest_runtest_logfinish():
                pytest.exit("enough for today", returncode=0)
        """)
        assert mixed.run(*gates("errors<=0")).ret == FAILED

    def test_by_ctrl_c(self, mixed: Bench) -> None:
        mixed.conftest("""
            def pytest_runtest_logfinish():
                raise KeyboardInterrupt
        """)
        result = mixed.run(*gates("errors<=0"), new_process=True)
        assert result.ret == pytest.ExitCode.INTERRUPTED
        assert gate_of(mixed)["sentence"] == f"Gate not met: errors<=0: the session was interrupted. {SIMULATED}"


class TestWhereItIsWritten:
    """On the command line or in the ini file; a mistake is found before anything runs."""

    def test_the_ini_file_has_a_line_for_each(self, mixed: Bench) -> None:
        mixed.pytester.makeini("[pytest]\nhybrideval_gate =\n    errors<=0\n    pass_rate >= 0.99\n")
        result, gate = both(mixed)
        assert result.ret == FAILED
        assert [each["condition"] for each in gate["findings"]] == ["errors<=0", "pass_rate >= 0.99"]

    def test_the_command_line_replaces_them(self, mixed: Bench) -> None:
        mixed.pytester.makeini("[pytest]\nhybrideval_gate = pass_rate>=0.99\nhybrideval_gate_inconclusive = pass\n")
        assert mixed.run(*gates("errors<=0")).ret == OK
        assert [each["condition"] for each in gate_of(mixed)["findings"]] == ["errors<=0"]

    @BOTH
    def test_a_typo(self, mixed: Bench, workers: tuple[str, ...]) -> None:
        result = mixed.run(*gates("errors<=0", "savigns>=0.2"), *workers, new_process=bool(workers))
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert one_line(result).startswith(
            "--hybrid-gate: gate 'savigns>=0.2' is not understood; did you mean 'savings'? (for example: "
        )
        assert not mixed.directory().exists()

    def test_conditions_are_in_the_manifest(self, mixed: Bench) -> None:
        mixed.run(*gates("errors<=0"), "--hybrid-margin", "0.1")
        options = mixed.json("manifest.json")["options"]
        assert (options["gate"], options["margin"]) == (["errors<=0"], 0.1)
        assert mixed.json("aggregate.json")["margin"] == 0.1

    @BOTH
    def test_tests_without_a_trial_do_not_meet_it(self, bench: Bench, workers: tuple[str, ...]) -> None:
        bench.pytester.makepyfile("def test_it():\n    pass\n")
        result = bench.run(*gates("errors<=0"), *workers, new_process=bool(workers))
        assert result.ret == FAILED
        assert "Gate not met: no trial ran." in result.outlines

    def test_one_in_the_ini_file_is_for_runs_with_trials(self, bench: Bench) -> None:
        bench.pytester.makepyfile("def test_it():\n    pass\n")
        bench.pytester.makeini("[pytest]\nhybrideval_gate = errors<=0\n")
        assert bench.run().ret == OK

    def test_collecting_is_no_run(self, mixed: Bench) -> None:
        assert mixed.run("--collect-only", *gates("errors<=0")).ret == OK


class TestEarlierRun:
    """`--hybrid-compare`: each strategy beside itself in a run of before."""

    @pytest.mark.parametrize(
        ("name", "workers"),
        [
            ("results/old", ()),
            ("results/old/raw.jsonl", ()),
            ("old", ()),
            ("latest", ()),
            ("latest", ("-n2",)),
        ],
        ids=["directory", "raw.jsonl", "id", "latest", "latest-n2"],
    )
    def test_by_any_of_its_names(self, mixed: Bench, name: str, workers: tuple[str, ...]) -> None:
        mixed.run(run_id="old")
        result = mixed.run("--hybrid-compare", name, *workers, run_id="new", new_process=bool(workers))
        assert result.ret == FAILED, "a comparison decides nothing"
        compared = mixed.json("aggregate.json", "new")["compared"]
        assert (compared["run_id"], compared["differences"]) == ("old", [])
        (comparison,) = compared["comparisons"]
        assert (comparison["tasks"], comparison["difference"], comparison["savings"]) == (2, 0.0, 0.0)
        result.stdout.fnmatch_lines(
            [
                "*= against run old =*",
                "Undecided whether always-cloud can stand in for that of run old: .50 against .50 on 2 tasks,*"
                f"{SIMULATED.replace('(', '[(]')}",
            ]
        )
        matrix = (mixed.directory("new") / "decision_matrix.md").read_text()
        assert matrix.index("## Against run old") < matrix.index("## Suite small")

    def test_latest_is_the_run_before(self, mixed: Bench) -> None:
        for run_id, before in (("a", None), ("b", "a"), ("c", "b")):
            mixed.run(*(("--hybrid-compare", "latest") if before else ()), run_id=run_id)
            compared = mixed.json("aggregate.json", run_id)["compared"]
            assert (compared and compared["run_id"]) == before

    def test_it_is_the_gates_baseline(self, mixed: Bench) -> None:
        mixed.run(run_id="old")
        mixed.agent(SPOILT)
        result, gate = both(mixed, "--hybrid-compare", "old", *gates("non-inferior:0.99", "non-inferior:0.05"))
        assert result.ret == FAILED
        assert [each["state"] for each in gate["findings"]] == ["met", "inconclusive"]
        assert (
            "always-cloud can stand in for that of run old: its pass rate is at most .99 lower"
            in (gate["findings"][0]["why"])
        )

    def test_tasks_that_changed_are_named(self, mixed: Bench) -> None:
        mixed.run(run_id="old")
        hidden = mixed.path / "small" / "spoilt" / "hidden" / "test_calc.py"
        hidden.write_text(hidden.read_text() + "\n\ndef test_more():\n    assert add(0, 0) == 0\n")
        result = mixed.run("--hybrid-compare", "old")
        assert any(line.startswith("differs: tasks.small/spoilt: ") for line in result.outlines)
        result.stdout.fnmatch_lines(["*all of the tasks that changed since among them: small/spoilt.*"])

    @pytest.mark.parametrize("name", ["gone", "latest", "r", "results"])
    def test_one_that_is_not_there(self, mixed: Bench, name: str) -> None:
        result = mixed.run("--hybrid-compare", name)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert one_line(result).startswith(f"--hybrid-compare: no run '{name}': there is no ")
        assert not mixed.directory().exists(), "before anything runs"

    def test_one_that_is_damaged(self, mixed: Bench) -> None:
        mixed.run(run_id="old")
        raw = mixed.directory("old") / "raw.jsonl"
        raw.write_text(raw.read_text() + '{"trial": "small/')
        result = mixed.run("--hybrid-compare", "old")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert one_line(result).startswith(f"--hybrid-compare: {raw}:3: not JSON")
        assert not mixed.directory().exists()

    def test_one_without_a_manifest(self, mixed: Bench) -> None:
        mixed.run(run_id="old")
        (mixed.directory("old") / "manifest.json").unlink()
        assert "manifest.json is missing" in one_line(mixed.run("--hybrid-compare", "old"))

    def test_one_that_cannot_be_priced(self, mixed: Bench) -> None:
        mixed.run(run_id="old")
        raw = mixed.directory("old") / "raw.jsonl"
        raw.write_text(raw.read_text().replace("simulated/gpt-5.5", "openai/unheard-of"))
        result = mixed.run("--hybrid-compare", "old")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert "--hybrid-compare: no price for cloud model 'unheard-of'" in one_line(result)


class TestGithub:
    """What a workflow shows of a run."""

    @BOTH
    def test_the_job_summary(
        self, mixed: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
    ) -> None:
        file = tmp_path / "summary.md"
        file.write_text("before\n")
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
        result = mixed.run(*gates("errors<=0"), "--no-summary", *workers, new_process=bool(workers))
        assert result.ret == OK
        matrix = (mixed.directory() / "decision_matrix.md").read_text()
        assert file.read_text() == f"before\n{matrix}\n"
        assert "## Gate\n\n- Gate met: every condition holds." in matrix

    @pytest.mark.parametrize("expression", ["errors<=0", "errors>0"])
    def test_one_that_cannot_be_written_changes_nothing_else(
        self, mixed: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expression: str
    ) -> None:
        before = mixed.run(*gates(expression), run_id="before").ret
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "gone" / "summary.md"))
        result = mixed.run(*gates(expression))
        assert result.ret == before
        assert [line for line in result.outlines if "GITHUB_STEP_SUMMARY" in line] == [
            f"GITHUB_STEP_SUMMARY {tmp_path}/gone/summary.md: No such file or directory"
        ]
        assert "Traceback" not in result.stdout.str()

    def test_none_where_no_trial_ran(self, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
        bench.pytester.makepyfile("def test_it():\n    pass\n")
        bench.run()
        assert not (tmp_path / "summary.md").exists()

    @BOTH
    def test_annotations(self, mixed: Bench, workers: tuple[str, ...]) -> None:
        mixed.native("silent")
        mixed.agent(spoilt=SPOILT, silent="ScriptedAgent(requests=0)")
        result = mixed.run("--hybrid-annotations", "--seeds", "42,7", *workers, new_process=bool(workers))
        silent, spoilt = sorted(line for line in result.outlines if line.startswith("::"))
        assert spoilt.startswith("::warning file=small/spoilt/task.yaml,title=small/spoilt under always-cloud::2 of 2")
        assert "2 of 2 trials unsolved (tests failed; seeds " in spoilt
        assert silent.startswith("::error file=small/silent/task.yaml,title=small/silent under always-cloud::2 of 2")
        assert "(agent; seeds " in silent

    def test_annotations_by_the_ini_file(self, mixed: Bench) -> None:
        mixed.pytester.makeini("[pytest]\nhybrideval_annotations = on\n")
        assert sum(line.startswith("::") for line in mixed.run().outlines) == 1

    def test_no_annotations_unasked(self, mixed: Bench) -> None:
        assert not any(line.startswith("::") for line in mixed.run().outlines)

    def test_files_are_where_github_looks_for_them(self, mixed: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_WORKSPACE", str(mixed.path.parent))
        result = mixed.run("--hybrid-annotations")
        assert any(f"file={mixed.path.name}/small/spoilt/task.yaml," in line for line in result.outlines)
