"""The scorer tells a solution from what is none. What tries to pass without being one is in `test_cheats.py`."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pytest_hybrideval.core.domain import Score, Task, TaskClass
from pytest_hybrideval.core.errors import ConfigurationError, SandboxError
from pytest_hybrideval.core.protocols import Scorer
from pytest_hybrideval.sandbox.choice import choose
from pytest_hybrideval.sandbox.process import Job, RunResult
from pytest_hybrideval.scoring.hidden_tests import HiddenTestScorer
from pytest_hybrideval.scoring.limits import MIB, Limits
from pytest_hybrideval.scoring.warm import WarmNamespaces, choose_warm

SOLUTION = "def double(number):\n    return 2 * number\n"
TESTS = """
from solution import double

def test_two():
    assert double(2) == 4

def test_nought():
    assert double(0) == 0
"""


class Builder:
    """Makes tasks and produced files in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        """`folder` receives everything."""
        self.folder = folder
        self.count = 0

    def files(self, texts: Mapping[str, str]) -> dict[str, Path]:
        """Write files into a new folder: name -> path."""
        self.count += 1
        base = self.folder / f"files{self.count}"
        written = {name: base / name for name in texts}
        for name, path in written.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[name])
        return written

    def task(
        self,
        solution: Mapping[str, str] | None = None,
        hidden: Mapping[str, str] | None = None,
        workspace: Mapping[str, str] | None = None,
        seconds: float = 20.0,
    ) -> Task:
        """A task in which the files of the solution may be created."""
        solution = {"solution.py": SOLUTION} if solution is None else solution
        return Task(
            suite="small",
            name="double",
            folder=self.folder,
            task_class=TaskClass.D1,
            title="Double",
            instruction="Write double().",
            workspace=self.files(workspace or {"README.md": "double a number\n"}),
            edit=tuple(name for name in solution if name in (workspace or {})),
            create=tuple(name for name in solution if name not in (workspace or {})),
            read_only=(),
            hidden=self.files(hidden or {"test_solution.py": TESTS}),
            solution=self.files(solution),
            near_misses=(),
            digest=hashlib.sha256(repr((solution, hidden, workspace, seconds)).encode()).hexdigest(),
            scoring_seconds=seconds,
        )


@pytest.fixture
def build(tmp_path: Path) -> Builder:
    """Makes tasks."""
    return Builder(tmp_path)


@pytest.fixture(scope="module", params=["bubblewrap", "namespaces", "namespaces, warm", "none"])
def scorer(request: pytest.FixtureRequest) -> Iterator[HiddenTestScorer]:
    """A scorer for every sandbox level that works here, cold and warm; it keeps the reference ids of equal tasks."""
    name, _, warm = request.param.partition(", ")
    try:
        sandbox = choose(name)
    except ConfigurationError as problem:
        pytest.skip(str(problem))
    warmed = choose_warm(name, sys.executable) if warm else None
    yield HiddenTestScorer(warmed or sandbox, Limits(memory_bytes=512 * MIB), None)
    if warmed:
        warmed.stop()


