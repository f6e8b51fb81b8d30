"""No file that only tries to pass is taken for a solution, at any sandbox level that works here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import make_call

from pytest_hybrideval.core.domain import AgentResult, FailureMode, Outcome, Task
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.records import Ledger
from pytest_hybrideval.sandbox.choice import choose
from pytest_hybrideval.scoring.hidden_tests import HiddenTestScorer
from pytest_hybrideval.scoring.limits import MIB, Limits
from pytest_hybrideval.scoring.verdict import Left, judge
from pytest_hybrideval.scoring.warm import choose_warm
from pytest_hybrideval.testing.cheats import (
    NOT_BLOCKED,
    TAMPERING,
    Cheat,
    cheat_task,
    cheats,
    fits,
    leave,
    named,
    surroundings,
)

CHEATS = tuple(cheats())
LIMITS = Limits(memory_bytes=512 * MIB, processes=40, file_bytes=8 * MIB)
MARK = f"cheat-{os.getpid()}"


@pytest.fixture(scope="module", params=["bubblewrap", "namespaces", "namespaces, warm", "none"])
def level(request: pytest.FixtureRequest) -> Iterator[tuple[str, HiddenTestScorer]]:
    """Every level that works here, cold and warm, with a scorer."""
    name, _, warm = request.param.partition(", ")
    try:
        sandbox = choose(name)
    except ConfigurationError as problem:
        pytest.skip(str(problem))
    warmed = choose_warm(name, sys.executable) if warm else None
    yield name, HiddenTestScorer(warmed or sandbox, LIMITS, None)
    if warmed:
        warmed.stop()


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """What the cheats do not solve."""
    return cheat_task(tmp_path_factory.mktemp("task"))


@pytest.mark.parametrize("cheat", CHEATS, ids=[cheat.name for cheat in CHEATS])
def test_a_cheat_does_not_pass(
    cheat: Cheat, level: tuple[str, HiddenTestScorer], task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, scorer = level
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with surroundings(task, tmp_path / "elsewhere", MARK) as facts:
        score = scorer.score(task, leave(cheat, tmp_path / "produced", facts))
    expected = cheat.expected(name)
    assert fits(named(score), expected), f"{cheat.tries} {named(score)} instead of {expected}: {score.detail}"
    assert score.detail or score.passed
    assert not alive(MARK)
    written = (tmp_path / "elsewhere" / "written.txt").exists()
    assert written is (name == "none" and cheat.name == "written_outside")


def test_the_solution_passes(level: tuple[str, HiddenTestScorer], task: Task) -> None:
    score = level[1].score(task, task.solution)
    assert (score.passed, score.tampering, score.detail) == (True, False, "")


def test_what_a_level_cannot_block_is_said() -> None:
    assert any(cheat.expected("none") == NOT_BLOCKED for cheat in CHEATS)
    for name in ("bubblewrap", "namespaces", "docker"):
        assert not [cheat.name for cheat in CHEATS if cheat.expected(name) == NOT_BLOCKED]
    assert len({cheat.tries for cheat in CHEATS}) == len(CHEATS)


def test_tampering_is_a_failure_with_its_own_mode(task: Task, tmp_path: Path) -> None:
    cheat = next(cheat for cheat in CHEATS if cheat.name == "key_sought_by_gc")
    assert cheat.expected("none") == TAMPERING
    score = HiddenTestScorer(choose("none"), LIMITS, None).score(task, leave(cheat, tmp_path, {}))
    left = Left(edited=True, elsewhere=(), syntax_error="")
    verdict = judge(Ledger([make_call()]), AgentResult(exit_code=0, seconds=1.0), left, score)
    assert (verdict.outcome, verdict.failure_mode) == (Outcome.FAILED, FailureMode.TAMPERING)
    assert verdict.detail.startswith("the tested code tampered with its tests: it searched the interpreter's memory")


def alive(mark: str) -> list[int]:
    """The living processes with `mark` on their command line."""
    found = []
    for home in Path("/proc").glob("[0-9]*"):
        try:
            state = (home / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
            line = (home / "cmdline").read_bytes()
        except OSError:
            continue
        if mark.encode() in line and state != "Z":
            found.append(int(home.name))
    return found
