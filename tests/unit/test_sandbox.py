"""Each sandbox level does what its label says, tried with commands that attempt the opposite."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.sandbox.bubblewrap import Bubblewrap
from pytest_hybrideval.sandbox.choice import Sandbox, choose
from pytest_hybrideval.sandbox.interpreter import interpreter
from pytest_hybrideval.sandbox.process import Job, RunResult

LEVELS = ("bubblewrap", "namespaces", "none")
ENCLOSED = ("bubblewrap", "namespaces")


def level(name: str) -> Sandbox:
    """The sandbox, or a skip with the reason why it does not work here."""
    try:
        return choose(name)
    except ConfigurationError as problem:
        pytest.skip(str(problem))


@pytest.fixture(params=LEVELS)
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Every level that works here."""
    return level(request.param)


@pytest.fixture(params=ENCLOSED)
def enclosed(request: pytest.FixtureRequest) -> Sandbox:
    """Every level that works here and blocks network and files."""
    return level(request.param)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """An empty folder to run in."""
    folder = tmp_path.resolve() / "scratch"
    folder.mkdir()
    return folder


def run(sandbox: Sandbox, scratch: Path, code: str, seconds: float = 20.0, **more: object) -> RunResult:
    """Run Python code in the sandbox."""
    python = interpreter(sys.executable)
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(scratch)}
    job = Job(
        [python.program, "-I", "-c", code],
        scratch,
        environ,
        seconds,
        readable=python.readable,
        **more,  # type: ignore[arg-type]
    )
    return sandbox.run(job)


def alive(mark: str) -> list[str]:
    """The living processes with `mark` on their command line, seen from outside."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            line = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if mark in line and state != "Z":
            found.append(line)
    return found


def test_it_gives_exit_code_output_and_input(sandbox: Sandbox, scratch: Path) -> None:
    code = """
import sys
print(sys.stdin.read())
print("err", file=sys.stderr)
open("made", "w").write("x")
sys.exit(3)
"""
    result = run(sandbox, scratch, code, stdin=b"given")
    assert (result.exit_code, result.stdout, result.stderr) == (3, b"given\n", b"err\n")
    assert not result.timed_out
    assert (scratch / "made").read_text() == "x"


def test_environment_is_exactly_what_was_given(
    sandbox: Sandbox, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-the-user")
    result = run(sandbox, scratch, "import os; print(dict(os.environ))")
    assert result.exit_code == 0
    assert b"OPENAI_API_KEY" not in result.stdout
    assert b"secret-of-the-user" not in result.stdout


def test_time_out_kills_daemons_too(sandbox: Sandbox, scratch: Path) -> None:
    mark = f"daemon-{os.getpid()}-{sandbox.name}"
    sleeper = f"import time; time.sleep(300) # {mark}"
    code = f"""
import os, subprocess, sys, time
for _ in range(2):
    subprocess.Popen([sys.executable, "-c", {sleeper!r}], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        os._exit(0) if os.fork() else subprocess.run([sys.executable, "-c", {sleeper!r}])
print("started", flush=True)
time.sleep(300)
"""
    began = time.monotonic()
    result = run(sandbox, scratch, code, seconds=1.5)
    assert result.timed_out
    assert result.exit_code is None
    assert result.stdout == b"started\n"
    assert time.monotonic() - began < 10
    assert alive(mark) == []


def test_end_of_the_command_ends_its_background_processes(sandbox: Sandbox, scratch: Path) -> None:
    mark = f"left-{os.getpid()}-{sandbox.name}"
    code = f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300) # {mark}"], start_new_session=True)
"""
    result = run(sandbox, scratch, code)
    assert result.exit_code == 0
    assert result.seconds < 10
    assert alive(mark) == []


def test_output_is_cut_and_the_rest_counted(sandbox: Sandbox, scratch: Path) -> None:
    code = "import sys\nfor _ in range(3000): sys.stdout.write('x' * 1000); sys.stderr.write('y' * 1000)"
    result = run(sandbox, scratch, code, stdout_bytes=5000, stderr_bytes=7000)
    assert result.exit_code == 0
    assert result.stdout == b"x" * 5000
    assert result.stderr == b"y" * 7000
    assert result.dropped == 2 * 3_000_000 - 12_000


def test_it_may_be_used_from_many_threads(sandbox: Sandbox, tmp_path: Path) -> None:
    results = {}

    def one(number: int) -> None:
        folder = tmp_path.resolve() / str(number)
        folder.mkdir()
        results[number] = run(sandbox, folder, f"print({number})").stdout

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: f"{number}\n".encode() for number in range(4)}


