"""Rows of hybrid-coding-eval become records that say no more than the rows do, and every row is kept as it was."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from builders import make_record
from saved_runs import lines, save

from pytest_hybrideval.core.domain import ErrorKind, FailureMode, Outcome, TaskClass, Tier
from pytest_hybrideval.core.errors import ConfigurationError, RecordError
from pytest_hybrideval.core.records import TierTokens, TrialRecord
from pytest_hybrideval.reporting.ancestor import Imported, import_rows
from pytest_hybrideval.reporting.merging import RunsDiffer, merge_runs
from pytest_hybrideval.reporting.runs import read_run

LOCAL, CLOUD = "ollama/gemma4:31b", "openai/gpt-5.5"
ABSENT = object()

# As that tool's runner writes them from 1.4 on.
ROW: dict[str, Any] = {
    "task_id": "real-dev/d1-rate-limit",
    "category": "refactors",
    "route": "aider",
    "router_strategy": "heuristic",
    "seed": 42,
    "tokens": {
        **{"prompt": 9000, "completion": 2000, "cached": 1000, "reasoning": 500},
        **{"local_prompt": 3000, "local_completion": 800, "cloud_prompt": 6000, "cloud_completion": 1200},
    },
    "latency": {"wall_ms": 61500, "per_call_ms": [61500]},
    "quality": {"functional_pass": True, "tests_passed": 7, "tests_total": 7, "composite": 1.0},
    "routing": {"total_calls": 5, "local_calls": 3, "cloud_calls": 2, "per_call_backends": ["call_1/cloud/gpt-5.5"]},
    "output_ref": "results/runs/v1.4/heuristic/seed-42/outputs/aider_d1-rate-limit_heuristic/answer.py",
    "hardware_profile_ref": "M4 Max",
    "started_at": "2026-05-22T10:00:00+00:00",
    "finished_at": "2026-05-22T10:01:01+00:00",
    "error": None,
    "local_model_id": None,
    "cloud_model_id": None,
}


def row(**changes: Any) -> dict[str, Any]:
    """A row with other values; dots are written as `__`, `ABSENT` takes a key out."""
    new: dict[str, Any] = json.loads(json.dumps(ROW))
    for path, value in changes.items():
        *outer, name = path.split("__")
        place = new[outer[0]] if outer else new
        place.pop(name, None)
        if value is not ABSENT:
            place[name] = value
    return new


class Importer:
    """Writes rows into a file and imports it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "theirs" / "raw.jsonl"
        self.output = folder / "results" / "old"

    def __call__(self, *rows: dict[str, Any] | str, local: str | None = LOCAL, cloud: str | None = CLOUD) -> Imported:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        texts = [each if isinstance(each, str) else json.dumps(each) for each in rows]
        self.file.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
        return import_rows(self.file, self.output, local_model=local, cloud_model=cloud)

    def record(self, **changes: Any) -> TrialRecord:
        """The record of one row."""
        (record,) = self(row(**changes)).records
        return record

    def refused(self, **changes: Any) -> str:
        """Why the second row of a file is refused."""
        with pytest.raises((RecordError, ConfigurationError)) as caught:
            self(ROW, row(**changes))
        assert not self.output.exists()
        return str(caught.value)


@pytest.fixture
def theirs(tmp_path: Path) -> Importer:
    return Importer(tmp_path)


# --- a row ------------------------------------------------------------------------------------------------------------


def test_a_row_becomes_a_record(theirs: Importer) -> None:
    record = theirs.record()
    assert (record.trial, record.task) == ("real_dev/d1-rate-limit[heuristic-s42-aider]", "real_dev/d1-rate-limit")
    assert (record.suite, record.task_class, record.task_digest) == ("real_dev", TaskClass.D1, "")
    assert (record.strategy, record.threshold, record.seed, record.agent) == ("heuristic", None, 42, "aider")
    assert (record.local_model, record.cloud_model, record.simulated) == (LOCAL, CLOUD, False)
    assert (record.outcome, record.tests_passed, record.tests_expected) == (Outcome.PASSED, 7, 7)
    assert record.tokens == {
        Tier.LOCAL: TierTokens(calls=3, prompt=3000, completion=800),
        Tier.CLOUD: TierTokens(calls=2, prompt=6000, completion=1200, cached=1000, reasoning=500),
    }
    assert (record.stages.total, record.stages.agent) == (61.5, 61.5)
    assert record.started_at == "2026-05-22T10:00:00+00:00"