@pytest.fixture
def scratch_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where scratch folders are made, empty before and after."""
    folder = tmp_path / "scratches"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def score(scorer: HiddenTestScorer, build: Builder, code: str, task: Task | None = None) -> Score:
    """Score a solution.py with that text."""
    return scorer.score(task or build.task(), build.files({"solution.py": code}))


def test_it_is_a_scorer(scorer: HiddenTestScorer) -> None:
    checked: Scorer = scorer
    assert checked.label.startswith(("bubblewrap", "namespaces", "none"))


def test_a_solution_passes(scorer: HiddenTestScorer, build: Builder) -> None:
    result = score(scorer, build, "def double(n):\n    return n + n\n")
    assert result.passed
    assert result.exit_code == 0
    assert result.tests == {"test_solution.py::test_nought": "passed", "test_solution.py::test_two": "passed"}
    assert (result.expected, result.passed_tests, result.detail, result.timed_out) == (2, 2, "", False)


def test_a_wrong_solution_fails_and_the_detail_names_the_test(scorer: HiddenTestScorer, build: Builder) -> None:
    result = score(scorer, build, "def double(n):\n    return n * n * n\n")
    assert not result.passed
    assert result.exit_code == 1
    assert result.tests == {"test_solution.py::test_nought": "passed", "test_solution.py::test_two": "failed"}
    assert result.detail.startswith("1 of 2 tests did not pass: test_solution.py::test_two (assert 8 == 4")


def test_a_missing_file_fails(scorer: HiddenTestScorer, build: Builder) -> None:
    result = scorer.score(build.task(), {})
    assert not result.passed
    assert set(result.tests.values()) == {"missing"}
    assert result.detail == "test_solution.py could not be collected: ModuleNotFoundError: No module named 'solution'"


def test_a_syntax_error_is_told_in_one_line(scorer: HiddenTestScorer, build: Builder) -> None:
    result = score(scorer, build, "def double(n:\n    return n\n")
    assert not result.passed
    assert "SyntaxError" in result.detail
    assert "(solution.py, line 1)" in result.detail
    assert "\n" not in result.detail


def test_only_allowed_regular_files_are_taken(scorer: HiddenTestScorer, build: Builder, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.py"
    target.write_text(SOLUTION)
    link = tmp_path / "solution.py"
    link.symlink_to(target)
    (tmp_path / "folder.py").mkdir()
    fifo = tmp_path / "pipe.py"
    os.mkfifo(fifo)
    report = tmp_path / "report.json"
    for refused in (link, tmp_path / "folder.py", fifo):
        assert not scorer.score(build.task(), {"solution.py": refused}, report).passed
        assert json.loads(report.read_text())["refused_files"] != []


def test_a_link_in_the_path_of_a_file_is_refused(scorer: HiddenTestScorer, build: Builder, tmp_path: Path) -> None:
    hidden = {"test_it.py": "from pack.solution import double\n\ndef test_two():\n    assert double(2) == 4\n"}
    task = build.task({"pack/solution.py": SOLUTION}, hidden)
    real = build.files({"pack/solution.py": SOLUTION})["pack/solution.py"]
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "pack").symlink_to(real.parent)
    assert scorer.score(task, {"pack/solution.py": real}).passed
    assert not scorer.score(task, {"pack/solution.py": linked / "pack/solution.py"}).passed


def test_a_file_that_is_too_large_is_refused(scorer: HiddenTestScorer, build: Builder) -> None:
    assert not score(scorer, build, SOLUTION + "#" * (5 * MIB)).passed


def test_files_beside_the_allowed_ones_are_ignored(scorer: HiddenTestScorer, build: Builder) -> None:
    cheats = {
        "conftest.py": "import pytest\n@pytest.hookimpl(tryfirst=True)\ndef pytest_pyfunc_call(): return True\n",
        "pytest.ini": "[pytest]\naddopts = --collect-only\n",
        "sitecustomize.py": "import os; os._exit(0)\n",
        "pytest.py": "raise SystemExit(0)\n",
    }
    wrong = build.files({"solution.py": "def double(n): return 0\n", **cheats})
    assert not scorer.score(build.task(), wrong).passed
    right = build.files({"solution.py": SOLUTION, **cheats})
    assert scorer.score(build.task(), right).passed


def test_hidden_files_win_over_produced_ones(scorer: HiddenTestScorer, build: Builder) -> None:
    task = build.task({"solution.py": SOLUTION, "test_solution.py": "", "data/values.txt": "4"})
    produced = build.files({"solution.py": "", "test_solution.py": "def test_two(): pass\ndef test_nought(): pass\n"})
    result = scorer.score(task, produced)
    assert not result.passed
    assert "ImportError" in result.detail


def test_a_second_hidden_file_cannot_be_rewritten_by_the_first_import(scorer: HiddenTestScorer, build: Builder) -> None:
    later = "from solution import double\n\ndef test_later():\n    assert double(3) == 6\n"
    task = build.task(hidden={"test_a.py": "import solution\n\ndef test_a():\n    pass\n", "test_b.py": later})
    cheat = """
try:
    open("test_b.py", "w").write("def test_later(): pass")
except OSError:
    import os
    os.chmod(".", 0o700)
