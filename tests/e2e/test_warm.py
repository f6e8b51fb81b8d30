"""The warm aider is the cold one, only sooner: the same cases run both ways and compared, byte for byte."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pytest_hybrideval.agents.aider import Aider
from pytest_hybrideval.core.domain import ChatRequest, Tier
from pytest_hybrideval.core.errors import AgentUnavailable, BackendError
from pytest_hybrideval.core.protocols import AgentJob
from pytest_hybrideval.gateway import Gateway
from pytest_hybrideval.sandbox.choice import tried
from pytest_hybrideval.testing import Pause, ScriptedBackend, ScriptedStrategy, make_sampling, make_trial

APP = "def hello(name):\n    return 'hi'\n"
WHOLE = "app.py\n```\ndef hello(name):\n    return 'hello, ' + name\n```\n"
DIFF = (
    "app.py\n```python\n<<<<<<< SEARCH\n    return 'hi'\n=======\n    return 'hello, ' + name\n>>>>>>> REPLACE\n```\n"
)
UDIFF = "```diff\n--- app.py\n+++ app.py\n@@ ... @@\n-    return 'hi'\n+    return 'hello, ' + name\n```\n"
NO_MATCH = DIFF.replace("'hi'", "'nowhere'")
NO_NAME = WHOLE.removeprefix("app.py\n").replace("```\n", "", 1)
UNDEFINED = WHOLE.replace("'hello, ' + name", "undefined_name")
BROKEN = WHOLE.replace("return 'hello, ' + name", "return (")
TWO_FILES = WHOLE + "\nnew/util.py\n```\nVALUE = 1\n```\n"
PLAN = "Let `hello` greet by name."
Step = str | Exception | list[Any]


@dataclass(frozen=True)
class Case:
    """What the model answers, in order, and in which format aider asks."""

    edit_format: str
    answers: tuple[Step, ...]
    timeout: float = 60.0
    read_only: tuple[str, ...] = ("README.md",)
    instruction: str = "Make hello greet by name."


CASES = {
    "architect": Case("architect", (PLAN, WHOLE)),
    "architect, lint error, mended": Case("architect", (PLAN, UNDEFINED, WHOLE)),
    "architect, empty plan": Case("architect", ("",)),
    "whole": Case("whole", (WHOLE,)),
    "whole, two files": Case("whole", (TWO_FILES,)),
    "whole, no edit": Case("whole", ("I would rather not.",)),
    "whole, syntax error for ever": Case("whole", (BROKEN, BROKEN, BROKEN, BROKEN)),
    "diff": Case("diff", (DIFF,)),
    "diff, refused, then right": Case("diff", (NO_MATCH, DIFF)),
    "diff, refused for ever": Case("diff", (NO_MATCH,) * 4),
    "udiff": Case("udiff", (UDIFF,)),
    "a permanent API failure": Case("whole", (BackendError("no such model", status=404),)),
    "a stream that breaks, then an answer": Case("whole", (["app.py\n", BackendError("cut")], WHOLE)),
    "a time-out": Case("whole", (["app.py\n", Pause()],), timeout=8.0),
    "a slash in the message": Case("whole", (WHOLE,), instruction="/exit is what users type to leave."),
}


@dataclass
class Outcome:
    """All that can be seen of a run."""

    requests: list[Any]
    files: dict[str, str]
    exit_code: int | None
    timed_out: bool
    malformed: int
    transcript: str = field(repr=False)


def run(agent: Aider, case: Case, folder: Path) -> Outcome:
    """One run, always in the same folder, so that paths in requests and transcripts are the same."""
    shutil.rmtree(folder, ignore_errors=True)
    workspace, home = folder / "workspace", folder / "home"
    home.mkdir(parents=True)
    workspace.mkdir()
    (workspace / "app.py").write_text(APP)
    (workspace / "README.md").write_text("# App\n\nSays hello.\n")
    backend = ScriptedBackend(*case.answers)
    gateway = Gateway(lambda ref, tier: backend)
    gateway.start()
    strategy = ScriptedStrategy(default=Tier.CLOUD)
    session = gateway.open(make_trial(), strategy, dict.fromkeys(Tier, make_sampling()))
    job = AgentJob(
        workspace=workspace,
        home=home,
        instruction=case.instruction,
        files_edit=("app.py",),
        files_read_only=case.read_only,
        base_url=session.base_url,
        api_key=session.key,
        timeout=case.timeout,
        transcript=folder / "transcript.txt",
        doorway=session.doorway,
    )
    try:
        result = agent.run(job)
    finally:
        gateway.stop()
    return Outcome(
        requests=[request.body for request in strategy.requests],
        files={path.relative_to(workspace).as_posix(): path.read_text() for path in _files(workspace)},
        exit_code=result.exit_code,
        timed_out=result.timed_out,
        malformed=result.malformed,
        transcript=job.transcript.read_text(),
    )


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


Agents = Callable[..., Aider]


@pytest.fixture(scope="module")
def agents() -> Iterator[Agents]:
    """Agents by format, warmth and sandbox, made once: a warm one serves all cases one after the other."""
    made: dict[tuple[str, bool, str], Aider] = {}

    def agent(edit_format: str, warm: bool, sandbox: str = "none") -> Aider:
        if (edit_format, warm, sandbox) not in made:
            made[edit_format, warm, sandbox] = Aider(edit_format, warm=warm, sandbox=sandbox)
        return made[edit_format, warm, sandbox]

    yield agent
    for one in made.values():
        one.stop()


@pytest.mark.parametrize("name", CASES)
def test_warm_is_cold(name: str, agents: Agents, tmp_path: Path) -> None:
    compare(CASES[name], agents, tmp_path, "none")


@pytest.mark.parametrize("name", ["architect, lint error, mended", "whole, two files", "diff, refused, then right"])
def test_warm_is_cold_in_an_enclosure(name: str, agents: Agents, tmp_path: Path) -> None:
    if tried("namespaces")[0] is None:
        pytest.skip("no namespaces here")
    compare(CASES[name], agents, tmp_path, "namespaces")


def compare(case: Case, agents: Agents, tmp_path: Path, sandbox: str) -> None:
    """Run a case warm and cold and compare all that can be seen."""
    warm = run(agents(case.edit_format, True, sandbox), case, tmp_path / "run")
    cold = run(agents(case.edit_format, False, sandbox), case, tmp_path / "run")
    assert warm.requests == cold.requests
    assert warm.requests, "the case asks the model at least once"
    assert warm.files == cold.files
    assert (warm.exit_code, warm.timed_out, warm.malformed) == (cold.exit_code, cold.timed_out, cold.malformed)
    assert warm.transcript == cold.transcript


def test_nothing_passes_from_one_run_to_the_next(agents: Agents, tmp_path: Path) -> None:
    agent = agents("whole", True)
    first = run(agent, CASES["whole"], tmp_path / "run")
    for name in ("whole, syntax error for ever", "a permanent API failure", "whole, two files"):
        run(agent, CASES[name], tmp_path / "run")
    assert run(agent, CASES["whole"], tmp_path / "run") == first


def test_a_dead_parent_is_an_error_and_is_restarted(tmp_path: Path) -> None:
    agent = Aider("whole")
    try:
        run(agent, CASES["whole"], tmp_path / "run")
        assert agent.warm is not None
        assert agent.warm.pid is not None
        os.kill(agent.warm.pid, signal.SIGKILL)
        with pytest.raises(AgentUnavailable, match="the next trial starts another"):
            run(agent, CASES["whole"], tmp_path / "run")
        assert run(agent, CASES["whole"], tmp_path / "run").exit_code == 0
    finally:
        agent.stop()


def test_stopping_leaves_no_process(tmp_path: Path) -> None:
    agent = Aider("whole")
    agent.start()
    assert agent.warm is not None
    pid = agent.warm.pid
    agent.stop()
    agent.stop()
    assert pid is not None
    assert not Path(f"/proc/{pid}").exists()


def test_the_parent_ends_with_a_killed_session(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pytest_hybrideval.agents.aider import Aider; a = Aider('whole'); a.start(); "
        "print(a.warm.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as session:
        assert session.stdout is not None
        ended = os.pidfd_open(int(session.stdout.readline()))
        session.kill()
    try:
        signal.pidfd_send_signal(ended, 0)
    except ProcessLookupError:
        return
    finally:
        readable = select.select([ended], [], [], 10.0)[0]
        os.close(ended)
    assert readable, "the warm parent outlived its session"


def test_requests_are_what_strategies_read(agents: Agents, tmp_path: Path) -> None:
    outcome = run(agents("architect", True), CASES["architect"], tmp_path / "run")
    assert len(outcome.requests) == 2
    assert all(ChatRequest(body).stream for body in outcome.requests)
