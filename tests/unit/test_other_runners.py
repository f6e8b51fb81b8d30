"""Hidden tests that are not Python's: jest, by a stand-in for node, and Harbor's scripts, for real."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import write_files
from test_harbor import harbor

from pytest_hybrideval.core.domain import Task
from pytest_hybrideval.core.errors import ConfigurationError, SandboxError
from pytest_hybrideval.sandbox.choice import Sandbox, choose
from pytest_hybrideval.scoring.hidden_tests import HiddenTestScorer
from pytest_hybrideval.scoring.limits import Limits
from pytest_hybrideval.suites import javascript
from pytest_hybrideval.suites.exercism import ExercismSuite
from pytest_hybrideval.suites.harbor import HarborSuite

# What node would do with jest: take its arguments, look at the code, write the report.
NODE = """\
#!{python}
import json, pathlib, sys
options = dict(word.split("=", 1) for word in sys.argv if word.startswith("--") and "=" in word)
root = pathlib.Path(options["--rootDir"])
specs = sys.argv[sys.argv.index("--runTestsByPath") + 1 :]
code = (root / "slug.js").read_text()
if "crash" in code:
    sys.exit(1)
tests = [
    {{"fullName": f"Slug {{line.split(chr(39))[1]}}", "status": "passed" if "good" in code else "failed", "duration": 5,
     "failureMessages": [] if "good" in code else ["Error: expected a-b"]}}
    for line in pathlib.Path(specs[0]).read_text().splitlines() if line.startswith("test(")
]
told = {{"testResults": [{{"name": specs[0], "status": "passed", "message": "", "assertionResults": tests}}]}}
pathlib.Path(options["--outputFile"]).write_text(json.dumps(told))
sys.exit("good" not in code)
"""
EXERCISE = {
    "slug.js": "export const slug = () => {};\n",
    "slug.spec.js": "test('lowers', () => {});\nxtest('joins', () => {});\n",
    "package.json": "{}",
    "babel.config.js": "module.exports = {};\n",
    ".meta/proof.ci.js": "good\n",
    ".docs/instructions.md": "Make slugs.\n",
    ".meta/config.json": json.dumps(
        {"files": {"solution": ["slug.js"], "test": ["slug.spec.js"], "example": [".meta/proof.ci.js"]}}
    ),
}


@pytest.fixture
def exercise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An exercise, modules above it, and a node that plays jest. It runs where nothing is enclosed: it is Python."""
    folder = tmp_path / "javascript/exercises/practice/slug"
    write_files(folder, EXERCISE)
    for name in ("jest", "babel-jest", "@babel/core", "@exercism/babel-preset-javascript"):
        (tmp_path / "javascript/node_modules" / name).mkdir(parents=True)
    (tmp_path / "javascript/node_modules/jest/package.json").write_text('{"version": "30.0.0"}')
    node = tmp_path / "bin/node"
    node.parent.mkdir()
    node.write_text(NODE.format(python=shutil.which("python3")))
    node.chmod(0o755)
    monkeypatch.setenv("PATH", f"{node.parent}:{os.environ['PATH']}")
    return folder


@pytest.fixture
def scorer() -> HiddenTestScorer:
    return HiddenTestScorer(choose("none"), Limits(), None)


def code(folder: Path, text: str) -> dict[str, Path]:
    return write_files(folder / "produced", {"slug.js": text})


class TestJest:
    def test_every_test_is_switched_on_and_judged(
        self, exercise: Path, scorer: HiddenTestScorer, tmp_path: Path
    ) -> None:
        task = ExercismSuite().load(exercise)
        assert (task.skip, task.suite) == ("", "javascript")
        assert set(task.hidden) == {"slug.spec.js", "package.json", "babel.config.js"}
        good = scorer.score(task, code(tmp_path, "good"))
        assert (good.passed, sorted(good.tests)) == (True, ["slug.spec.js::Slug joins", "slug.spec.js::Slug lowers"])
        assert good.test_seconds == pytest.approx(0.01)
        bad = scorer.score(task, code(tmp_path, "bad"), tmp_path / "report.json")
        assert (bad.passed, set(bad.tests.values())) == (False, {"failed"})
        assert "Error: expected a-b" in bad.detail
        told = json.loads((tmp_path / "report.json").read_text())
        assert told["tests"][0]["text"] == "Error: expected a-b"

    def test_an_end_without_a_report_is_no_pass(self, exercise: Path, scorer: HiddenTestScorer, tmp_path: Path) -> None:
        score = scorer.score(ExercismSuite().load(exercise), code(tmp_path, "crash good"))
        assert (score.passed, score.detail) == (False, "the test runner was killed before it could report")

    def test_an_own_solution_that_fails_cannot_judge(self, exercise: Path, scorer: HiddenTestScorer) -> None:
        (exercise / ".meta/proof.ci.js").write_text("bad")
        with pytest.raises(SandboxError, match="its own solution does not pass"):
            scorer.score(ExercismSuite().load(exercise), code(exercise, "good"))

    def test_what_is_missing_is_said_with_the_command(self, exercise: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        modules = exercise.parents[2] / "node_modules"
        (modules / "babel-jest").rmdir()
        assert "has no babel-jest: cd " in javascript.look(exercise).missing
        shutil.rmtree(modules)
        assert "npm install --no-save jest" in ExercismSuite().load(exercise).skip
        monkeypatch.setenv("PATH", "/nowhere")
        assert javascript.look(exercise).missing == "its hidden tests need node, which is not on PATH"


@pytest.fixture(params=["bubblewrap", "namespaces"])
def enclosing(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    try:
        yield choose(request.param)
    except ConfigurationError as missing:
        pytest.skip(str(missing))


def left(folder: Path, **files: str) -> dict[str, Path]:
    return write_files(folder / "produced", files)


class TestScript:
    def task(self, tmp_path: Path, **changes: Any) -> Task:
        return replace(HarborSuite().load(harbor(tmp_path)), **changes)

    def test_the_reward_decides_over_whatever_the_agent_left(self, tmp_path: Path, enclosing: Sandbox) -> None:
        scorer, task = HiddenTestScorer(enclosing, Limits(), None), self.task(tmp_path)
        good = scorer.score(task, left(tmp_path, **{"sum.txt": "3\n", "notes/any.txt": "x"}))
        assert (good.passed, good.tests) == (True, {"tests/test.sh": "passed"})
        bad = scorer.score(task, left(tmp_path, **{"sum.txt": "4\n"}))
        assert (bad.passed, bad.tests) == (False, {"tests/test.sh": "failed"})

    def test_a_solution_that_fails_its_own_tests_cannot_judge(self, tmp_path: Path, enclosing: Sandbox) -> None:
        harbor(tmp_path, **{"solution/solve.sh": "echo 5 > /app/sum.txt\n"})
        task = HarborSuite().load(tmp_path / "shelf/sum")
        with pytest.raises(SandboxError, match="its own solution does not pass"):
            HiddenTestScorer(enclosing, Limits(), None).score(task, left(tmp_path, **{"sum.txt": "3\n"}))

    def test_without_an_enclosure_it_cannot_be_judged(self, tmp_path: Path, scorer: HiddenTestScorer) -> None:
        with pytest.raises(SandboxError, match="takes an enclosing sandbox"):
            scorer.score(self.task(tmp_path), left(tmp_path, **{"sum.txt": "3\n"}))
