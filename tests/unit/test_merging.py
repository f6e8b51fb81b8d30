"""A merged run holds every trial once with all that belongs to it, or there is no merged run at all."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import make_call
from saved_runs import failed, files, lines, manifest, raw, save, trial

from pytest_hybrideval.core.errors import ConfigurationError, RecordError
from pytest_hybrideval.reporting.merging import Merged, RunsDiffer, merge_runs
from pytest_hybrideval.reporting.runs import list_runs, read_run

OTHER = "samples/csv"


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    """Three runs; the second shares a trial with the first, the third has another task."""
    return [
        save(tmp_path / "shards" / "a", [trial(3), trial(1)]),
        save(tmp_path / "shards" / "b", [trial(1), failed(trial(2))]),
        save(tmp_path / "shards" / "c", [trial(1, task=OTHER)]),
    ]


def test_every_trial_is_there_once_in_the_order_of_runs_and_lines(tmp_path: Path, shards: list[Path]) -> None:
    before = [files(shard) for shard in shards]
    merged = merge_runs(shards, tmp_path / "out" / "all")
    assert merged == Merged(tmp_path / "out" / "all", runs=3, trials=4, calls=4, repeated=1)
    records = [trial(3), trial(1), failed(trial(2)), trial(1, task=OTHER)]
    assert lines(merged.path / "raw.jsonl") == raw(*records)
    assert [call["trial"] for call in lines(merged.path / "calls.jsonl")] == [record.trial for record in records]
    assert read_run(merged.path).records == tuple(records)
    transcripts = {name: text for name, text in files(merged.path).items() if name.startswith("trials/")}
    assert transcripts == {
        "trials/samples/slug/heuristic-s3/transcript.txt": b"samples/slug[heuristic-s3] in a\n",
        "trials/samples/slug/heuristic-s1/transcript.txt": b"samples/slug[heuristic-s1] in a\n",
        "trials/samples/slug/heuristic-s2/transcript.txt": b"samples/slug[heuristic-s2] in b\n",
        "trials/samples/csv/heuristic-s1/transcript.txt": b"samples/csv[heuristic-s1] in c\n",
    }
    assert [path.name for path in merged.path.parent.iterdir()] == ["all"]
    assert [files(shard) for shard in shards] == before


def test_the_manifest_is_of_all_runs(tmp_path: Path) -> None:
    first = save(
        tmp_path / "a", [trial(1)], started_at="2026-11-02T10:00:00+00:00", finished_at="2026-11-02T11:00:00+00:00"
    )
    records = [trial(2, "cascade", task=OTHER)]
    second = save(tmp_path / "b", records, platform="Darwin", workers=["gw0", "gw1"], extra={"kept": 1, "b": 2})
    merged = read_run(merge_runs([first, second], tmp_path / "all").path).manifest
    assert merged["run_id"] == "all"
    assert merged["trials"] == 2
    assert (merged["started_at"], merged["finished_at"]) == ("2026-11-01T10:00:00+00:00", "2026-11-02T11:00:00+00:00")
    assert merged["tasks"] == {"samples/slug": "0" * 64, OTHER: "0" * 64}
    assert merged["workers"] == ["gw0", "gw1"]
    assert merged["platform"] == "Linux | Darwin"
    assert merged["options"]["strategies"] == ["heuristic", "cascade"]
    assert merged["options"]["seeds"] == [1, 2]
    assert "run_id" not in merged["options"]
    assert [original["run_id"] for original in merged["merged"]] == ["a", "b"]
    assert merged["merged"][1] == manifest(
        "b", records, platform="Darwin", workers=["gw0", "gw1"], extra={"kept": 1, "b": 2}
    )


def test_a_shard_that_did_not_finish_leaves_the_whole_unfinished(tmp_path: Path) -> None:
    runs = [save(tmp_path / "a", [trial(1)]), save(tmp_path / "b", [trial(2)], finished_at=None)]
    assert read_run(merge_runs(runs, tmp_path / "all").path).manifest["finished_at"] is None


@pytest.mark.parametrize("again", ["same run twice", "merged and a shard", "merged twice", "in two steps"])
def test_merging_again_changes_nothing(tmp_path: Path, shards: list[Path], again: str) -> None:
    once = merge_runs(shards, tmp_path / "one" / "all").path
    if again == "same run twice":
        runs = [shards[0], *shards]
    elif again == "merged and a shard":
        runs = [once, shards[1]]
    elif again == "merged twice":
        runs = [once, once]
    else:
        runs = [merge_runs(shards[:2], tmp_path / "step").path, *shards[1:]]
    assert files(merge_runs(runs, tmp_path / "two" / "all").path) == files(once)


def test_two_records_of_one_trial_are_named(tmp_path: Path) -> None:
    one = save(tmp_path / "one", [trial(seed) for seed in range(6)])
    two = save(tmp_path / "two", [failed(trial(seed)) if seed else trial(0) for seed in range(6)])
    with pytest.raises(RunsDiffer) as caught:
        merge_runs([one, two], tmp_path / "all")
    said = str(caught.value)
    assert f"samples/slug[heuristic-s1] in {one} and {two}" in said
    assert "s0" not in said
    assert "and 2 more" in said
    assert not (tmp_path / "all").exists()


def test_a_trial_that_ran_with_several_models_is_several(tmp_path: Path) -> None:
    models = {"models": {}}
    one = save(tmp_path / "one", [trial(1), trial(2)], **models)
    two = save(tmp_path / "two", [trial(1, local_model="ollama/q/w:7b")], **models)
    merged = merge_runs([one, two], tmp_path / "all").path
    ids = [
        "samples/slug[heuristic-s1@ollama_gemma4:31b+openai_gpt-5.5]",
        "samples/slug[heuristic-s2]",
        "samples/slug[heuristic-s1@ollama_q_w:7b+openai_gpt-5.5]",
    ]
    assert [record.trial for record in read_run(merged).records] == ids
    assert [call["trial"] for call in lines(merged / "calls.jsonl")] == ids
    assert {path.parent.name for path in merged.glob("trials/samples/slug/*/transcript.txt")} == {
        name.removeprefix("samples/slug[").removesuffix("]") for name in ids
    }
    for again in ([merged, two], [merged, one], [one, merged]):
        repeated = merge_runs(again, tmp_path / f"again-{again[0].name}-{again[1].name}").path
        assert {record.trial for record in read_run(repeated).records} == set(ids)
        assert len(lines(repeated / "raw.jsonl")) == len(lines(repeated / "calls.jsonl")) == 3


def test_calls_of_a_trial_that_made_no_record_stay(tmp_path: Path) -> None:
    calls = [make_call(trial=trial(1).trial, index=0), make_call(trial=trial(1).trial, index=1)]
    run = save(tmp_path / "killed", [trial(1)], calls)
    orphan = make_call(trial="samples/slug[heuristic-s9]")
    with (run / "calls.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({**lines(run / "calls.jsonl")[0], "trial": orphan.trial}) + "\n")
    merged = merge_runs([run, run], tmp_path / "all")
    assert [(call["trial"], call["index"]) for call in lines(merged.path / "calls.jsonl")] == [
        *((call.trial, call.index) for call in calls),
        (orphan.trial, 0),
    ]


def test_runs_without_calls_or_files_can_be_merged(tmp_path: Path) -> None:
    runs = [save(tmp_path / name, [trial(seed)], calls=[]) for seed, name in enumerate("ab")]
    for path in sorted(runs[0].glob("trials/**/*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    merged = merge_runs(runs, tmp_path / "all").path
    assert [path.name for path in sorted(merged.iterdir())] == ["manifest.json", "raw.jsonl", "trials"]


DIFFERENCES: Mapping[str, dict[str, Any]] = {
    "tasks.samples/slug": {"tasks": {"samples/slug": "1" * 64}},
    "agent": {"agent": "aider 0.86.2 whole"},
    "prices": {"prices": "mine.yaml"},
    "models.local ollama/gemma4:31b.digest": {"models": {"local ollama/gemma4:31b": {"digest": "sha256:22"}}},
    "versions.pytest-hybrideval": {"versions": {"pytest-hybrideval": "0.2.0"}},
    "versions.aider-chat": {"versions": {"aider-chat": "0.87.0"}},
    "options.local.temperature": {"options": {"local": {"temperature": 0.5}}},
    "options.local.num_ctx": {"options": {"local": {"num_ctx": 4096}}},
    "options.agent_timeout": {"options": {"agent_timeout": 60.0}},
}


@pytest.mark.parametrize("key", DIFFERENCES)
def test_runs_that_do_not_belong_together_are_refused(tmp_path: Path, key: str) -> None:
    one = save(tmp_path / "one", [trial(1)])
    two = save(tmp_path / "two", [trial(2)], **DIFFERENCES[key])
    with pytest.raises(RunsDiffer) as caught:
        merge_runs([one, two], tmp_path / "all")
    said = str(caught.value)
    assert said.startswith(f"{key} is ")
    assert f" in {one} and " in said
    assert f" in {two}; " in said
    value: Any = DIFFERENCES[key]
    while isinstance(value, dict):
        (value,) = value.values()
    assert repr(value) in said
    assert not (tmp_path / "all").exists()


def test_what_says_nothing_of_the_trials_may_differ(tmp_path: Path) -> None:
    one = save(tmp_path / "one", [trial(1)])
    other = {
        "agent": "",  # no trial got as far as an agent
        "models": {},
        "sandbox": "bubblewrap",
        "platform": "Linux 7",
        "python": "3.12.1",
        "versions": {"pytest-hybrideval": "0.1.0", "aider-chat": "0.86.2", "pytest": "9.1.0", "numpy": "1.26.4"},
        "options": {"strategies": ["always-local"], "thresholds": [5.0], "local": {"slots": 4}, "retries": 1},
    }
    merged = read_run(merge_runs([one, save(tmp_path / "two", [trial(2)], **other)], tmp_path / "all").path).manifest
    assert merged["agent"] == "aider 0.86.2 architect"
    assert merged["versions"] == {
        **{"pytest-hybrideval": "0.1.0", "aider-chat": "0.86.2", "pytest": "9.2.0 | 9.1.0", "numpy": "1.26.4"}
    }
    assert merged["options"] == {"strategies": ["heuristic", "always-local"], "local": {}}


def test_a_run_of_another_schema_is_refused_by_the_reader(tmp_path: Path) -> None:
    run = save(tmp_path / "one", [trial(1)], schema_version=2)
    with pytest.raises(RecordError, match="schema_version is 2"):
        merge_runs([run], tmp_path / "all")


@pytest.mark.parametrize("place", ["one of the runs", "a run", "somebody's folder", "a file"])
def test_nothing_is_written_over(tmp_path: Path, place: str) -> None:
    runs = [save(tmp_path / "one", [trial(1)]), save(tmp_path / "two", [trial(2)])]
    output = tmp_path / "all"
    if place == "one of the runs":
        output = runs[0]
    elif place == "a run":
        save(output, [trial(3)])
    elif place == "somebody's folder":
        output.mkdir()
        (output / "notes.txt").touch()
    else:
        output.touch()
    before = files(tmp_path)
    with pytest.raises(ConfigurationError, match=f"{output} exists already"):
        merge_runs(runs, output)
    assert files(tmp_path) == before


def test_an_empty_folder_may_be_the_place(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    merge_runs([save(tmp_path / "one", [trial(1)])], tmp_path / "all")
    assert (tmp_path / "all" / "raw.jsonl").exists()


def test_latest_stays_the_newest_run_of_pytest(tmp_path: Path) -> None:
    run = save(tmp_path / "one", [trial(1)])
    merge_runs([run], tmp_path / "all")
    assert (tmp_path / "latest").resolve() == run


def test_a_bad_line_leaves_nothing(tmp_path: Path) -> None:
    run = save(tmp_path / "one", [trial(1)])
    with (run / "calls.jsonl").open("a", encoding="utf-8") as file:
        file.write("{\n")
    with pytest.raises(RecordError, match=r"calls\.jsonl:2: not JSON"):
        merge_runs([run], tmp_path / "all")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest", "one"]


def test_a_record_that_points_outside_copies_no_file_there(tmp_path: Path) -> None:
    record = replace(trial(1), task="samples/../../../evil", trial="samples/../../../evil[heuristic-s1]")
    run = save(tmp_path / "runs" / "one", [trial(1)])
    (run / "raw.jsonl").write_text(json.dumps(raw(record)[0]) + "\n", encoding="utf-8")
    (run.parent / "evil" / "heuristic-s1").mkdir(parents=True)
    merged = merge_runs([run], tmp_path / "deep" / "all").path
    assert sorted(files(tmp_path / "deep")) == ["all/calls.jsonl", "all/manifest.json", "all/raw.jsonl"]
    assert sorted(path.name for path in merged.iterdir()) == ["calls.jsonl", "manifest.json", "raw.jsonl"]


# A process of its own that may write no file as long as calls.jsonl will be: the system ends it in the middle of that
# file, or, where it does not heed the signal, refuses to write on, as a full disk does.
LIMITED = """
import resource, signal, sys
from pathlib import Path
from pytest_hybrideval.reporting.merging import merge_runs

