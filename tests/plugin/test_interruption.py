"""Runs that are cut short keep what was finished, say what was not, and leave no process behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import Bench, outcomes

pytest_plugins = ["pytester"]

BOTH = pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
SECONDS = 30.0

# It hangs with a child of its own and tells the ids of both, not before it has been running for a while: who starts a
# process has a moment in which it runs and nobody has its id yet.
FAKE_AIDER = """\
#!/bin/sh
[ "$1" = --version ] && echo "aider 0.86.2" && exit
sleep 600 &
sleep 0.3
echo "hangs $$ $!" > {pipe}
wait
"""
CONFTEST = """
    from pytest_hybrideval.agents.aider import Aider

    @pytest.fixture
    def agent(trial):
        name = trial.task.name
        return Aider("whole", "./fake-aider") if name.startswith("hang") else ScriptedAgent(requests=0)

    def tell(word):
        if "PYTEST_XDIST_WORKER" not in os.environ:
            with open("news", "w") as pipe:
                pipe.write(word + "\\n")

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logstart(nodeid):
        tell("started")

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(report):
        if report.when == "call":
            tell("recorded")
"""


class Hanging:
    """What runs tell through a pipe: that a trial has begun, that its agent hangs, that its record is written."""

    def __init__(self, folder: Path) -> None:
        pipe = folder / "news"
        os.mkfifo(pipe)
        self._pipe = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
        self._processes: list[int] = []
        program = folder / "fake-aider"
        program.write_text(FAKE_AIDER.format(pipe=pipe))
        program.chmod(0o755)

    def wait(self, run: subprocess.Popen[bytes], hanging: int = 1, recorded: int = 0) -> None:
        """Return when so many agents hang, so many records are written, and the controller knows of all of them.

        Fails where the run ends before.
        """
        ended = os.pidfd_open(run.pid)
        expected = {"hangs": hanging, "recorded": recorded, "started": hanging + recorded}
        news = ""
        try:
            while any(news.count(word) < count for word, count in expected.items()) or not news.endswith("\n"):
                ready, _, _ = select.select([self._pipe, ended], [], [], SECONDS)
                assert self._pipe in ready, f"the run ended or stood still; so far {news!r}"
                news += os.read(self._pipe, 4096).decode()
        finally:
            os.close(ended)
            self._processes = [os.pidfd_open(int(word)) for word in news.split() if word.isdigit()]

    def all_gone(self) -> bool:
        """Whether every process has ended, or does so within seconds."""
        return all(select.select([process], [], [], 5.0)[0] for process in self._processes)

    def close(self) -> None:
        """End what is still there."""
        for process in self._processes:
            try:
                signal.pidfd_send_signal(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
            os.close(process)
        os.close(self._pipe)


@pytest.fixture
def hanging(bench: Bench) -> Iterator[Hanging]:
    """Tasks named hang... get an aider that hangs; the others end at once."""
    found = Hanging(bench.path)
    bench.conftest(CONFTEST)
    yield found
    found.close()


def start(bench: Bench, *args: str) -> subprocess.Popen[bytes]:
    """A run as a user's terminal starts it: in a process group of its own."""
    usual = ("--strategy", "always-cloud", "--hybrid-sandbox", "none", "--hybrid-run-id", "r")
    command = [sys.executable, "-m", "pytest", *usual, *args]
    output = (bench.path / "output.txt").open("wb")
    with output:
        return subprocess.Popen(command, cwd=bench.path, stdout=output, stderr=output, start_new_session=True)


def finish(run: subprocess.Popen[bytes]) -> int:
    """The exit code of a run that is about to end."""
    try:
        return run.wait(SECONDS)
    finally:
        run.kill()


def output(bench: Bench) -> str:
    return (bench.path / "output.txt").read_text()