def double(n): return 0
"""
    assert not score(scorer, build, cheat, task).passed


def test_an_endless_loop_is_stopped_in_time_and_named(scorer: HiddenTestScorer, build: Builder) -> None:
    task = build.task(seconds=1.5)
    scorer.reference_ids(task)
    began = time.monotonic()
    result = score(scorer, build, "def double(n):\n    while n: pass\n    return 0\n", task)
    assert time.monotonic() - began < 6
    assert result.timed_out
    assert not result.passed
    assert result.exit_code is None
    assert result.detail.endswith("in test_solution.py::test_two")
    assert result.tests == {"test_solution.py::test_nought": "missing", "test_solution.py::test_two": "missing"}


def test_a_wall_limit_of_the_limits_replaces_the_tasks_own(build: Builder) -> None:
    scorer = HiddenTestScorer(choose("auto"), Limits(wall_seconds=1.5), None)
    began = time.monotonic()
    assert score(scorer, build, "while True: pass", build.task(seconds=100)).timed_out
    assert time.monotonic() - began < 10


def test_background_processes_are_ended(scorer: HiddenTestScorer, build: Builder, tmp_path: Path) -> None:
    mark = f"hidden-{os.getpid()}-{tmp_path.name}"
    code = f"""
import os, subprocess, sys
sleeper = [sys.executable, "-c", "import time; time.sleep(300) # {mark}"]
subprocess.Popen(sleeper, start_new_session=True)
if os.fork() == 0:
    os.setsid()
    os._exit(0) if os.fork() else os.execve(sleeper[0], sleeper, {{}})
def double(n): return 2 * n
"""
    result = score(scorer, build, code)
    assert result.seconds < 15
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(mark.encode() in line for line in lines)


def test_memory_is_limited(scorer: HiddenTestScorer, build: Builder) -> None:
    result = score(scorer, build, "def double(n):\n    return bytearray(1 << 30)\n")
    assert not result.passed
    assert "MemoryError" in result.detail


def test_processes_are_limited(build: Builder) -> None:
    scorer = HiddenTestScorer(choose("auto"), Limits(processes=40), None)
    fork = "    if os.fork() == 0:\n        time.sleep(60)\n        os._exit(0)\n"
    bomb = f"import os, time\nfor _ in range(60):\n{fork}time.sleep(60)"
    result = score(scorer, build, bomb)
    assert not result.passed
    assert result.seconds < 15
    assert "more than 40 processes" in result.detail or "BlockingIOError" in result.detail


def test_file_size_is_limited(build: Builder) -> None:
    scorer = HiddenTestScorer(choose("auto"), Limits(file_bytes=MIB), None)
    code = "def double(n):\n    with open('big', 'wb') as f:\n        f.write(bytes(2 << 20))\n"
    assert "OSError: [Errno 27] File too large" in score(scorer, build, code).detail


def test_an_output_flood_is_cut(scorer: HiddenTestScorer, build: Builder, tmp_path: Path) -> None:
    code = (
        "import os\ndef double(n):\n    out = os.dup(2)\n    for fd in (1, 2): os.write(fd, b'captured')\n"
        "    return 2 * n\nimport sys\nfor _ in range(20): sys.__stderr__.write('x' * 1000000)\n"
    )
    report = tmp_path / "report.json"
    result = scorer.score(build.task(), build.files({"solution.py": code}), report)
    assert result.passed
    assert report.stat().st_size < 100_000


def test_an_output_flood_past_pytests_capture_stays_flat(build: Builder, tmp_path: Path) -> None:
    code = """
import os
for fd in range(3, 30):
    try:
        if os.readlink(f"/proc/self/fd/{fd}").startswith("pipe:"):
            for _ in range(400): os.write(fd, b"x" * 100000)
    except OSError:
        pass
def double(n): return 2 * n
"""
    report = tmp_path / "report.json"
    limits = Limits(output_bytes=10_000)
    result = HiddenTestScorer(choose("auto"), limits, None).score(
        build.task(), build.files({"solution.py": code}), report
    )
    assert not result.passed
    assert "channel of the test results" in result.detail or "more messages" in result.detail
    assert report.stat().st_size < 100_000


def test_no_secret_and_no_path_of_the_caller_in_the_environment(
    scorer: HiddenTestScorer, build: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    hidden = """
import os, sys, tempfile
import solution