signal.signal(signal.SIGXFSZ, signal.SIG_DFL if sys.argv[4] == "killed" else signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
try:
    merge_runs([Path(sys.argv[1])], Path(sys.argv[2]))
except OSError as error:
    sys.exit(f"{error.strerror}")
"""


@pytest.mark.parametrize("how", ["killed", "refused"])
def test_a_merge_that_ends_halfway_leaves_nothing_that_looks_like_a_run(tmp_path: Path, how: str) -> None:
    calls = [make_call(trial=trial(1).trial, index=index) for index in range(50)]
    run = save(tmp_path / "one", [trial(1)], calls)
    args = [str(run), str(tmp_path / "all"), str((run / "calls.jsonl").stat().st_size - 20), how]
    child = subprocess.run(
        [sys.executable, "-c", LIMITED, *args], check=False, timeout=60, capture_output=True, text=True
    )
    assert (child.returncode, child.stderr) == ((-signal.SIGXFSZ, "") if how == "killed" else (1, "File too large\n"))
    left = [path.name for path in tmp_path.iterdir() if path.name not in ("one", "latest")]
    assert [name.startswith(".all.new-") for name in left] == [True] * (how == "killed")
    assert [found.run_id for found in list_runs(tmp_path)] == ["one"]
    assert merge_runs([run], tmp_path / "all").calls == 50