@BOTH
def test_ctrl_c(bench: Bench, hanging: Hanging, workers: tuple[str, ...]) -> None:
    for name in ("done", "hang"):
        bench.native(name)
    if workers:
        bench.native("hang-too")
    else:
        bench.native("later")
    run = start(bench, *workers)
    hanging.wait(run, hanging=2 if workers else 1, recorded=1)
    os.killpg(run.pid, signal.SIGINT)
    assert finish(run) == pytest.ExitCode.INTERRUPTED, output(bench)
    expected = {"small/done[always-cloud-s42]": "error agent", "small/hang[always-cloud-s42]": "error interrupted"}
    if workers:
        expected["small/hang-too[always-cloud-s42]"] = "error interrupted"
    assert outcomes(bench.records()) == expected
    assert len(bench.records()) == len(expected), "each once"
    assert (bench.directory() / "decision_matrix.md").is_file()
    assert bench.json("manifest.json")["trials"] == len(expected)
    assert hanging.all_gone()


def test_a_worker_that_is_killed(bench: Bench) -> None:
    for name in ("a", "b", "killed", "z"):
        bench.native(name)
    bench.conftest("""
        class Deadly(ScriptedAgent):
            def run(self, job):
                os.kill(os.getpid(), signal.SIGKILL)

        @pytest.fixture
        def agent(trial):
            return Deadly() if trial.task.name == "killed" else ScriptedAgent(requests=0)
    """)
    result = bench.run("-n2", new_process=True)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert outcomes(bench.records()) == {
        "small/a[always-cloud-s42]": "error agent",
        "small/b[always-cloud-s42]": "error agent",
        "small/killed[always-cloud-s42]": "error worker_lost",
        "small/z[always-cloud-s42]": "error agent",
    }
    assert len(bench.records()) == 4, "each once"
    result.assert_outcomes(errors=4)
    lost = next(record for record in bench.records() if record["error_kind"] == "worker_lost")
    assert lost["node_id"] == "small/killed::killed[always-cloud-s42]"
    assert "worker" in lost["detail"]
    assert (bench.directory() / "decision_matrix.md").is_file()


def test_the_agent_of_a_killed_worker_ends_too(bench: Bench, hanging: Hanging) -> None:
    bench.native("hang")
    bench.conftest("""
        def pytest_sessionstart(session):
            if "PYTEST_XDIST_WORKER" in os.environ:
                with open("worker.txt", "w") as file:
                    file.write(str(os.getpid()))
    """)
    run = start(bench, "-n1")
    hanging.wait(run)
    os.kill(int((bench.path / "worker.txt").read_text()), signal.SIGKILL)
    finish(run)
    assert outcomes(bench.records()) == {"small/hang[always-cloud-s42]": "error worker_lost"}
    assert hanging.all_gone()


@pytest.mark.parametrize("workers", [(), ("-n1",)], ids=["plain", "n1"])
def test_pytest_timeout(bench: Bench, hanging: Hanging, workers: tuple[str, ...]) -> None:
    bench.native("done")  # runs first, in the same process: what is slow at first is not part of the second's time
    bench.native("hang")
    bench.conftest("""
        def pytest_collection_modifyitems(items):
            items[-1].add_marker(pytest.mark.timeout(1))
    """)
    run = start(bench, *workers)
    hanging.wait(run)
    assert finish(run) == pytest.ExitCode.TESTS_FAILED, output(bench)
    assert outcomes(bench.records()) == {
        "small/done[always-cloud-s42]": "error agent",
        "small/hang[always-cloud-s42]": "error timeout",
    }
    assert "2 errors in" in output(bench)
    assert hanging.all_gone()


def test_the_agents_own_limit_comes_before_pytest_timeout(bench: Bench, hanging: Hanging) -> None:
    bench.native("hang")
    run = start(bench, "--hybrid-timeout", "0.5")
    hanging.wait(run)
    assert finish(run) == pytest.ExitCode.TESTS_FAILED, output(bench)
    assert bench.record()["error_kind"] in ("agent", None)
    assert hanging.all_gone()
