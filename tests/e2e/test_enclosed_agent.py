"""The agent's own run is enclosed: what it can reach, see and leave behind, tried by a program in aider's place."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from pytest_hybrideval.agents import launch
from pytest_hybrideval.agents.aider import Aider, arguments, environment
from pytest_hybrideval.agents.enclosing import HOME, WORKSPACE, Enclosure, doorway_of, port, sandbox_for
from pytest_hybrideval.agents.process import ProcessResult, run_process
from pytest_hybrideval.agents.warm import Enclosed, WarmParent
from pytest_hybrideval.core.domain import CallFault, Tier
from pytest_hybrideval.core.errors import AgentUnavailable, BackendError, ConfigurationError
from pytest_hybrideval.core.protocols import AgentJob
from pytest_hybrideval.gateway import Gateway, RouterSession
from pytest_hybrideval.sandbox import doorway
from pytest_hybrideval.testing import Pause, ScriptedBackend, ScriptedStrategy, make_sampling, make_trial

ROOT = Path(__file__).resolve().parents[2]
WAYS = ("bubblewrap", "namespaces", "namespaces, warm")
ASK = """
import json, os, sys, urllib.request
def ask(**more):
    body = {"model": "hybrid", "messages": [{"role": "user", "content": "Hello"}], **more}
    return urllib.request.urlopen(urllib.request.Request(
        os.environ["OPENAI_API_BASE"] + "/chat/completions", json.dumps(body).encode(),
        {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}))
"""


def skip_unless_works(level: str) -> None:
    try:
        sandbox_for(level)
    except ConfigurationError as problem:
        pytest.skip(str(problem))


@dataclass
class Place:
    """A trial's folders, and a gateway whose model answers as the test says."""

    folder: Path
    session: RouterSession
    strategy: ScriptedStrategy
    job: AgentJob


Places = Callable[..., Place]


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    """Makes places, each in a folder of another name."""
    gateways: list[Gateway] = []

    def place(*answers: Any, name: str = "one", **of_job: Any) -> Place:
        folder = tmp_path / name
        for part in ("workspace", "home"):
            (folder / part).mkdir(parents=True)
        gateway = Gateway(lambda ref, tier: ScriptedBackend(*answers))
        gateway.start()
        gateways.append(gateway)
        strategy = ScriptedStrategy(default=Tier.CLOUD)
        session = gateway.open(make_trial(), strategy, dict.fromkeys(Tier, make_sampling()))
        job = AgentJob(
            workspace=folder / "workspace",
            home=folder / "home",
            instruction="Make it work.",
            files_edit=(),
            files_read_only=(),
            base_url=session.base_url,
            api_key=session.key,
            timeout=60.0,
            transcript=folder / "transcript.txt",
            doorway=session.doorway,
        )
        return Place(folder, session, strategy, replace(job, **of_job))

    yield place
    for gateway in gateways:
        gateway.stop()


class Cold:
    """Runs a program as the cold agent is run."""

    def __init__(self, level: str) -> None:
        self.level = level
        skip_unless_works(level)
        sandbox = sandbox_for(level)
        assert sandbox is not None
        self.enclosure = Enclosure(sandbox, sys.executable)

    def run(self, code: str, job: AgentJob) -> ProcessResult:
        environ = environment(job, os.environ, HOME)
        with doorway_of(job) as descriptor:
            command = self.enclosure.command(job, (sys.executable, "-I", "-c", code), environ, descriptor)
            return run_process(
                command,
                cwd=job.workspace,
                env=environ,
                timeout=job.timeout,
                output=job.transcript,
                queued=job.queued,
                doorway=descriptor,
            )

    def stop(self) -> None:
        """Nothing is kept."""


class Warm:
    """Runs a program in a child of the warm parent: aider takes it for the command that tests its edits."""

    def __init__(self) -> None:
        skip_unless_works("namespaces")
        sandbox = sandbox_for("namespaces")
        assert sandbox is not None
        self.enclosure = Enclosure(sandbox, sys.executable)
        self.parent = WarmParent()

    def run(self, code: str, job: AgentJob) -> ProcessResult:
        (job.home / "program.py").write_text(code)
        argv = arguments("whole", job, HOME)
        files = argv.index("--")
        argv[files:files] = ["--test", "--test-cmd", f"{sys.executable} -I {HOME}/program.py"]
        with doorway_of(job) as descriptor:
            enclosed = Enclosed(self.enclosure.plan(job), descriptor, port(job))
            return self.parent.run(argv, job, environment(job, os.environ, HOME), enclosed)

    def stop(self) -> None:
        self.parent.stop()


