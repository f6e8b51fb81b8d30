"""Another try: the agent is shown what the hidden tests said, once more or as often as it was allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench import Bench, one_line

pytest_plugins = ["pytester"]

LEARNER = """
    class Learner:
        label = "learner"

        def run(self, job):
            with open({notes!r}, "a") as notes:
                notes.write(f"--- {{job.resumed}} {{job.instruction}}\\n")
            sign = "+" if job.resumed and {learns} else "-"
            return ScriptedAgent(touches={{"calc.py": f"def add(a, b):\\n    return a {{sign}} b\\n"}}).run(job)


    @pytest.fixture
    def agent():
        return Learner()
"""


def taught(bench: Bench, *args: str, learns: bool = True) -> tuple[pytest.RunResult, list[str]]:
    """Run with an agent that is right at its second try; what it was told each time."""
    notes = Path(bench.path, "notes.txt")
    bench.native()
    bench.conftest(LEARNER.format(notes=str(notes), learns=learns))
    result = bench.run(*args)
    return result, notes.read_text().split("--- ")[1:]


def test_without_more_tries_the_first_decides(bench: Bench) -> None:
    result, told = taught(bench)
    result.assert_outcomes(failed=1)
    assert len(told) == 1
    assert (bench.record()["tries"], bench.record()["most_tries"]) == (1, 1)
    assert "first try" not in (bench.directory() / "decision_matrix.md").read_text()


def test_a_second_try_is_shown_the_failing_tests_and_may_pass(bench: Bench) -> None:
    result, (first, second) = taught(bench, "--hybrid-tries", "2")
    result.assert_outcomes(passed=1)
    assert first.startswith("False Make `add(a, b)`")
    assert second.startswith("True The hidden tests do not all pass yet.")
    assert "test_calc.py::test_add" in second
    assert "assert -1 == 5" in second
    record = bench.record()
    assert (record["outcome"], record["tries"], record["most_tries"]) == ("passed", 2, 2)
    assert record["tokens"]["cloud"]["calls"] == 2
    (cell,) = bench.json("aggregate.json")["cells"]
    assert (cell["pass_rate"], cell["pass_rate_first_try"]) == (1.0, 0.0)
    assert "| first try |" in (bench.directory() / "decision_matrix.md").read_text().replace("   ", " ")
    (folder,) = (bench.directory() / "trials/small/add").iterdir()
    assert {path.name for path in folder.iterdir()} >= {"tests.json", "tests.1.json", "changes.diff", "changes.1.diff"}


def test_the_last_try_decides_where_none_passes(bench: Bench) -> None:
    result, told = taught(bench, "--hybrid-tries", "3", learns=False)
    result.assert_outcomes(failed=1)
    assert len(told) == 3
    record = bench.record()
    assert (record["outcome"], record["failure_mode"], record["tries"]) == ("failed", "tests_failed", 3)


def test_what_the_tests_cannot_mend_gets_no_other_try(bench: Bench) -> None:
    bench.native()
    bench.agent("ScriptedAgent(hangs=True)")
    bench.run("--hybrid-tries", "2", "--hybrid-timeout", "0.5").assert_outcomes(failed=1)
    assert (bench.record()["failure_mode"], bench.record()["tries"]) == ("agent_timeout", 1)


def test_tries_are_at_least_one(bench: Bench) -> None:
    bench.native()
    result = bench.pytest("--hybrid-tries", "0")
    assert "--hybrid-tries: '0' is not valid; for example: --hybrid-tries 2" in one_line(result)
