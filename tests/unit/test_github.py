"""What GitHub shows: commands that its runner reads as they are meant, and a summary that it takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from studies import ERROR, FAILED, PASSED, RUN, arm, benchmark, priced

from pytest_hybrideval.core.domain import FailureMode
from pytest_hybrideval.core.records import TrialRecord
from pytest_hybrideval.reporting.gate import parse_condition
from pytest_hybrideval.reporting.github import annotated, append_summary
from pytest_hybrideval.reporting.report import Declared, Report, make_report, matrix_markdown

LIMIT = 1024 * 1024


def failed(strategy: str = "heuristic", **changes: Any) -> TrialRecord:
    (record,) = arm(strategy, [FAILED], **{"node_id": "samples/0::0[heuristic-s42]", **changes})
    return record


def command(*records: TrialRecord, root: Path = Path("/nowhere"), repository: Path | None = None) -> str:
    """The only command of these records."""
    (line,) = annotated(records, root, repository)
    return line


def report(records: list[TrialRecord]) -> Report:
    return make_report(records, RUN, priced, Declared(conditions=(parse_condition("errors<=0.02"),)))


class TestAnnotations:
    """A line per task and strategy that left trials unsolved."""

    def test_a_whole_command(self) -> None:
        assert command(failed()) == (
            "::warning title=samples/0 under heuristic::"
            "1 of 1 trial unsolved (tests failed; seed 42): 1 of 3 hidden tests failed: test_a"
        )

    def test_what_passed_has_none(self) -> None:
        assert list(annotated(arm("heuristic", [PASSED] * 3), Path("/nowhere"))) == []

    def test_several_seeds_are_one(self) -> None:
        records = [
            *arm("heuristic", [PASSED], seed=1),
            *arm("heuristic", [FAILED], seed=42),
            *arm("heuristic", [FAILED], seed=7, failure_mode=FailureMode.AGENT_TIMEOUT),
            *arm("heuristic", [FAILED], seed=13),
        ]
        line = command(*records)
        assert "::3 of 4 trials unsolved (tests failed, agent timeout; seeds 42, 7, 13): 1 of 3 hidden" in line

    def test_one_for_each_task_strategy_threshold_and_model(self) -> None:
        records = [failed(), failed(task="samples/1"), failed(strategy="cascade", threshold=12.5)]
        records += [failed(strategy="cascade", threshold=1000000.5), failed(local_model="ollama/tiny")]
        titles = re.findall("title=(.*?)::", "\n".join(annotated(records, Path("/nowhere"))))
        assert len(set(titles)) == 5
        assert "samples/0 under cascade t=1000000.5 (ollama/gemma4%3A31b + openai/gpt-5.5)" in titles

    @pytest.mark.parametrize(
        ("outcomes", "level"), [([FAILED], "warning"), ([ERROR], "error"), ([FAILED, PASSED, ERROR], "error")]
    )
    def test_a_trial_without_a_verdict_is_an_error(self, outcomes: list[Any], level: str) -> None:
        records = [record for seed, outcome in enumerate(outcomes) for record in arm("heuristic", [outcome], seed=seed)]
        assert command(*records).startswith(f"::{level} title=")

    def test_what_would_end_the_command_is_escaped(self) -> None:
        line = command(failed(detail="50 % of it,\r\nand: more"))
        assert line.endswith(": 50 %25 of it,%0D%0Aand: more")
        assert "\n" not in line
        assert "\r" not in line

    def test_what_would_end_a_property_is_escaped(self, tmp_path: Path) -> None:
        folder = tmp_path / "a,b:c%"
        folder.mkdir()
        (folder / "task.yaml").touch()
        line = command(failed(task="a,b:c%/0", node_id="a,b:c%::0[x]"), root=tmp_path)
        assert line.startswith("::warning file=a%2Cb%3Ac%25/task.yaml,title=a%2Cb%3Ac%25/0 under heuristic::1 of 1")

    def test_no_detail(self) -> None:
        assert command(failed(detail="")).endswith("(tests failed; seed 42)")

    @pytest.mark.parametrize("name", ["task.yaml", ".meta/config.json"])
    def test_the_tasks_own_file(self, tmp_path: Path, name: str) -> None:
        file = tmp_path / "samples" / "0" / name
        file.parent.mkdir(parents=True)
        file.touch()
        assert f"::warning file=samples/0/{name},title=" in command(failed(), root=tmp_path)
        assert f"::warning file={tmp_path.name}/samples/0/{name},title=" in command(
            failed(), root=tmp_path, repository=tmp_path.parent
        )

    def test_no_file_where_the_trial_is_of_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "task.yaml").touch()
        assert "file=" not in command(failed(node_id=""), root=tmp_path)


class TestSummary:
    """The file that GITHUB_STEP_SUMMARY names."""

    def test_it_is_appended(self, tmp_path: Path) -> None:
        file = tmp_path / "summary.md"
        file.write_text("# What the step said before\n")
        append_summary(report(benchmark()), file)
        append_summary(report(benchmark()), file)
        text = file.read_text()
        assert text.startswith("# What the step said before\n# Decision matrix\n")
        assert text.count("# Decision matrix\n") == 2
        assert text.count("## Gate\n\n- Gate not met: ") == 2

    def test_it_is_the_matrix(self, tmp_path: Path) -> None:
        append_summary(report(benchmark()), tmp_path / "summary.md")
        assert (tmp_path / "summary.md").read_text() == matrix_markdown(report(benchmark())) + "\n"

    @pytest.mark.parametrize("before", [0, 700_000, 1_100_000])
    def test_it_is_cut_at_a_line_before_the_limit_of_the_file(self, tmp_path: Path, before: int) -> None:
        long = report(arm("é" * 200_000, [PASSED]))  # a table's line of more than two fifths of the limit
        file = tmp_path / "summary.md"
        file.write_bytes(b"x" * before)
        append_summary(long, file)
        shown, cut, rest = file.read_bytes()[before:].decode().partition("\n\nThe summary is cut here: ")
        assert cut
        assert rest.endswith("The run's directory has all of it.\n\n")
        assert file.stat().st_size < max(LIMIT, before + 200)
        assert matrix_markdown(long).startswith(f"{shown}\n" if shown else "")
        assert bool(shown) is (before < LIMIT)

    def test_what_cannot_be_written_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="Is a directory"):
            append_summary(report(benchmark()), tmp_path)
