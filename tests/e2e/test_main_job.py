"""The main job as a user runs it: pytest on the repository's benchmarks, real aider, hidden tests, the matrix."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CLOCKS = ("stages", "started_at", "worker", "local_seconds")


def run(results: Path, run_id: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "benchmarks", "-p", "no:cacheprovider", *arguments]
    command += ["--hybrid-results-dir", str(results), "--hybrid-run-id", run_id]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


def records(results: Path, run_id: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (results / run_id / "raw.jsonl").read_text().splitlines()]
    for row in rows:
        for name in CLOCKS:
            del row[name]
    return sorted(rows, key=lambda row: str(row["trial"]))


@pytest.mark.timeout(600)
def test_the_main_job_repeats_exactly_plain_with_workers_and_cold(tmp_path: Path) -> None:
    chosen = ("-k", "d5-log or pig", "--strategy", "heuristic,cascade", "--seeds", "42,7")
    plain = run(tmp_path, "plain", *chosen)
    workers = run(tmp_path, "workers", *chosen, "-n", "2")
    cold = run(tmp_path, "cold", *chosen, "--hybrid-aider-warm", "off", "--hybrid-scoring-warm", "off")
    assert plain.returncode in (0, 1), plain.stdout + plain.stderr
    rows = records(tmp_path, "plain")
    assert len(rows) == 8
    assert {row["outcome"] for row in rows} <= {"passed", "failed"}
    assert any(row["outcome"] == "passed" for row in rows)
    assert all(row["tests_expected"] > 0 and row["simulated"] for row in rows)
    assert all(row["tokens"]["local"]["calls"] for row in rows), "every edit goes to the local tier"
    assert records(tmp_path, "workers") == rows, workers.stdout + workers.stderr
    assert records(tmp_path, "cold") == rows, cold.stdout + cold.stderr
    assert "SIMULATED" in plain.stdout
    assert "decision matrix" in plain.stdout
    assert (tmp_path / "latest").resolve() == tmp_path / "cold"


@pytest.mark.timeout(300)
def test_a_second_try_goes_on_with_the_chat_and_mends_some(tmp_path: Path) -> None:
    chosen = ("-k", "phone-number or list-ops", "--strategy", "always-local", "--seeds", "42,7", "--hybrid-tries", "2")
    ran = run(tmp_path, "tries", *chosen)
    rows = records(tmp_path, "tries")
    assert {row["most_tries"] for row in rows} == {2}, ran.stdout + ran.stderr
    mended = [row for row in rows if row["outcome"] == "passed" and row["tries"] == 2]
    assert mended
    calls = [json.loads(line) for line in (tmp_path / "tries" / "calls.jsonl").read_text().splitlines()]
    first, second = [call["usage"]["prompt"] for call in calls if call["trial"] == mended[0]["trial"]][::2]
    assert second > 2 * first, "the second try sees the first one's conversation"