def test_environment():
    names = {name for name in os.environ if not name.startswith("PYTEST_")} - {"LC_CTYPE", "PWD"}
    assert names == {"PATH", "HOME", "TMPDIR", "LANG", "TZ", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED"}
    assert os.listdir(os.environ["HOME"]) == []
    assert hash("a") == hash("a") and sys.flags.hash_randomization == 0
    assert tempfile.gettempdir() == os.environ["TMPDIR"]
    tempfile.NamedTemporaryFile().close()
    assert "somewhere" not in "".join(sys.path + sys.argv)
    assert sys.path[0] == os.getcwd()
"""
    task = build.task(hidden={"test_environment.py": hidden})
    assert scorer.reference_ids(task) == {"test_environment.py::test_environment"}


def test_every_run_starts_as_a_new_interpreter_does(scorer: HiddenTestScorer, build: Builder) -> None:
    hidden = """
import logging, random, sys, tempfile, warnings
import solution

def test_nothing_of_another_run_is_here():
    assert not [name for name in sys.modules if "rehearsal" in name]
    assert not [path for path in sys.path if "rehearsal" in path]
    assert "tests" not in sys.modules and logging.getLogger().level == logging.WARNING

def test_random_numbers():
    assert random.random() == 2.0
"""
    task = build.task(
        hidden={"test_start.py": hidden}, solution={"solution.py": "import random\nrandom.random = lambda: 2.0\n"}
    )
    told = {score(scorer, build, "", task).detail for _ in range(2)}
    assert len(told) == 2, "two runs drew the same random number"
    assert all("test_random_numbers (assert 0." in detail for detail in told)


def test_the_tests_own_time_is_told_from_the_sandboxs(scorer: HiddenTestScorer, build: Builder) -> None:
    slow = "import time\n\ndef double(n):\n    time.sleep(0.2)\n    return 2 * n\n"
    result = score(scorer, build, slow)
    assert 0.4 <= result.test_seconds < result.seconds


def test_scripts_keep_their_executable_bit(scorer: HiddenTestScorer, build: Builder) -> None:
    hidden = """
import subprocess

def test_greets():
    assert subprocess.run(["./greet.sh", "Ada"], capture_output=True, text=True).stdout == "hello Ada\\n"
"""
    script = '#!/usr/bin/env bash\necho "hello $1"\n'
    task = build.task({"greet.sh": script}, {"test_greet.py": hidden})
    task.solution["greet.sh"].chmod(0o755)
    produced = build.files({"greet.sh": script})
    assert not scorer.score(task, produced).passed
    produced["greet.sh"].chmod(0o755)
    assert scorer.score(task, produced).passed


def test_workspace_files_are_there_and_edited_ones_replaced(scorer: HiddenTestScorer, build: Builder) -> None:
    hidden = """
from pathlib import Path

def test_files():
    assert (Path("a.txt").read_text(), Path("deep/b.txt").read_text()) == ("changed", "original")
"""
    task = build.task({"a.txt": "changed"}, {"test_files.py": hidden}, {"a.txt": "old", "deep/b.txt": "original"})
    assert scorer.score(task, build.files({"a.txt": "changed", "deep/b.txt": "tampered"})).passed
    assert not scorer.score(task, {}).passed


def test_outcomes_are_folded_per_test(scorer: HiddenTestScorer, build: Builder) -> None:
    hidden = """
import pytest
from solution import broken

@pytest.fixture
def bad_setup():
    assert not broken

@pytest.fixture
def bad_teardown():
    yield
    assert not broken

def test_setup(bad_setup): pass
def test_teardown(bad_teardown): pass
def test_skipped(): pytest.skip("never here")
@pytest.mark.xfail
def test_xfailed(): assert False
@pytest.mark.xfail
def test_xpassed(): assert not broken and False
"""
    task = build.task({"solution.py": "broken = False\n"}, {"test_it.py": hidden})
    assert scorer.reference_ids(task) == {"test_it.py::test_setup", "test_it.py::test_teardown"}
    result = score(scorer, build, "class broken:\n    def __bool__(self): return True\nbroken = broken()\n", task)
    outcomes = {name.rpartition("_")[2]: outcome for name, outcome in result.tests.items()}
    assert outcomes == {
        "setup": "error", "teardown": "error", "skipped": "skipped", "xfailed": "xfailed", "xpassed": "xfailed"
    }  # fmt: skip


def test_an_unexpected_pass_counts_as_failed(scorer: HiddenTestScorer, build: Builder) -> None:
    hidden = "import pytest, solution\n\ndef test_a(): pass\n\n@pytest.mark.xfail\ndef test_b(): assert solution.good\n"
    task = build.task({"solution.py": "good = False\n"}, {"test_it.py": hidden})
    result = score(scorer, build, "good = True\n", task)
    assert result.tests["test_it.py::test_b"] == "failed"


def test_a_reference_that_fails_cannot_judge(scorer: HiddenTestScorer, build: Builder) -> None:
    task = build.task({"solution.py": "def double(n): return 4\n"})
    for _ in range(2):
        with pytest.raises(SandboxError, match=r"small/double cannot be judged here.*test_solution\.py::test_nought"):
            score(scorer, build, SOLUTION, task)


def test_a_task_without_tests_cannot_be_judged(build: Builder) -> None:
    scorer = HiddenTestScorer(choose("auto"), Limits(), None)
    with pytest.raises(SandboxError, match=r"no hidden file named test_\*\.py"):
        scorer.score(build.task(hidden={"data.txt": "1"}), {})


class Counting:
    """A sandbox that counts its runs."""

    def __init__(self) -> None:
        """Stand in front of the best sandbox here."""
        self.inner = choose("auto")
        self.name, self.label = self.inner.name, self.inner.label
        self.runs = 0

    def command(self, job: Job) -> list[str]:
        """As the real one."""
        return self.inner.command(job)

    def run(self, job: Job) -> RunResult:
        """Count and run."""
        self.runs += 1
        return self.inner.run(job)


def test_reference_ids_are_found_once_and_kept(build: Builder, tmp_path: Path) -> None:
    cache, task, sandbox = tmp_path / "cache", build.task(), Counting()
    first = HiddenTestScorer(sandbox, Limits(), cache)
    assert first.reference_ids(task) == first.reference_ids(task)
    assert sandbox.runs == 1
    again = HiddenTestScorer(sandbox, Limits(), cache)
    assert again.reference_ids(task) == first.reference_ids(task)
    assert sandbox.runs == 1
    (kept,) = cache.iterdir()
    kept.write_text("{ broken")
    assert len(HiddenTestScorer(sandbox, Limits(), cache).reference_ids(task)) == 2
    assert sandbox.runs == 2
    assert json.loads(kept.read_text())["ids"] == ["test_solution.py::test_nought", "test_solution.py::test_two"]


def test_another_digest_is_another_reference(build: Builder, tmp_path: Path) -> None:
    sandbox = Counting()
    scorer = HiddenTestScorer(sandbox, Limits(), tmp_path / "cache")
    scorer.reference_ids(build.task(seconds=10))
    scorer.reference_ids(build.task(seconds=11))
    assert sandbox.runs == 2


def test_threads_find_a_reference_once(build: Builder) -> None:
    sandbox, task = Counting(), build.task()
    scorer = HiddenTestScorer(sandbox, Limits(), None)
    threads = [threading.Thread(target=scorer.reference_ids, args=(task,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sandbox.runs == 1


class Broken(Counting):
    """A sandbox whose runner does not start."""

    def run(self, job: Job) -> RunResult:
        """Say why and stop."""
        return RunResult(1, False, 0.1, b"", b"bwrap: no permission\n")


def test_a_sandbox_that_breaks_is_infrastructure(build: Builder) -> None:
    with pytest.raises(SandboxError, match=r"did not start in the sandbox .*: bwrap: no permission"):
        HiddenTestScorer(Broken(), Limits(), None).score(build.task(), {})


def test_a_python_without_pytest_is_refused(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text('#!/bin/sh\necho \'{"version": "x", "prefixes": [], "module": null}\'\n')
    bare.chmod(0o755)
    with pytest.raises(ConfigurationError, match="install pytest in that environment"):
        HiddenTestScorer(choose("none"), Limits(), None, python=str(bare))


def test_the_report_tells_people_what_happened(scorer: HiddenTestScorer, build: Builder, tmp_path: Path) -> None:
    report = tmp_path / "trial" / "tests.json"
    scorer.score(build.task(), build.files({"solution.py": "def double(n): return 0\n"}), report)
    told = json.loads(report.read_text())
    assert (told["task"], told["passed"], told["sandbox"]) == ("small/double", False, scorer.label)
    tests = {test["id"]: test for test in told["tests"]}
    assert tests["test_solution.py::test_nought"]["outcome"] == "passed"
    assert "assert 0 == 4" in tests["test_solution.py::test_two"]["text"]


def test_nothing_is_left_even_of_unreadable_folders(
    scorer: HiddenTestScorer, build: Builder, scratch_folder: Path
) -> None:
    code = """
import os
os.makedirs("locked/inner")
open("locked/inner/file", "w").close()
os.chmod("locked/inner", 0)
os.chmod("locked", 0)
def double(n): return 2 * n
"""
    assert score(scorer, build, code).passed
    assert list(scratch_folder.iterdir()) == []


def test_nothing_is_left_of_folders_nested_without_end(build: Builder, scratch_folder: Path) -> None:
    code = """
import os
here = os.getcwd()
for _ in range(1100):
    os.mkdir("deeper")
    os.chdir("deeper")
os.chdir(here)
def double(n): return 2 * n
"""
    assert score(HiddenTestScorer(choose("auto"), Limits(), None), build, code).passed
    assert list(scratch_folder.iterdir()) == []


def test_scratch_in_a_checkout_is_refused(build: Builder, scratch_folder: Path) -> None:
    (scratch_folder / ".git").mkdir()
    with pytest.raises(SandboxError, match="set TMPDIR to a folder outside"):
        HiddenTestScorer(choose("auto"), Limits(), None).score(build.task(), {})


def test_network_is_refused_while_tests_may_use_loopback(build: Builder) -> None:
    hidden = """
import socket
import solution

def test_loopback():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=3).close()