@pytest.mark.parametrize(
    ("changes", "suite", "name", "task_class"),
    [
        ({"task_id": "real-dev/d5-csv-dedupe", "category": "D"}, "real_dev", "d5-csv-dedupe", TaskClass.D5),
        ({"task_id": "real-dev/d6-toposort"}, "real_dev", "d6-toposort", TaskClass.D6),
        ({"task_id": "real-dev/csv", "category": "D5"}, "real_dev", "csv", TaskClass.D5),
        ({"task_id": "d1-auth-login", "category": "D1"}, "real_dev", "d1-auth-login", TaskClass.D1),
        ({"task_id": "exercism-python/grep", "category": "puzzles"}, "exercism", "grep", TaskClass.PUZZLE),
        ({"task_id": "exercism-python/grep", "category": "X"}, "exercism", "grep", TaskClass.PUZZLE),
        ({"task_id": "grep", "category": "exercism"}, "exercism", "grep", TaskClass.PUZZLE),
        ({"task_id": "humaneval-plus/HumanEval_9", "category": "A"}, "humaneval-plus", "HumanEval_9", TaskClass.PUZZLE),
        ({"task_id": "swebench-verified/x", "category": "real-prs"}, "swebench-verified", "x", TaskClass.D2),
        ({"task_id": "bigcodebench-hard/B/214", "category": "B"}, "bigcodebench-hard", "B_214", TaskClass.D2),
    ],
)
def test_suite_and_class_follow_from_task_and_category(
    theirs: Importer, changes: dict[str, Any], suite: str, name: str, task_class: TaskClass
) -> None:
    record = theirs.record(**changes)
    assert (record.suite, record.task, record.task_class) == (suite, f"{suite}/{name}", task_class)
    assert lines(theirs.output / "raw.jsonl")[0]["task"] == f"{suite}/{name}"


def test_a_category_that_says_no_class_is_named(theirs: Importer) -> None:
    rows = [row(task_id="one", category="novel"), row(task_id="two", category=ABSENT), row(task_id="real-dev/d4-x")]
    done = theirs(*rows)
    assert [record.task for record in done.records] == ["novel/one", "unknown/two", "real_dev/d4-x"]
    assert {record.task_class for record in done.records} == {TaskClass.PUZZLE}
    assert done.as_json()["unknown_categories"] == {"none": 1, "novel": 1, "refactors": 1}


@pytest.mark.parametrize(
    ("changes", "agent", "strategy", "threshold"),
    [
        ({"route": "cline", "router_strategy": "cascade"}, "cline", "cascade", None),
        ({"router_strategy": "cascade-15"}, "aider", "cascade", 15.0),
        ({"router_strategy": "cascade@7.5"}, "aider", "cascade", 7.5),
        ({"router_strategy": "heuristic-t12"}, "aider", "heuristic", 12.0),
        ({"route": "cascade-15", "router_strategy": "cascade"}, "", "cascade", 15.0),
        ({"route": "cascade-15", "router_strategy": None}, "", "cascade", 15.0),
        ({"route": "always-cloud", "router_strategy": ABSENT}, "", "always-cloud", None),
        (
            {"router_strategy": "cascade", "output_ref": "runs/cascade-threshold-20/seed-7/x.py"},
            "aider",
            "cascade",
            20.0,
        ),
        ({"output_ref": "runs/cascade-threshold-20/seed-7/x.py"}, "aider", "heuristic", None),
        ({"route": "R7"}, "aider", "heuristic", None),
        ({"route": "R10"}, "cline", "heuristic", None),
        ({"route": "R1", "router_strategy": None}, "R1", "always-cloud", None),
        ({"route": "R2", "router_strategy": None}, "R2", "always-local", None),
        ({"route": "R4", "router_strategy": None}, "R4", "R4", None),
        ({"router_strategy": "router-gpt-4"}, "aider", "router-gpt-4", None),
    ],
)
def test_agent_strategy_and_threshold_are_found_where_they_stand(
    theirs: Importer, changes: dict[str, Any], agent: str, strategy: str, threshold: float | None
) -> None:
    record = theirs.record(**changes)
    assert (record.agent, record.strategy, record.threshold) == (agent, strategy, threshold)


