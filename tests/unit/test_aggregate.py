"""Both JSON files: numbers that any reader can parse, and a page that documents every key of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from builders import make_record
from studies import ERROR, FAILED, LOCAL_ONLY, PASSED, RUN, arm, benchmark, priced, studied

from pytest_hybrideval.analysis.cells import ALL_SUITES, CellKey
from pytest_hybrideval.core.domain import Tier
from pytest_hybrideval.core.records import TierTokens, TrialRecord
from pytest_hybrideval.reporting.aggregate import aggregate_json, intervals_json
from pytest_hybrideval.reporting.gate import parse_condition
from pytest_hybrideval.reporting.report import Declared, make_report, write_report
from pytest_hybrideval.reporting.run_directory import RunDirectory
from pytest_hybrideval.reporting.runs import Run

DOCS = Path(__file__).parents[2] / "docs" / "results.md"
KEY = {field.name for field in fields(CellKey)}
INTERVAL = {"low", "high", "confidence"}
MANY = [PASSED] * 100


def everything() -> list[TrialRecord]:
    """A run in which every key has a value somewhere."""
    records = [*benchmark(), *arm("heuristic", [PASSED], "real_dev", seed=99, threshold=25.0)]
    records += arm("always-local", [ERROR], "real_dev", seed=99)
    return [*records, *arm("always-cloud", MANY, "many"), *arm("heuristic", MANY, "many", threshold=25.0)]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both files of a run with an earlier one and a gate, as they are read from the disk."""
    earlier = Run(Path("results/main"), {**RUN, "agent": "aider 0.86.1 whole"}, tuple(benchmark()))
    conditions = tuple(map(parse_condition, ("non-inferior:0.05", "errors<=0.02")))
    report = make_report(everything(), RUN, priced, Declared(0.05, 0.95, conditions, earlier))
    directory = RunDirectory(tmp_path_factory.mktemp("results") / "run")
    write_report(report, directory)
    aggregate, intervals = (
        json.loads((directory.path / name).read_text(), parse_constant=pytest.fail)
        for name in ("aggregate.json", "bootstrap_cis.json")
    )
    return aggregate, intervals


def keys_of(value: Any, path: str = "") -> Iterator[str]:
    """Every key as a path such as `cells[].lift.value`; a line's key and an interval are values of their own."""
    if isinstance(value, list):
        for item in value:
            yield from keys_of(item, f"{path}[]")
    elif isinstance(value, dict) and set(value) not in (KEY, INTERVAL):
        for key, item in value.items():
            inner = f"{path}.{key}" if path else key
            yield inner
            yield from keys_of(item, inner)