def test_outside():
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=2)
    except OSError as refused:
        assert refused.errno == 101
"""
    tried = 0
    for name in ("bubblewrap", "namespaces"):
        try:
            scorer = HiddenTestScorer(choose(name), Limits(), None)
        except ConfigurationError:
            continue
        tried += 1
        assert len(scorer.reference_ids(build.task(hidden={"test_net.py": hidden}))) == 2
    if not tried:
        pytest.skip("no sandbox that blocks the network works here")


POLLUTES = """
import os, pathlib, random, sys, types
os.environ["POLLUTED"] = "1"
os.umask(0o777)
sys.modules["polluted"] = types.ModuleType("polluted")
sys.path.append("/polluted")
sys.setrecursionlimit(4321)
random.seed(1)
for folder in ("/tmp", os.environ["TMPDIR"], os.environ["HOME"]):
    try:
        pathlib.Path(folder, "polluted").write_text("1")
    except OSError:
        pass

def double(number):
    return 2 * number
"""
CLEAN = """
import os, pathlib, sys
assert "POLLUTED" not in os.environ
assert "polluted" not in sys.modules
assert "/polluted" not in sys.path
assert sys.getrecursionlimit() != 4321
assert os.umask(0o022) != 0o777
for folder in ("/tmp", os.environ["TMPDIR"], os.environ["HOME"]):
    assert not pathlib.Path(folder, "polluted").exists()