def test_the_folder_of_a_threshold_sweep_says_the_threshold(theirs: Importer) -> None:
    theirs.file = theirs.file.parent / "cascade-threshold-5" / "seed-42" / "raw.jsonl"
    record = theirs.record(router_strategy="cascade", output_ref="")
    assert record.threshold == 5.0
    assert record.trial == "real_dev/d1-rate-limit[cascade-t5-s42-aider]"


@pytest.mark.parametrize(
    ("changes", "outcome", "cause"),
    [
        ({"quality__functional_pass": False, "quality__tests_passed": 3}, Outcome.FAILED, FailureMode.TESTS_FAILED),
        ({"error": "agent_timeout_600s"}, Outcome.ERROR, ErrorKind.TIMEOUT),
        ({"error": "aider_exit_1", "quality": None}, Outcome.ERROR, ErrorKind.AGENT),
        ({"error": "aider_not_installed"}, Outcome.ERROR, ErrorKind.AGENT),
        ({"error": "something\nelse"}, Outcome.ERROR, ErrorKind.INTERNAL),
        ({"quality__functional_pass": None}, Outcome.ERROR, ErrorKind.INTERNAL),
        ({"quality": ABSENT}, Outcome.ERROR, ErrorKind.INTERNAL),
    ],
)
def test_no_row_is_dropped(theirs: Importer, changes: dict[str, Any], outcome: Outcome, cause: object) -> None:
    record = theirs.record(**changes)
    assert (record.outcome, record.failure_mode or record.error_kind) == (outcome, cause)
    if changes.get("error"):
        assert record.detail == changes["error"].replace("\n", " ")


# --- tokens -----------------------------------------------------------------------------------------------------------

