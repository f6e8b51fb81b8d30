"""The docker level without an engine: its command line, and that it is refused where it cannot work."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.sandbox import choice
from pytest_hybrideval.sandbox.choice import choose
from pytest_hybrideval.sandbox.docker import Docker
from pytest_hybrideval.sandbox.process import Job
from pytest_hybrideval.testing import SANDBOX_CHECKS, SandboxCheck

# Plays client and engine: it notes what it was asked, and runs a container's command as a plain process.
ENGINE = """#!{python} -I
import json, os, pathlib, subprocess, sys
home = pathlib.Path({home!r})
arguments = sys.argv[1:]
with (home / "asked.jsonl").open("a") as file:
    file.write(json.dumps({{"arguments": arguments, "environ": sorted(os.environ)}}) + "\\n")
mode = (home / "mode").read_text()
if arguments[0] == "version":
    sys.exit("Cannot connect to the Docker daemon. Is it running?" if mode == "no engine" else 0)
if arguments[0] == "image":
    sys.exit("No such image" if mode == "no image" else 0)
if arguments[0] == "run":
    at = arguments.index("--entrypoint")
    os.chdir(arguments[arguments.index("--workdir") + 1])
    os.execv(arguments[at + 1], [arguments[at + 1], *arguments[at + 3:]])
"""


_ENGINES_WORK = ("frozen files stay", "background processes end with the command", "a time-out ends the whole tree")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a `docker` that plays the engine; `mode` says how, `asked.jsonl` what it was asked."""
    home = tmp_path / "engine"
    home.mkdir()
    program = home / "docker"
    program.write_text(ENGINE.format(python=sys.executable, home=str(home)))
    program.chmod(0o755)
    (home / "mode").write_text("works")
    monkeypatch.setenv("PATH", f"{home}:{os.environ['PATH']}")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("DOCKER_HOST", "unix:///x")
    choice.tried.cache_clear()
    choice._best.cache_clear()
    yield home
    choice.tried.cache_clear()
    choice._best.cache_clear()


def asked(engine: Path) -> list[list[str]]:
    return [json.loads(line)["arguments"] for line in (engine / "asked.jsonl").read_text().splitlines()]


def mounts(command: list[str]) -> list[dict[str, str]]:
    """The `--mount` options, as the engine reads them."""
    found = [value for option, value in pairwise(command) if option == "--mount"]
    rows = [next(csv.reader([value])) for value in found]
    return [dict(field.partition("=")[::2] for field in row) for row in rows]


def test_the_command_line_closes_everything(tmp_path: Path) -> None:
    scratch, home, tool = tmp_path / "scratch", tmp_path / "home", tmp_path / "a, b.txt"
    scratch.mkdir()
    frozen = scratch / "frozen.txt"
    job = Job(
        ["/bin/echo", "--flag", "a b"],
        scratch,
        {"KEY": "a value", "EMPTY": ""},
        1.0,
        readable=(tool,),
        frozen=(frozen,),
        shown_at=Path("/inside"),
        writable=((home, Path("/home/of")),),
    )
    command = Docker("/usr/bin/docker", "image:tag").command(job)
    assert command[:3] == ["/usr/bin/docker", "run", "--rm"]
    line = " ".join(command)
    for option in (
        *("--network none", "--read-only", "--cap-drop ALL", "--security-opt no-new-privileges", "--pids-limit 1024"),
        *("--memory 4g --memory-swap 4g", f"--user {os.getuid()}:{os.getgid()}", "--pull never", "--interactive"),
        *("--tmpfs /tmp:rw,nosuid,nodev,mode=1777,size=67108864", "--workdir /inside"),
    ):
        assert f" {option} " in line
    tail = command[command.index("--entrypoint") :]
    assert tail == [
        *("--entrypoint", "/usr/bin/env", "image:tag", "-i", "KEY=a value", "EMPTY=", "/bin/echo", "--flag", "a b")
    ]
    shown = {mount["target"]: mount for mount in mounts(command)}
    assert shown["/inside"] == {"type": "bind", "source": str(scratch), "target": "/inside"}
    assert shown["/home/of"] == {"type": "bind", "source": str(home), "target": "/home/of"}
    assert "readonly" in shown["/inside/frozen.txt"]
    assert shown[str(tool)]["source"] == str(tool)
    assert [target for target, mount in shown.items() if "readonly" not in mount] == ["/inside", "/home/of"]
    assert list(shown).index("/usr") < list(shown).index("/inside") < list(shown).index("/inside/frozen.txt")


def test_names_of_containers_differ(tmp_path: Path) -> None:
    sandbox, job = Docker("/usr/bin/docker", "image"), Job(["/bin/true"], tmp_path, {}, 1.0)
    first, second = (sandbox.command(job) for _ in range(2))
    assert first[first.index("--name") + 1] != second[second.index("--name") + 1]


def test_podman_keeps_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    job = Job(["/bin/true"], tmp_path, {}, 1.0)
    assert "--userns=keep-id" in Docker("/usr/bin/podman", "image").command(job)
    assert "--userns=keep-id" not in Docker("/usr/bin/docker", "image").command(job)


def test_a_container_is_removed_however_the_run_ends(engine: Path, tmp_path: Path) -> None:
    sandbox = choose("docker")
    (engine / "asked.jsonl").unlink()
    result = sandbox.run(Job(["/bin/sleep", "60"], tmp_path, {}, 0.5))
    assert result.timed_out
    run, removal = asked(engine)
    assert removal == ["rm", "--force", run[run.index("--name") + 1]]


def test_the_client_gets_what_it_needs_and_no_secret(engine: Path, tmp_path: Path) -> None:
    result = choose("docker").run(Job(["/usr/bin/env"], tmp_path, {"ONLY": "this"}, 20.0))
    assert result.stdout == b"ONLY=this\n"
    for line in (engine / "asked.jsonl").read_text().splitlines():
        environ = json.loads(line)["environ"]
        assert "DOCKER_HOST" in environ
        assert "OPENAI_API_KEY" not in environ


@pytest.mark.parametrize("check", SANDBOX_CHECKS, ids=str)
def test_around_the_engine_the_level_conforms(engine: Path, check: SandboxCheck, tmp_path: Path) -> None:
    if check.name in _ENGINES_WORK:
        pytest.skip("that is the engine's work, which a plain process does not do")
    check(choose("docker"), tmp_path)


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("no engine", r"its engine does not answer: Cannot connect to the Docker daemon\. Is it running\?; start it"),
        ("no image", r"the image busybox:latest is missing; get it with 'docker pull busybox:latest', or name one by"),
    ],
)
def test_it_is_refused_where_it_cannot_work(engine: Path, mode: str, why: str) -> None:
    (engine / "mode").write_text(mode)
    with pytest.raises(ConfigurationError, match=f"sandbox 'docker' does not work here: .*{why}"):
        choose("docker")


def test_it_is_refused_without_a_client(engine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="neither docker nor podman is installed"):
        choose("docker")


def test_another_image_is_named_by_the_environment(
    engine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HYBRIDEVAL_DOCKER_IMAGE", "mine:1")
    assert "mine:1" in choose("docker").command(Job(["/bin/true"], tmp_path, {}, 1.0))
