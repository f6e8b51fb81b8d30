"""What an agent is shown of the hidden tests before another try."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from builders import make_task

from pytest_hybrideval.scoring.feedback import failure_texts
from pytest_hybrideval.suites.staging import retry_instruction


def report(folder: Path, **fields: Any) -> Path:
    path = folder / "tests.json"
    path.write_text(json.dumps({"tests": [], "collection_errors": [], "timed_out": False, "detail": "", **fields}))
    return path


def test_only_failing_tests_are_shown(tmp_path: Path) -> None:
    tests = [
        {"id": "t.py::good", "outcome": "passed", "text": "never seen"},
        {"id": "t.py::bad", "outcome": "failed", "text": "E  assert 1 == 2"},
        {"id": "t.py::late", "outcome": "not run", "text": ""},
    ]
    assert failure_texts(report(tmp_path, tests=tests)) == "t.py::bad\nE  assert 1 == 2\n\nt.py::late"


def test_what_is_another_at_every_run_is_left_out(tmp_path: Path) -> None:
    text = "/tmp/hybrideval-score-ab12/root/t.py:3: <Cart object at 0x7f00dead>, /tmp/hybrideval-score-ab12/tmp/x"
    tests = [{"id": "t.py::bad", "outcome": "failed", "text": text}]
    assert failure_texts(report(tmp_path, tests=tests)) == "t.py::bad\nt.py:3: <Cart object at 0x0>, tmp/x"


def test_what_could_not_be_collected_comes_first(tmp_path: Path) -> None:
    path = report(tmp_path, collection_errors=[{"id": "t.py", "text": "SyntaxError: what"}])
    assert failure_texts(path) == "t.py\nSyntaxError: what"


def test_long_texts_and_many_tests_are_cut(tmp_path: Path) -> None:
    text = "\n".join(f"line {number}" for number in range(500))
    tests = [{"id": f"t.py::{number}", "outcome": "failed", "text": text} for number in range(30)]
    shown = failure_texts(report(tmp_path, tests=tests))
    assert len(shown) <= 12_000
    assert "line 0\n" in shown
    assert "line 250" not in shown
    short = [{**test, "text": "wrong"} for test in tests]
    assert failure_texts(report(tmp_path, tests=short)).endswith("and 20 more tests")


def test_a_time_out_is_said(tmp_path: Path) -> None:
    assert failure_texts(report(tmp_path, timed_out=True, detail="stopped after 60 s")) == "stopped after 60 s"


def test_without_a_report_there_is_nothing_to_show(tmp_path: Path) -> None:
    assert failure_texts(tmp_path / "tests.json") == ""


def test_backticks_in_the_output_do_not_end_it(tmp_path: Path) -> None:
    told = retry_instruction(make_task(tmp_path, {"a.py": ""}, {"a.py": "x"}), "E ```` in a text")
    assert told.count("`````") == 2
