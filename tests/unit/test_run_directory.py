"""A run's directory is readable at every moment, loses nothing to a full disk, and says where a bad line stands."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import make_call, make_record

from pytest_hybrideval.core.errors import RecordError
from pytest_hybrideval.core.records import to_json
from pytest_hybrideval.reporting.run_directory import CALLS, RAW, RunDirectory, read_calls, read_trials


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunDirectory]:
    directory = RunDirectory(tmp_path / "results" / "one")
    yield directory
    directory.close()


def test_nothing_is_made_before_there_is_something_to_write(run: RunDirectory) -> None:
    run.flush()
    run.close()
    assert not run.path.parent.exists()


def test_every_record_can_be_read_as_soon_as_it_is_appended(run: RunDirectory) -> None:
    records = [make_record(seed=seed) for seed in range(5)]
    calls = [make_call(index=index) for index in range(10)]
    for count, record in enumerate(records, start=1):
        run.append(record, calls[2 * count - 2 : 2 * count])
        assert list(read_trials(run.path / RAW)) == records[:count]
        assert list(read_calls(run.path / CALLS)) == calls[: 2 * count]
    assert run.records == records
    assert run.problem == ""


def test_a_record_without_calls_writes_no_call(run: RunDirectory) -> None:
    run.append(make_record(), [])
    assert not (run.path / CALLS).exists()


def test_texts_of_any_kind_stay_on_one_line(run: RunDirectory) -> None:
    record = make_record(detail="one\ntwo\r\x0b\x85\u2028three \ud83d ä 𝄞")
    run.append(record, [])
    assert (run.path / RAW).read_bytes().count(b"\n") == 1
    assert list(read_trials(run.path / RAW)) == [record]


def test_a_directory_can_be_added_to_after_it_was_closed(run: RunDirectory) -> None:
    run.append(make_record(seed=1), [])
    run.close()
    run.append(make_record(seed=2), [])
    again = RunDirectory(run.path)
    again.append(make_record(seed=3), [])
    again.close()
    assert [record.seed for record in read_trials(run.path / RAW)] == [1, 2, 3]


def test_latest_points_to_the_run_that_wrote_last(tmp_path: Path) -> None:
    for name in ("one", "two"):
        run = RunDirectory(tmp_path / "results" / name)
        run.append(make_record(), [])
        run.close()
        latest = tmp_path / "results" / "latest"
        assert latest.is_symlink()
        assert latest.resolve() == run.path
        assert latest.readlink() == Path(name)
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["latest", "one", "two"]


def test_a_latest_whose_run_was_deleted_is_replaced(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    (results / "latest").symlink_to("gone")
    RunDirectory(results / "one").write_text("findings.md", "x")
    assert (results / "latest").resolve() == results / "one"


def test_somebodys_own_folder_of_that_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()
    (tmp_path / "latest" / "mine").write_text("x", encoding="utf-8")
    run = RunDirectory(tmp_path / "one")
    run.append(make_record(), [])
    run.close()
    assert (tmp_path / "latest" / "mine").read_text(encoding="utf-8") == "x"
    assert run.problem == ""


def test_a_latest_that_cannot_be_made_costs_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Path, target: object, target_is_directory: bool = False) -> None:
        raise PermissionError(1, "Operation not permitted")  # as file systems without links say

    monkeypatch.setattr(Path, "symlink_to", refused)
    run = RunDirectory(tmp_path / "one")
    run.append(make_record(), [])
    run.close()
    assert list(read_trials(run.path / RAW)) == [make_record()]


def test_whole_files_are_replaced_and_leave_nothing_beside_them(run: RunDirectory) -> None:
    for number in (1, 2):
        run.write_json("manifest.json", {"number": number, "name": "größe"})
        run.write_text("findings.md", f"Finding {number}: größe\n")
    assert json.loads((run.path / "manifest.json").read_text(encoding="utf-8")) == {"number": 2, "name": "größe"}
    assert (run.path / "findings.md").read_text(encoding="utf-8") == "Finding 2: größe\n"
    assert sorted(path.name for path in run.path.iterdir()) == ["findings.md", "manifest.json"]


def test_a_place_that_cannot_be_made_is_a_problem_and_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file", encoding="utf-8")
    run = RunDirectory(tmp_path / "results" / "one")
    run.append(make_record(), [make_call()])
    assert "2 lines could not be written" in run.problem
    assert str(run.path) in run.problem
    (tmp_path / "results").unlink()
    run.flush()
    run.close()
    assert run.problem == ""
    assert list(read_trials(run.path / RAW)) == [make_record()]
    assert list(read_calls(run.path / CALLS)) == [make_call()]


# Runs in a process of its own: the limit holds for every file that the process writes. A line is cut where it
# crosses the limit, as on a full disk; raising the limit again is like making room.
FULL_DISK = """
import json, resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from builders import make_call, make_record
from pytest_hybrideval.reporting.run_directory import RunDirectory