Way = Cold | Warm


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    way = Warm()
    yield way
    way.stop()


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Every way to run an enclosed agent that works here."""
    if request.param == WAYS[-1]:
        found: Warm = request.getfixturevalue("warm")
        return found
    return Cold(request.param)


def found_out(way: Way, place: Place, code: str) -> Any:
    """What the program finds out inside, as it writes it into the workspace."""
    writing = f"\nimport json; open({str(WORKSPACE / 'found.json')!r}, 'w').write(json.dumps(found))\n"
    result = way.run(dedent(code) + writing, place.job)
    assert result.exit_code == 0, place.job.transcript.read_text()
    return json.loads((place.job.workspace / "found.json").read_text())


def test_only_workspace_and_home_can_be_written(way: Way, places: Places) -> None:
    place = places()
    outside = [place.folder / "new", ROOT / "new", "/usr/new", "/etc/new", "/new", "/agent/new", "/dev/new"]
    outside += [Path(sys.prefix, "lib", "new"), "/proc/sys/kernel/core_pattern", place.job.transcript]
    code = f"""
        found = []
        for name in {[str(name) for name in outside]!r}:
            try:
                open(name, "a").close()
                found.append(name)
            except OSError:
                pass
        for folder in {[str(WORKSPACE), str(HOME)]!r}:
            open(folder + "/made.txt", "w").write("made")
    """
    written = found_out(way, place, code)
    assert [name for name in written if not name.startswith("/tmp/")] == []
    assert not any(Path(name).exists() for name in written), "/tmp inside is private, whatever lies in it"
    assert (place.job.workspace / "made.txt").read_text() == (place.job.home / "made.txt").read_text() == "made"
    assert not (place.folder / "new").exists()


def test_no_key_but_its_own_is_seen(way: Way, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-user")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-of-the-user")
    place = places()
    code = """
        import glob, os
        texts = [open(name, "rb").read() for name in glob.glob("/proc/[0-9]*/environ")]
        found = [dict(os.environ), [text.decode() for text in texts]]
    """
    own, all_of_them = found_out(way, place, code)
    assert own["OPENAI_API_KEY"] == place.session.key
    assert (own["HOME"], own["TMPDIR"]) == (str(HOME), str(HOME))
    assert all_of_them
    assert "sk-of-the-user" not in json.dumps([own, all_of_them])


def test_no_file_but_the_workspace_is_seen(way: Way, places: Places) -> None:
    place = places()
    hidden = [ROOT / "benchmarks", ROOT / "tests", ROOT / "pyproject.toml", ROOT / ".git", place.job.transcript]
    hidden += [place.folder, Path.home() / ".bashrc", Path("/etc/shadow"), Path("/sys"), Path("/var"), Path("/opt")]
    # A checkout in a home has its environment there: that is shown, and the two programs of ours that run inside.
    shown = (f"{sys.prefix}/", f"{sys.base_prefix}/", launch.__file__, doorway.__file__)
    code = f"""
        import os
        found = [[name for name in {[str(path) for path in hidden]!r} if os.path.exists(name)]]
        found.append([name for top, _, names in os.walk("/home") for name in (os.path.join(top, n) for n in names)
                      if not name.startswith({shown!r})])
        found.append([os.path.join(top, name) for top, _, names in os.walk("/", followlinks=False)
                      for name in names if name == "task.yaml" or "near_misses" in top])
    """
    assert found_out(way, place, code) == [[], [], []]


def test_no_other_process_is_seen(way: Way, places: Places) -> None:
    with subprocess.Popen(["sleep", "300"]) as other:
        try:
            code = f"""
                import os
                pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
                lines = [open(f"/proc/{{pid}}/cmdline").read() for pid in pids]
                found = [pids[0], len(pids), "sleep\\x00300\\x00" in lines]
                try:
                    os.kill({other.pid}, 9)
                except ProcessLookupError:
                    found.append("gone")
            """
            first, number, sleeps, *gone = found_out(way, places(), code)
        finally:
            alive = other.poll() is None
            other.kill()
    assert (first, sleeps, gone, alive) == (1, False, ["gone"], True)
    assert number <= 4  # aider, its shell, the program


def test_the_gateway_is_reached_and_no_other_port(way: Way, places: Places) -> None:
    place = places("Hi!")
    with socket.create_server(("127.0.0.1", 0)) as other:
        code = f"""{ASK}
import socket
found = [json.load(ask())["choices"][0]["message"]["content"]]
for address in (("127.0.0.1", {other.getsockname()[1]}), ("192.0.2.1", 80)):
    try:
        socket.create_connection(address, timeout=3)
        found.append("connected")
    except OSError as refused:
        found.append(refused.strerror)