BOTH_UNKNOWN = {Tier.LOCAL: TierTokens(calls=1, unknown_calls=1), Tier.CLOUD: TierTokens(calls=1, unknown_calls=1)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {"tokens__cloud_prompt": ABSENT, "tokens__cloud_completion": ABSENT, "routing__cloud_calls": ABSENT},
            {
                Tier.LOCAL: TierTokens(3, 3000, 800),
                Tier.CLOUD: TierTokens(2, 6000, 1200, 1000, 500),
            },
            id="the cloud's part is the rest",
        ),
        pytest.param(
            {"tokens": ABSENT},
            {Tier.LOCAL: TierTokens(3, unknown_calls=3), Tier.CLOUD: TierTokens(2, unknown_calls=2)},
            id="no tokens",
        ),
        pytest.param({"tokens": ABSENT, "routing": ABSENT}, BOTH_UNKNOWN, id="neither tokens nor calls"),
        pytest.param(
            {"tokens": ABSENT, "routing": None, "router_strategy": "always-cloud"},
            {Tier.CLOUD: TierTokens(1, unknown_calls=1)},
            id="neither, and only the cloud is asked",
        ),
        pytest.param(
            {"routing": ABSENT},
            {Tier.LOCAL: TierTokens(1, 3000, 800), Tier.CLOUD: TierTokens(1, 6000, 1200, 1000, 500)},
            id="no calls",
        ),
        pytest.param(
            {"routing": {"total_calls": 0, "local_calls": 0, "cloud_calls": 0}},
            {Tier.LOCAL: TierTokens(1, 3000, 800), Tier.CLOUD: TierTokens(1, 6000, 1200, 1000, 500)},
            id="tokens of no call",
        ),
        pytest.param(
            {"tokens": dict.fromkeys(ROW["tokens"], 0), "routing": dict.fromkeys(ROW["routing"], 0)},
            BOTH_UNKNOWN,
            id="passed without a call: the calls were lost",
        ),
        pytest.param(
            {
                "tokens": dict.fromkeys(ROW["tokens"], 0),
                "routing": dict.fromkeys(ROW["routing"], 0),
                "error": "fixture_copy_failed: x",
            },
            {},
            id="an error before the first call",
        ),
        pytest.param(
            {"tokens": dict.fromkeys(ROW["tokens"], 0)},
            {Tier.LOCAL: TierTokens(3, unknown_calls=3), Tier.CLOUD: TierTokens(2, unknown_calls=2)},
            id="calls whose server did not say",
        ),
        pytest.param(
            {"tokens": {"prompt": 100, "completion": 20}},
            {Tier.LOCAL: TierTokens(3, unknown_calls=3), Tier.CLOUD: TierTokens(2, unknown_calls=2)},
            id="totals of two tiers",
        ),
        pytest.param(
            {"tokens": {"prompt": 100, "completion": 20}, "routing": {"total_calls": 4, "local_calls": 4}},
            {Tier.LOCAL: TierTokens(4, 100, 20)},
            id="totals of one tier",
        ),
        pytest.param(
            {"tokens": {"prompt": 100, "completion": 20}, "routing": ABSENT, "router_strategy": "always-local"},
            {Tier.LOCAL: TierTokens(1, 100, 20)},
            id="totals, and only the local model is asked",
        ),
        pytest.param(
            {"tokens__local_completion": ABSENT, "tokens__completion": ABSENT},
            {
                Tier.LOCAL: TierTokens(3, 3000, 0, unknown_calls=3),
                Tier.CLOUD: TierTokens(2, 6000, 1200, 1000, 500),
            },
            id="one number is missing",
        ),
        pytest.param(
            {"tokens__cached": 7000, "tokens__reasoning": ABSENT},
            {Tier.LOCAL: TierTokens(3, 3000, 800, 1000), Tier.CLOUD: TierTokens(2, 6000, 1200, 6000)},
            id="more cached than the cloud had",
        ),
    ],
)
def test_tokens_that_a_row_does_not_say_are_unknown_not_zero(
    theirs: Importer, changes: dict[str, Any], expected: dict[Tier, TierTokens]
) -> None:
    assert theirs.record(**changes).tokens == expected


def test_rows_with_unknown_tokens_are_counted(theirs: Importer) -> None:
    done = theirs(row(tokens=ABSENT), row(seed=7))
    assert done.as_json()["unknown_tokens"] == 1
    assert [record.tokens[Tier.CLOUD].unknown_calls for record in done.records] == [2, 0]


# --- a file -----------------------------------------------------------------------------------------------------------


def test_the_run_is_one_of_ours_and_keeps_the_rows_as_they_were(theirs: Importer) -> None:
    strange = '{"task_id": "a/b", "route":"aider",  "router_strategy":"cascade","new":{"deep":1.50},"error":"x"}'
    done = theirs(row(version="1.4"), strange, row(schema_version="1.6.0", seed=7, variant="v1"))
    run = read_run(theirs.output)
    assert run.records == tuple(done.records)
    assert (theirs.output / "imported.jsonl").read_bytes() == theirs.file.read_bytes()
    manifest = run.manifest
    assert (manifest["run_id"], manifest["simulated"], manifest["trials"]) == ("old", False, 3)
    assert manifest["agent"] == "aider"
    assert (manifest["started_at"], manifest["finished_at"]) == (ROW["started_at"], ROW["finished_at"])
    assert set(manifest["models"]) == {f"local {LOCAL}", f"cloud {CLOUD}"}
    imported = manifest["imported"]
    assert (imported["file"], imported["rows"], imported["versions"]) == ("raw.jsonl", 3, ["1.4", "1.6.0"])
    assert imported["sha256"] == hashlib.sha256(theirs.file.read_bytes()).hexdigest()
    assert imported["unknown_keys"] == [
        *("hardware_profile_ref", "latency.per_call_ms", "new"),
        *("quality.composite", "routing.per_call_backends", "variant"),
    ]


