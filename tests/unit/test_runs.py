"""Runs are found by every name a user has for them, read whole or not at all, and listed even where one is damaged."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from saved_runs import failed, save, trial

from pytest_hybrideval.core.domain import ErrorKind, Outcome
from pytest_hybrideval.core.errors import ConfigurationError, RecordError
from pytest_hybrideval.reporting.runs import RunSummary, by_duckdb, by_python, list_runs, read_run, resolve_run


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


# --- finding ----------------------------------------------------------------------------------------------------------


def test_a_run_is_found_by_all_its_names(results: Path) -> None:
    save(results / "one", [trial(1)])
    newest = save(results / "two", [trial(2)])
    for name in (newest, str(newest), newest / "raw.jsonl", "two", "latest", results / "latest"):
        assert resolve_run(name, results) == newest
    assert resolve_run("one", results) == results / "one"


def test_a_path_goes_over_an_id(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(results / "one", [trial(1)])
    save(tmp_path / "one", [trial(2)])
    monkeypatch.chdir(tmp_path)
    assert resolve_run("one", results) == Path("one")


@pytest.mark.parametrize("name", ["gone", "latest", "empty", "one/manifest.json"])
def test_what_is_no_run_is_one_error_that_names_the_places(results: Path, name: str) -> None:
    save(results / "one", [trial(1)])
    (results / "latest").unlink()
    (results / "empty").mkdir()
    with pytest.raises(ConfigurationError) as caught:
        resolve_run(name, results)
    assert f"no run '{name}'" in str(caught.value)
    assert f"{results / name}/raw.jsonl" in str(caught.value)


def test_a_latest_whose_run_is_gone_is_no_run(results: Path) -> None:
    results.mkdir()
    (results / "latest").symlink_to("gone")
    with pytest.raises(ConfigurationError, match="no run 'latest'"):
        resolve_run("latest", results)


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_run_is_its_manifest_and_its_records(results: Path) -> None:
    records = (trial(1), failed(trial(2)))
    run = read_run(save(results / "one", records))
    assert run.path == results / "one"
    assert run.manifest["run_id"] == "one"
    assert run.records == records


def test_half_a_last_line_is_named_with_what_to_do(results: Path) -> None:
    path = save(results / "killed", [trial(1), trial(2)])
    with (path / "raw.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"trial": "samples/sl')
    with pytest.raises(RecordError) as caught:
        read_run(path)
    assert str(caught.value).startswith(f"{path / 'raw.jsonl'}:3: not JSON")
    assert "delete the line" in str(caught.value)
    content = (path / "raw.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (path / "raw.jsonl").write_text("".join(content[:2]), encoding="utf-8")
    assert read_run(path).records == (trial(1), trial(2))


def test_a_bad_line_in_the_middle_is_not_to_be_deleted(results: Path) -> None:
    path = save(results / "one", [trial(1)])
    text = (path / "raw.jsonl").read_text(encoding="utf-8")
    (path / "raw.jsonl").write_text(f"{{\n{text}{{", encoding="utf-8")
    with pytest.raises(RecordError) as caught:
        read_run(path)
    assert str(caught.value).startswith(f"{path / 'raw.jsonl'}:1: ")
    assert "delete" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "manifest.json is missing"),
        ("{", "manifest.json: not JSON"),
        ("[]", "manifest.json: schema_version is None"),
        ('{"schema_version": 2}', "manifest.json: schema_version is 2, this version reads 1"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_named(results: Path, content: str | None, said: str) -> None:
    path = save(results / "one", [trial(1)])
    (path / "manifest.json").unlink()
    if content is not None:
        (path / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(RecordError, match=said) as caught:
        read_run(path)
    assert str(path) in str(caught.value)


# --- listing ----------------------------------------------------------------------------------------------------------


def with_duckdb(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("duckdb", reason="duckdb is not installed: pip install 'pytest-hybrideval[runs]'")


def without_duckdb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)


@pytest.fixture(params=[with_duckdb, without_duckdb])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    request.param(monkeypatch)


@pytest.mark.usefixtures("either_way")
def test_the_list_has_a_row_for_every_run(results: Path) -> None:
    late = [trial(20, "cascade", local_model="ollama/b"), failed(trial(21, "cascade")), trial(22)]
    late += [replace(trial(23), outcome=Outcome.ERROR, error_kind=ErrorKind.BACKEND)]
    save(results / "a-late", late)
    save(results / "b-early", [replace(trial(3), simulated=True), replace(trial(4), simulated=True)])
    (results / ".a.new-1").mkdir()
    (results / ".a.new-1" / "raw.jsonl").touch()
    (results / "README.md").touch()
    pair = "ollama/gemma4:31b + openai/gpt-5.5"
    assert list_runs(results) == [
        RunSummary("b-early", "2026-11-04T10:00:00.000+00:00", 2, 2, 0, 0, ("heuristic",), (pair,), True),
        RunSummary(
            *("a-late", "2026-11-21T10:00:00.000+00:00", 4, 2, 1, 1),
            strategies=("cascade", "heuristic"),
            models=("ollama/b + openai/gpt-5.5", pair),
            simulated=False,
        ),
    ]


@pytest.mark.usefixtures("either_way")
def test_damaged_runs_are_listed_with_what_can_be_read(results: Path) -> None:
    for name in ("killed", "strange", "empty", "unreadable", "whole", "texts", "a[1]"):
        save(results / name, [trial(1), trial(2, detail="a\ud83d ä 𝄞")])
    raw = {path.name: path / "raw.jsonl" for path in results.iterdir()}
    raw["killed"].write_bytes(raw["killed"].read_bytes()[:-40])
    raw["strange"].write_text('{"outcome": "lost"}\n[]\n7\n{}\n', encoding="utf-8")
    raw["empty"].write_bytes(b"")
    raw["unreadable"].write_bytes(b"\xff\xfe\x00\n\n")
    found = {run.run_id: (run.trials, run.unreadable) for run in list_runs(results)}
    assert found == {
        "killed": (1, 1),
        "strange": (0, 4),
        "empty": (0, 0),
        "unreadable": (0, 2),
        "whole": (2, 0),
        "texts": (2, 0),
        "a[1]": (2, 0),
    }


@pytest.mark.usefixtures("either_way")
def test_an_empty_run_among_whole_ones_is_listed(results: Path) -> None:
    save(results / "whole", [trial(1)])
    (save(results / "empty", [trial(2)]) / "raw.jsonl").write_bytes(b"")
    assert [(run.run_id, run.trials, run.started) for run in list_runs(results)] == [
        ("empty", 0, ""),
        ("whole", 1, trial(1).started_at),
    ]


@pytest.mark.usefixtures("either_way")
def test_a_directory_without_runs_is_an_empty_list_and_none_an_error(results: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"no results directory {results}"):
        list_runs(results)
    results.mkdir()
    assert list_runs(results) == []


def test_duckdb_does_the_reading_where_it_can(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_duckdb(monkeypatch)
    monkeypatch.chdir(results.parent)
    for number in range(1, 4):
        save(Path("results") / f"r{number}", [trial(seed) for seed in range(number)])
    for place in ("results", "./results/", "results/../results", results):
        files = sorted(Path(place).glob("r*/raw.jsonl"))
        by_query = by_duckdb(files)
        assert by_query is not None
        assert [run.trials for run in by_query] == [1, 2, 3]
        assert by_query == by_python(files) == list_runs(Path(place))