run = RunDirectory(Path(sys.argv[1]))
raw, calls = run.path / "raw.jsonl", run.path / "calls.jsonl"
run.append(make_record(seed=0), [make_call(index=0)])
line = raw.stat().st_size
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (line * 2 + int(sys.argv[3]), hard))
seen = []
for seed in range(1, 5):
    run.append(make_record(seed=seed), [])
    seen.append({"problem": run.problem, "text": raw.read_text()})
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
run.append(make_record(seed=5), [])
seen.append({"problem": run.problem, "text": raw.read_text()})
run.close()
print(json.dumps(seen))
"""


@pytest.mark.parametrize("room", [0, 1, 100])
def test_a_full_disk_cuts_no_line_and_loses_none(tmp_path: Path, room: int) -> None:
    tests = str(Path(__file__).parents[1])
    child = subprocess.run(
        [sys.executable, "-W", "error", "-c", FULL_DISK, str(tmp_path / "one"), tests, str(room)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert child.returncode == 0, child.stderr
    seen = json.loads(child.stdout)

    def seeds(text: str) -> list[int]:
        assert text.endswith("\n")
        return [json.loads(line)["seed"] for line in text.splitlines()]

    assert [seeds(step["text"]) for step in seen] == [[0, 1], [0, 1], [0, 1], [0, 1], [0, 1, 2, 3, 4, 5]]
    assert seen[0]["problem"] == ""
    for waiting, step in enumerate(seen[1:4], start=1):
        assert step["problem"].startswith(f"{waiting} lines could not be written to {tmp_path / 'one'}: ")
    assert seen[-1]["problem"] == ""


GOOD = {RAW: json.dumps(to_json(make_record())), CALLS: json.dumps(to_json(make_call()))}
READERS = [(RAW, read_trials), (CALLS, read_calls)]


@pytest.mark.parametrize(("name", "reader"), READERS)
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{", "not JSON"),
        ("", "not JSON"),
        ('{"task": "x', "not JSON"),
        ("[]", "not a JSON object"),
        ("null", "not a JSON object"),
        ('{"schema_version": 1, "trial": 7}', "field "),
        ('{"schema_version": 99}', "schema_version is 99"),
    ],
)
def test_a_bad_line_is_named_by_file_and_number(tmp_path: Path, name: str, reader: object, bad: str, said: str) -> None:
    path = tmp_path / name
    path.write_text(f"{GOOD[name]}\n{GOOD[name]}\n{bad}\n{GOOD[name]}\n", encoding="utf-8")
    lines = reader(path)  # type: ignore[operator]
    assert next(lines) == next(lines)
    with pytest.raises(RecordError) as caught:
        next(lines)
    assert str(caught.value).startswith(f"{path}:3: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(("name", "reader"), READERS)
def test_a_line_that_is_no_text_is_named_by_file_and_number(tmp_path: Path, name: str, reader: object) -> None:
    path = tmp_path / name
    path.write_bytes(GOOD[name].encode() + b'\n{"task": "\xff"}\n')
    with pytest.raises(RecordError) as caught:
        list(reader(path))  # type: ignore[operator]
    assert str(caught.value).startswith(f"{path}:2: ")


def test_a_last_line_without_its_end_is_read_if_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / RAW
    path.write_text(GOOD[RAW], encoding="utf-8")
    assert list(read_trials(path)) == [make_record()]


def test_an_empty_file_holds_no_records(tmp_path: Path) -> None:
    (tmp_path / RAW).touch()
    assert list(read_trials(tmp_path / RAW)) == []