def test_network_is_refused_and_loopback_works(enclosed: Sandbox, scratch: Path) -> None:
    code = """
import os, socket
outside = socket.socket()
outside.settimeout(3)
try:
    outside.connect(("192.0.2.1", 80))
except OSError as refused:
    print(type(refused).__name__, refused.errno == 101)
print(sorted(name for _, name in socket.if_nameindex()))
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname(), timeout=3)
client.sendall(b"lo works")
print(server.accept()[0].recv(20))
"""
    result = run(enclosed, scratch, code)
    assert result.stdout.decode().splitlines() == ["OSError True", "['lo']", "b'lo works'"], result.stderr


def test_nothing_outside_the_scratch_folder_can_be_written(enclosed: Sandbox, scratch: Path) -> None:
    secret = scratch.parent / "outside.txt"
    secret.write_text("as it was")
    (scratch / "frozen.txt").write_text("as it was")
    places = ["/usr/new", "/etc/new", "/new", "/dev/new", "/proc/sys/kernel/core_pattern", sys.prefix + "/lib/n"]
    code = f"""
import os
for place in {[*places, str(scratch / "frozen.txt")]!r}:
    try:
        open(place, "a").close()
        print("WROTE", place)
    except OSError as refused:
        pass
print(os.path.exists({str(secret)!r}))
open({str(secret)!r}, "w").close()  # Into the private /tmp, where the host's folder is not.
open("/tmp/private", "w").close()
open("inside.txt", "w").close()
"""
    result = run(enclosed, scratch, code, frozen=(scratch / "frozen.txt",))
    assert (result.exit_code, result.stdout, result.stderr) == (0, b"False\n", b"")
    assert secret.read_text() == (scratch / "frozen.txt").read_text() == "as it was"
    assert (scratch / "inside.txt").exists()
    assert not Path("/tmp/private").exists()


def test_home_checkout_and_processes_are_hidden(enclosed: Sandbox, scratch: Path) -> None:
    checkout = Path(__file__).resolve().parents[2]
    hidden = [checkout / "pyproject.toml", checkout / "tests", Path("/etc/shadow"), Path("/root/.bashrc"), Path("/sys")]
    code = f"""
import os
print([name for name in {[str(path) for path in hidden]!r} if os.path.exists(name)])
print(os.path.isdir("/home") and os.listdir("/home"))
print([pid for pid in os.listdir("/proc") if pid.isdigit()], os.getpid())
print([line for line in open("/proc/self/status") if line.startswith("CapEff")])
"""
    result = run(enclosed, scratch, code)
    lines = result.stdout.decode().splitlines()
    assert lines[0] == "[]", result.stderr
    assert lines[2:] == ["['1'] 1", "['CapEff:\\t0000000000000000\\n']"]


def test_what_is_readable_may_lie_below_tmp(enclosed: Sandbox, scratch: Path) -> None:
    tool = scratch.parent / "tool.txt"
    tool.write_text("to be read")
    job = Job(["/bin/cat", str(tool)], scratch, {"PATH": "/usr/bin:/bin"}, 20.0, readable=(tool,))
    assert enclosed.run(job).stdout == b"to be read"


def test_folders_may_lie_elsewhere_inside(enclosed: Sandbox, scratch: Path) -> None:
    home = scratch.parent / "home"
    home.mkdir()
    code = """
import os
print(os.getcwd())
open("/there/kept/made.txt", "w").write("made")
open("frozen.txt", "a")
"""
    (scratch / "frozen.txt").write_text("as it was")
    frozen = (scratch / "frozen.txt",)
    result = run(
        enclosed, scratch, code, shown_at=Path("/there/work"), writable=((home, Path("/there/kept")),), frozen=frozen
    )
    assert result.stdout == b"/there/work\n"
    assert b"Read-only file system: 'frozen.txt'" in result.stderr
    assert (home / "made.txt").read_text() == "made"