def documented(section: str) -> list[str]:
    """The keys that the tables of a section of docs/results.md name, as such paths; capitals stand for any key."""
    text = DOCS.read_text(encoding="utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    found, paths = [], [""]
    for line in text.splitlines():
        if line.startswith("### "):
            paths = re.findall(r"`([^`]+)`", line)
        elif line.startswith("|") and not line.startswith(("| key ", "|---")):
            named = line.split("|")[1]
            names = sorted(KEY) if named.strip() == "*key*" else re.findall(r"`([^`]+)`", named)
            assert names, line
            found += [f"{path}.{name}" if path else name for path in paths for name in names]
    return found


def matched(path: str, pattern: str) -> bool:
    """Whether a documented path is about this one."""
    return re.fullmatch(re.sub(r"\\?\b[A-Z]+\b", "[^.]+", re.escape(pattern)), path) is not None


@pytest.mark.parametrize("section", ["aggregate.json", "bootstrap_cis.json"])
def test_the_page_documents_every_key_and_no_other(
    written: tuple[dict[str, Any], dict[str, Any]], section: str
) -> None:
    keys = set(keys_of(written[section == "bootstrap_cis.json"]))
    patterns = documented(section)
    assert len(patterns) == len(set(patterns)), "each once"
    assert [key for key in sorted(keys) if not any(matched(key, pattern) for pattern in patterns)] == []
    assert [pattern for pattern in patterns if not any(matched(key, pattern) for key in keys)] == []


def test_a_run_on_the_disk_has_numbers_of_every_line(written: tuple[dict[str, Any], dict[str, Any]]) -> None:
    aggregate, intervals = written
    assert aggregate["schema_version"] == intervals["schema_version"] == 2
    assert aggregate["run_id"] == intervals["run_id"] == RUN["run_id"]
    assert (aggregate["margin"], aggregate["confidence"], aggregate["simulated"]) == (0.05, 0.95, False)
    lines = [[tuple(cell[name] for name in sorted(KEY)) for cell in file["cells"]] for file in written]
    assert lines[0] == lines[1]
    assert len(set(lines[0])) == len(lines[0]) == 5 + 5 + 5 + 2
    assert [cell["scope"] for cell in aggregate["cells"]] == sorted(
        (cell["scope"] for cell in aggregate["cells"]), key=lambda scope: (scope == ALL_SUITES, scope)
    )


def test_neither_file_has_what_is_no_number() -> None:
    unknown = {Tier.CLOUD: TierTokens(calls=1, unknown_calls=1)}
    for records in (
        arm("heuristic", [ERROR], tokens={}),
        arm("heuristic", [FAILED], tokens=unknown),
        [*arm("always-cloud", [PASSED], tokens=LOCAL_ONLY), *arm("always-local", [PASSED]), *arm("heuristic", [ERROR])],
        [*arm("cascade", [PASSED], "one", threshold=1.0), *arm("cascade", [PASSED], "two", threshold=2.0)],
    ):
        for content in (aggregate_json(studied(records), RUN), intervals_json(studied(records), RUN)):
            assert json.loads(json.dumps(content, allow_nan=False)) == json.loads(json.dumps(content))


def test_counts_cost_and_intervals() -> None:
    found = studied(benchmark())
    aggregate, intervals = aggregate_json(found, RUN), intervals_json(found, RUN)
    first = intervals["cells"][0]
    assert (first["scope"], first["strategy"], first["threshold"]) == ("exercism", "always-cloud", None)
    for method in ("dirichlet_unseen_task", "these_tasks_clopper_pearson", "row_percentile_bootstrap"):
        assert first[method]["low"] <= first["pass_rate"] <= first[method]["high"]
    lost = [cell for cell in aggregate["cells"] if not cell["comparable"]]
    assert {(cell["scope"], cell["strategy"]) for cell in lost} == {("real_dev", "cascade"), (ALL_SUITES, "cascade")}
    assert aggregate["cells"][0]["cost_usd"] == pytest.approx(4 * 0.12)
    assert aggregate["cells"][0]["cost_per_solved_usd"] == pytest.approx(0.12)


def test_every_line_says_whether_it_is_simulated() -> None:
    records = [make_record(), make_record(strategy="cascade", simulated=True)]
    found = aggregate_json(studied(records), RUN)
    assert {cell["strategy"]: cell["simulated"] for cell in found["cells"]} == {"cascade": True, "heuristic": False}
    assert found["simulated"] is True


def test_a_row_bootstrap_of_errors_alone_is_null() -> None:
    found = intervals_json(studied(arm("heuristic", [ERROR])), RUN)["cells"][0]
    assert found["row_percentile_bootstrap"] is None


def test_what_is_fixed_by_design_has_no_interval() -> None:
    records = [*arm("always-cloud", MANY), *arm("always-local", MANY), *arm("heuristic", MANY)]
    cloud, local, router = intervals_json(studied(records), RUN)["cells"]
    assert cloud["cloud_fraction"] is local["cloud_fraction"] is local["savings"] is None
    assert router["cloud_fraction"]["low"] < router["cloud_fraction"]["high"]
    assert router["savings"]["low"] < 0.5 < router["savings"]["high"]


def test_what_needs_a_control_is_null_and_named() -> None:
    (line,) = aggregate_json(studied(arm("heuristic", MANY)), RUN)["cells"]
    assert line["needs"] == ["always-cloud", "always-local"]
    assert [line[name] for name in ("comparison", "lift", "performance_gap_recovered", "frontier")] == [None] * 4


def test_a_verdict_is_the_matrix_own(written: tuple[dict[str, Any], dict[str, Any]]) -> None:
    (line,) = (cell for cell in written[0]["cells"] if (cell["scope"], cell["strategy"]) == ("many", "heuristic"))
    assert line["comparison"]["verdict"] == "non-inferior"
    assert line["comparison"]["baseline"]["strategy"] == "always-cloud"
    assert line["sentence"].startswith("heuristic t=25 can stand in for always-cloud: ")
    assert line["frontier"]["status"] in ("undetermined", "on the frontier")
    (cloud,) = (cell for cell in written[0]["cells"] if (cell["scope"], cell["strategy"]) == ("many", "always-cloud"))
    assert cloud["frontier"]["status"] == "dominated"
    assert cloud["frontier"]["dominated_by"] == {name: line[name] for name in KEY}


def test_neither_sweeps_nor_comparison_nor_gate_where_there_is_none() -> None:
    found = aggregate_json(studied(arm("heuristic", MANY)), RUN)
    assert (found["sweeps"], found["compared"], found["gate"]) == ([], None, None)


def test_the_earlier_run_is_named(written: tuple[dict[str, Any], dict[str, Any]]) -> None:
    compared = written[0]["compared"]
    assert compared["run_id"] == "main"
    assert compared["differences"] == ["agent: aider 0.86.2 architect here, aider 0.86.1 whole there"]
    scopes = {each["scope"] for each in compared["comparisons"]}
    assert scopes == {"exercism", "real_dev", ALL_SUITES}
    assert {key["scope"] for key in compared["unmatched"]} == {"many"}


def test_the_gate_is_told_by_condition_and_line(written: tuple[dict[str, Any], dict[str, Any]]) -> None:
    gate = written[0]["gate"]
    assert gate["state"] == "not met"
    assert gate["simulated"] is False
    assert gate["sentence"].startswith("Gate not met: errors<=0.02: cascade t=12.5 has .17 (1 of 6 trials)")
    assert [(each["condition"], each["line"]) for each in gate["findings"]] == [
        (condition, line)
        for condition in ("non-inferior:0.05", "errors<=0.02")
        for line in ("cascade t=12.5", "cascade t=20", "heuristic t=25")
    ]