"""
        assert found_out(way, place, code) == ["Hi!", "Connection refused", "Network is unreachable"]
    assert [call.error for call in place.session.ledger.calls] == [""]


def test_an_answer_comes_piece_by_piece(way: Way, places: Places) -> None:
    pause = Pause()
    place = places(["one", pause, "two"])
    code = f"""{ASK}
found = []
for line in ask(stream=True):
    if b"content" in line:
        found.append(line.decode())
        open("{WORKSPACE}/heard", "w").close()
"""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(found_out, way, place, code)
        deadline = time.monotonic() + 30
        while not (place.job.workspace / "heard").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        heard = (place.job.workspace / "heard").exists()  # the first piece, before there is a second
        pause.release()
        lines = running.result()
    assert heard
    assert "one" in lines[0]
    assert "two" in lines[1]


def test_a_stream_that_is_cut_is_seen_inside(way: Way, places: Places) -> None:
    place = places(["one", BackendError("the model broke")])
    code = f"{ASK}\nfound = ask(stream=True).read().decode()"
    text = found_out(way, place, code)
    assert "one" in text
    assert "see call 0" in text
    assert "[DONE]" not in text


def test_hanging_up_is_seen_by_the_gateway(way: Way, places: Places) -> None:
    place = places(["one", Pause()])
    code = f"""{ASK}
import time
answer = ask(stream=True)
found = answer.readline().decode()
answer.close()
time.sleep(0.5)
"""
    started = time.monotonic()
    assert "one" in found_out(way, place, code)
    assert time.monotonic() - started < 20
    assert [call.fault for call in place.session.ledger.calls] == [CallFault.HUNG_UP]


def alive(mark: str) -> bool:
    """Whether a process with `mark` on its command line lives, seen from outside."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            if mark in (folder / "cmdline").read_bytes().decode(errors="replace") and state != "Z":
                return True
        except OSError:
            continue
    return False


def sleeper(mark: str) -> str:
    """A program that starts a daemon and waits, both for a long time."""
    daemon = f"import time; time.sleep(300) # {mark}"
    return f"""
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {daemon!r}], start_new_session=True)
open("{WORKSPACE}/started", "w").close()
time.sleep(300) # {mark}
"""


def test_a_time_out_leaves_no_process(way: Way, places: Places) -> None:
    mark = f"overdue-{os.getpid()}-{time.monotonic_ns()}"
    place = places(timeout=4.0)
    result = way.run(sleeper(mark), place.job)
    assert result.timed_out
    assert result.seconds < 9
    assert (place.job.workspace / "started").exists()
    assert not alive(mark)


def test_an_interruption_leaves_no_process(way: Way, places: Places) -> None:
    mark = f"interrupted-{os.getpid()}-{time.monotonic_ns()}"
    place, began = places(), time.monotonic()

    def queued() -> float:
        if (place.job.workspace / "started").exists():
            raise KeyboardInterrupt
        return time.monotonic() - began  # asked again and again

    with pytest.raises(KeyboardInterrupt):
        way.run(sleeper(mark), replace(place.job, timeout=0.2, queued=queued))
    assert not alive(mark)