def test_missing_keys_are_counted(theirs: Importer) -> None:
    done = theirs(
        row(seed=None, quality__tests_total=None, version="1.0"),
        row(seed=ABSENT, latency=ABSENT, tokens__cached=ABSENT, schema_version=1.5, category=ABSENT),
        row(tokens=ABSENT),
    )
    assert done.as_json()["missing_keys"] == {
        "category": 1,
        "latency.wall_ms": 1,
        "quality.tests_total": 1,
        "schema_version": 1,
        "seed": 2,
        "tokens.cached": 2,
        "tokens.cloud_completion": 1,
        "tokens.cloud_prompt": 1,
        "tokens.local_completion": 1,
        "tokens.local_prompt": 1,
        "tokens.reasoning": 1,
    }


def test_rows_without_a_seed_are_numbered(theirs: Importer) -> None:
    rows = [row(seed=None, started_at=str(number)) for number in range(3)]
    done = theirs(*rows, row(seed=None, route="cline"))
    assert [(record.agent, record.seed) for record in done.records] == [
        *(("aider", 0), ("aider", 1), ("aider", 2)),
        ("cline", 0),
    ]
    assert done.repeated == 0


def test_every_trial_has_an_id_of_its_own(theirs: Importer) -> None:
    done = theirs(row(), row(started_at="later"), row(), row(route="cline"), row(started_at="last"))
    assert [record.trial for record in done.records] == [
        "real_dev/d1-rate-limit[heuristic-s42-aider]",
        "real_dev/d1-rate-limit[heuristic-s42-aider#2]",
        "real_dev/d1-rate-limit[heuristic-s42-cline]",
        "real_dev/d1-rate-limit[heuristic-s42-aider#3]",
    ]
    assert (done.rows, done.identical, done.repeated) == (5, 1, 2)
    assert len(lines(theirs.output / "imported.jsonl")) == 5


def test_rows_of_several_models_are_several_trials(theirs: Importer) -> None:
    done = theirs(row(local_model_id="a:1"), row(local_model_id="b:1"), local=None)
    assert [(record.trial, record.local_model) for record in done.records] == [
        ("real_dev/d1-rate-limit[heuristic-s42-aider@ollama_a:1+openai_gpt-5.5]", "ollama/a:1"),
        ("real_dev/d1-rate-limit[heuristic-s42-aider@ollama_b:1+openai_gpt-5.5]", "ollama/b:1"),
    ]
    assert done.repeated == 0


def test_models_named_in_rows_need_no_option(theirs: Importer) -> None:
    named = row(local_model_id="qwen3-coder:30b", cloud_model_id="gpt-5.5")
    (record,) = theirs(named, local=None, cloud=None).records
    assert (record.local_model, record.cloud_model) == ("ollama/qwen3-coder:30b", "openai/gpt-5.5")


def test_an_option_may_say_how_a_named_model_was_served(theirs: Importer) -> None:
    (record,) = theirs(row(local_model_id="qwen3-coder:30b"), local="openai/qwen3-coder:30b").records
    assert record.local_model == "openai/qwen3-coder:30b"