def double(number):
    return 2 * number
"""


def test_what_one_run_changes_does_not_reach_the_next(scorer: HiddenTestScorer, build: Builder) -> None:
    if scorer.label.startswith("none"):
        pytest.skip("a plain process can write to the machine's own /tmp")
    assert score(scorer, build, POLLUTES).passed
    assert score(scorer, build, CLEAN).passed


@pytest.fixture
def warm() -> Iterator[WarmNamespaces]:
    """A warm sandbox of this test's own."""
    found = choose_warm("auto", sys.executable)
    if found is None:
        pytest.skip("Linux namespaces do not work here, and warm scoring needs them")
    yield found
    found.stop()


def test_a_dead_warm_runner_is_an_error_and_is_restarted(warm: WarmNamespaces, build: Builder) -> None:
    scorer = HiddenTestScorer(warm, Limits(), None)
    task = build.task()
    assert score(scorer, build, SOLUTION, task).passed
    assert warm.pid is not None
    os.kill(warm.pid, signal.SIGKILL)
    with pytest.raises(SandboxError, match="the next trial starts another"):
        score(scorer, build, SOLUTION, task)
    assert score(scorer, build, SOLUTION, task).passed


def test_a_stopped_warm_runner_is_gone(warm: WarmNamespaces) -> None:
    warm.start()
    pid = warm.pid
    warm.stop()
    warm.stop()
    assert not Path(f"/proc/{pid}").exists()


def test_warm_is_for_the_levels_that_it_serves() -> None:
    assert choose_warm("bubblewrap", sys.executable) is None
    assert choose_warm("none", sys.executable) is None