def test_a_run_whose_session_is_killed_ends(way: Way, tmp_path: Path) -> None:
    """`kill -9` of the process that runs the trial: the enclosure goes with it."""
    mark = f"orphan-{os.getpid()}-{time.monotonic_ns()}"
    started = tmp_path / "one" / "workspace" / "started"
    program = f"""
import sys
sys.path[:0] = [{str(Path(__file__).parent)!r}]
from pathlib import Path
import test_enclosed_agent as those
way = those.Warm() if {isinstance(way, Warm)} else those.Cold({getattr(way, "level", "")!r})
place = next(those.places.__wrapped__(Path({str(tmp_path)!r})))()
way.run({sleeper(mark)!r}, place.job)
"""
    with subprocess.Popen([sys.executable, "-c", program], start_new_session=True) as session:
        deadline = time.monotonic() + 60
        while not started.exists() and time.monotonic() < deadline and session.poll() is None:
            time.sleep(0.05)
        assert started.exists()
        session.kill()
    deadline = time.monotonic() + 10
    while alive(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(mark)


EDIT = "b/one.py\n```\nONE = 2\n```\n"


@pytest.mark.parametrize(
    ("level", "warm", "edit_format"),
    [
        ("bubblewrap", True, "whole"),
        ("namespaces", True, "diff"),
        ("namespaces", False, "whole"),
        ("none", True, "diff"),
    ],
)
def test_equal_trials_ask_the_same_wherever_their_folders_lie(
    level: str, warm: bool, edit_format: str, places: Places
) -> None:
    """aider itself: the folder's name has no influence on the order of files, and in an enclosure on nothing else."""
    skip_unless_works(level)
    agent = Aider(edit_format, warm=warm, sandbox=level)
    files = tuple(f"{folder}/{name}.py" for folder in "cab" for name in ("two", "one", "three"))
    bodies = []
    for name in ("one", "another-of-a-longer-name"):
        place = places(EDIT, EDIT, name=name, files_edit=files[:5], files_read_only=files[5:])
        for file in files:
            (place.job.workspace / file).parent.mkdir(exist_ok=True)
            (place.job.workspace / file).write_text("ONE = 1\n")
        assert agent.run(place.job).exit_code == 0, place.job.transcript.read_text()
        bodies.append([request.body for request in place.strategy.requests])
        if edit_format == "whole":
            assert (place.job.workspace / "b/one.py").read_text() == "ONE = 2\n"
    agent.stop()
    assert bodies[0]
    assert bodies[0] == bodies[1]


def test_levels_have_the_same_requests(places: Places) -> None:
    bodies = {}
    for level in ("none", "namespaces"):
        skip_unless_works(level)
        place = places(EDIT, name=level, files_edit=("b/one.py", "a/two.py"))
        for file in place.job.files_edit:
            (place.job.workspace / file).parent.mkdir(exist_ok=True)
            (place.job.workspace / file).write_text("ONE = 1\n")
        agent = Aider("whole", sandbox=level)
        agent.run(place.job)
        agent.stop()
        bodies[level] = [request.body for request in place.strategy.requests]
    assert bodies["none"] == bodies["namespaces"]


def test_a_rate_limit_of_the_model_does_not_keep_the_agent(places: Places) -> None:
    """Such words in an answer, of whatever status, would have aider ask again until its time is up."""
    agent = Aider("whole", sandbox="auto")
    place = places(BackendError("429: rate limit reached", status=400), files_edit=("app.py",))
    (place.job.workspace / "app.py").write_text("A = 1\n")
    result = agent.run(place.job)
    agent.stop()
    assert result.exit_code == 0
    assert len(place.session.ledger.calls) == 1
    assert "429" in place.session.ledger.calls[0].error
    assert "see call 0" in place.job.transcript.read_text()


def test_a_router_without_a_doorway_is_an_error_of_the_agent(places: Places) -> None:
    skip_unless_works("namespaces")
    agent = Aider("whole", warm=False, sandbox="namespaces")
    with pytest.raises(AgentUnavailable, match="no doorway"):
        agent.run(places(name="none", doorway=None).job)
    with pytest.raises(AgentUnavailable, match="no other address"):
        agent.run(places(name="another", base_url="http://127.0.0.1:9/v1").job)


@pytest.mark.parametrize("warm", [False, True])
def test_an_enclosure_that_cannot_be_made_is_an_error_of_the_agent(warm: bool, places: Places) -> None:
    skip_unless_works("namespaces")
    agent = Aider("whole", warm=warm, sandbox="namespaces")
    place = places()
    lent = place.session.doorway
    assert lent is not None
    base_url = "http://127.0.0.1:80/v1"  # a port that only root may listen at
    with pytest.raises(AgentUnavailable, match=r"could not be enclosed: \w+: .*Permission denied"):
        agent.run(replace(place.job, base_url=base_url, doorway=lambda _: lent(place.session.base_url)))
    agent.stop()


@pytest.mark.parametrize("level", ["bubblewrap", "namespaces"])
def test_an_aider_of_another_environment_is_enclosed_too(level: str, places: Places) -> None:
    skip_unless_works(level)
    agent = Aider("whole", str(Path(sys.executable).with_name("aider")), sandbox=level)
    place = places(EDIT, files_edit=("b/one.py",))
    (place.job.workspace / "b").mkdir()
    (place.job.workspace / "b" / "one.py").write_text("ONE = 1\n")
    assert agent.run(place.job).exit_code == 0
    assert agent.confinement.startswith(f"{level}: no network but the gateway")
    assert (place.job.workspace / "b" / "one.py").read_text() == "ONE = 2\n"


def test_a_command_of_which_nothing_is_known_is_refused_or_said_to_run_without(tmp_path: Path) -> None:
    skip_unless_works("namespaces")
    command = tmp_path / "aider"
    command.write_text("#!/bin/sh\necho aider 9.9\n")
    command.chmod(0o755)
    with pytest.raises(ConfigurationError, match="cannot tell which Python runs it"):
        Aider("whole", str(command), sandbox="namespaces")
    agent = Aider("whole", str(command), sandbox="auto")
    assert agent.label == "aider 9.9 whole"
    assert agent.confinement.startswith("none: network and files are NOT blocked (")
