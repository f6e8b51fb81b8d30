"""Installed but unused: sessions without task folders notice nothing of us."""

from __future__ import annotations

import json

import pytest
from bench import Bench

pytest_plugins = ["pytester"]

HEAVY = (
    "aider",
    "aiohttp",
    "httpx",
    "litellm",
    "matplotlib",
    "numpy",
    "ollama",
    "openai",
    "orjson",
    "pydantic",
    "scipy",
    "stamina",
    "tabulate",
    "yaml",
)
OURS = ("agents", "analysis", "backends", "gateway", "reporting", "scoring", "strategies", "testing", "trial")
SPY = f"""
import json, os, pathlib, sys

def pytest_unconfigure(config):
    names = [name for name in {(*HEAVY, *(f"pytest_hybrideval.{room}" for room in OURS))!r} if name in sys.modules]
    pathlib.Path(__file__).with_name(f"loaded-{{os.getpid()}}.json").write_text(json.dumps(names))
"""


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
def test_ordinary_tests_notice_nothing(bench: Bench, workers: tuple[str, ...]) -> None:
    bench.pytester.makeconftest(SPY)
    bench.pytester.makepyfile("def test_it():\n    pass\n")
    before = {path.name for path in bench.path.iterdir()}
    result = bench.pytest("-p", "no:cacheprovider", *workers, new_process=True)
    result.assert_outcomes(passed=1)
    assert "hybrid" not in result.stdout.str().replace("pytest_hybrideval.plugin", "") + result.stderr.str()
    reports = list(bench.path.glob("loaded-*.json"))
    assert len(reports) == (3 if workers else 1)
    assert [json.loads(report.read_text()) for report in reports] == [[]] * len(reports)
    new = {path.name for path in bench.path.iterdir()} - before
    pytesters_own = ("stdout", "stderr", "loaded-", "runpytest-", "__pycache__")
    assert {name for name in new if not name.startswith(pytesters_own)} == set()


def test_no_tests_at_all(bench: Bench) -> None:
    result = bench.pytest()
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "hybrideval" not in result.stdout.str()
    assert not (bench.path / "results").exists()


def test_options_without_tasks_write_nothing(bench: Bench) -> None:
    bench.pytester.makepyfile("def test_it():\n    pass\n")
    result = bench.pytest("--strategy", "always-cloud", "--hybrid-run-id", "r")
    result.assert_outcomes(passed=1)
    assert "decision matrix" not in result.stdout.str()
    assert not (bench.path / "results").exists()


def test_it_can_be_switched_off(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_PLUGINS", "")
    bench.native()
    (bench.path / "small" / "add" / "workspace" / "test_visible.py").write_text("def test_visible():\n    pass\n")
    bench.pytest("small/add/workspace").assert_outcomes(passed=1)


def test_pytest_finds_the_plugin_by_itself(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    monkeypatch.delenv("PYTEST_PLUGINS")
    bench.native()
    result = bench.pytest("--collect-only", "-q", "-p", "no:hypothesispytest", new_process=True)
    assert "small/add::add[heuristic-t25-s42]" in result.outlines