def test_sources_of_the_system_are_hidden_but_for_what_is_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many images of containers have the checkout there, with solutions and the environment in it."""
    from pytest_hybrideval.sandbox import view as module

    monkeypatch.setattr(module, "_HIDDEN", ("/usr/share",))
    tool = next(path for path in Path("/usr/share").iterdir() if path.is_dir())
    job = Job(
        ["ls", "-A", "/usr/share"], Path("/tmp"), {"PATH": "/usr/bin:/bin"}, 20.0, readable=(tool, Path("/usr/bin"))
    )
    shown = module.view(job)
    assert (shown.hidden, shown.read_only) == ((Path("/usr/share"),), (tool,))


def test_hidden_folders_are_empty(enclosed: Sandbox, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_hybrideval.sandbox import view as module

    monkeypatch.setattr(module, "_HIDDEN", ("/usr/share",))
    tool = next(path for path in Path("/usr/share").iterdir() if path.is_dir())
    code = ["/bin/sh", "-c", "ls -A /usr/share; touch /usr/share/new"]
    result = enclosed.run(Job(code, scratch, {"PATH": "/usr/bin:/bin"}, 20.0, readable=(tool,)))
    assert result.stdout.decode().split() == [tool.name]
    assert b"Read-only file system" in result.stderr


def test_a_symbolic_link_leads_nowhere(enclosed: Sandbox, scratch: Path) -> None:
    (scratch.parent / "secret.txt").write_text("secret")
    (scratch / "link").symlink_to(scratch.parent / "secret.txt")
    result = run(enclosed, scratch, "print(open('link').read())")
    assert b"FileNotFoundError" in result.stderr


def test_mounting_and_new_privileges_are_refused(enclosed: Sandbox, scratch: Path) -> None:
    code = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None), libc.umount2(b"/usr", 2))
print([line.split()[1] for line in open("/proc/self/status") if line.startswith("NoNewPrivs")])
"""
    assert run(enclosed, scratch, code).stdout.decode().splitlines() == ["-1 -1", "['1']"]


def test_auto_takes_the_best_that_works() -> None:
    works = []
    for name in LEVELS:
        try:
            works.append(choose(name).name)
        except ConfigurationError:
            continue
    assert choose("auto").name == works[0]
    assert choose("auto") is choose(works[0])


def test_label_says_what_is_not_blocked() -> None:
    assert "NOT blocked" in choose("none").label


def test_an_unknown_name_is_refused_with_the_near_one() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'bubblewrap'"):
        choose("bubblewarp")


def test_missing_bubblewrap_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pytest_hybrideval.sandbox import choice as module

    monkeypatch.setenv("PATH", str(tmp_path))
    module.tried.cache_clear()
    try:
        with pytest.raises(ConfigurationError, match="apt-get install bubblewrap"):
            choose("bubblewrap")
    finally:
        module.tried.cache_clear()
        module._best.cache_clear()


def test_a_bwrap_that_does_not_work_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pytest_hybrideval.sandbox import choice as module

    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'no permission to create namespaces' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    module.tried.cache_clear()
    try:
        with pytest.raises(ConfigurationError, match=r"no permission to create namespaces; allow user namespaces"):
            choose("bubblewrap")
    finally:
        module.tried.cache_clear()
        module._best.cache_clear()


def test_command_ends_with_the_jobs_own(scratch: Path) -> None:
    job = Job(["/bin/true", "--flag"], scratch, {}, 1.0)
    command = Bubblewrap("/usr/bin/bwrap").command(job)
    assert command[0] == "/usr/bin/bwrap"
    assert command[-3:] == ["--", "/bin/true", "--flag"]
    assert choose("none").command(job) == ["/bin/true", "--flag"]