def test_blank_lines_are_no_rows_and_line_ends_may_be_of_windows(theirs: Importer) -> None:
    theirs.file.parent.mkdir()
    text = json.dumps(ROW).encode()
    theirs.file.write_bytes(b"\r\n" + text + b"\r\n\n" + text)
    done = import_rows(theirs.file, theirs.output, local_model=LOCAL, cloud_model=CLOUD)
    assert (done.rows, len(done.records)) == (2, 1)
    assert (theirs.output / "imported.jsonl").read_bytes() == text + b"\n" + text + b"\n"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"task_id": ABSENT}, "task_id None names no task"),
        ({"task_id": 7}, "task_id 7 is not a text"),
        ({"route": ABSENT, "router_strategy": None}, "router_strategy None names no strategy"),
        ({"seed": "x"}, "seed 'x' is not a whole number"),
        ({"seed": True}, "seed True is not a whole number"),
        ({"tokens": [1]}, "tokens [1] is not an object"),
        ({"tokens__prompt": -1}, "tokens.prompt -1 is not a whole number"),
        ({"tokens__prompt": 10}, "tokens.prompt 10 is not the sum of its parts, local 3000 and cloud 6000"),
        ({"tokens__prompt": 10, "tokens__cloud_prompt": ABSENT}, "tokens.prompt 10 is not the sum of its parts"),
        ({"latency__wall_ms": "fast"}, "latency.wall_ms 'fast' is not a time"),
        ({"latency__wall_ms": float("nan")}, "latency.wall_ms nan is not a time"),
        ({"quality__functional_pass": "yes"}, "quality.functional_pass 'yes' is neither true nor false"),
        ({"schema_version": "2.0"}, "schema_version '2.0' is not one of 1.0 to 1.6"),
        ({"version": "1.7"}, "version '1.7' is not one of 1.0 to 1.6"),
        ({"local_model_id": "other:7b"}, "local_model_id 'other:7b' is not what --local-model says"),
    ],
)
def test_a_row_that_cannot_be_understood_is_named_with_its_key(
    theirs: Importer, changes: dict[str, Any], said: str
) -> None:
    assert theirs.refused(**changes).startswith(f"{theirs.file}:2: {said}")


@pytest.mark.parametrize(("line", "said"), [("{", "not JSON: "), ("[]", "not a JSON object"), ('{"a', "not JSON: ")])
def test_a_line_that_is_no_row_is_named(theirs: Importer, line: str, said: str) -> None:
    with pytest.raises(RecordError) as caught:
        theirs(ROW, line)
    assert str(caught.value).startswith(f"{theirs.file}:2: {said}")


@pytest.mark.parametrize("tier", ["local", "cloud"])
def test_a_model_that_nobody_names_is_asked_for(theirs: Importer, tier: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        theirs(ROW, **{tier: None})
    assert f"{theirs.file}:1: {tier}_model_id is missing" in str(caught.value)
    assert f"--{tier}-model PROVIDER/NAME" in str(caught.value)


@pytest.mark.parametrize(
    ("model", "said"), [("gemma4:31b", "is not PROVIDER/NAME"), ("simulated/gemma4:31b", "these rows were measured")]
)
def test_a_model_that_cannot_be_is_refused(theirs: Importer, model: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        theirs(ROW, local=model)


def test_a_file_without_rows_is_an_error(theirs: Importer) -> None:
    with pytest.raises(RecordError, match="holds no rows"):
        theirs()
    assert not theirs.output.exists()


def test_nothing_is_written_over(theirs: Importer) -> None:
    theirs(ROW)
    with pytest.raises(ConfigurationError, match="exists already"):
        theirs(row(seed=7))
    assert lines(theirs.output / "raw.jsonl")[0]["seed"] == 42


# --- with others ------------------------------------------------------------------------------------------------------


def test_imported_runs_can_be_merged_and_keep_all_their_rows(theirs: Importer, tmp_path: Path) -> None:
    first = theirs(ROW, row(tokens=ABSENT, variant="x", seed=1)).path
    theirs.output = tmp_path / "results" / "old-7"
    second = theirs(row(seed=7, version="1.4")).path
    merged = merge_runs([first, second, first], tmp_path / "results" / "all").path
    run = read_run(merged)
    assert [record.seed for record in run.records] == [42, 1, 7]
    assert [line.get("seed") for line in lines(merged / "imported.jsonl")] == [42, 1, 7]
    imported = run.manifest["imported"]
    assert (imported["rows"], imported["versions"], imported["missing_keys"]["schema_version"]) == (3, ["1.4"], 2)
    assert [each["rows"] for each in imported["files"]] == [2, 1]
    assert "variant" in imported["unknown_keys"]


def test_an_imported_run_is_not_mixed_with_one_of_ours(theirs: Importer, tmp_path: Path) -> None:
    ours = save(tmp_path / "results" / "ours", [make_record(task="real_dev/d1-rate-limit")])
    with pytest.raises(RunsDiffer):
        merge_runs([ours, theirs(ROW).path], tmp_path / "results" / "all")
