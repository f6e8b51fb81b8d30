"""`hybrideval serve` as a process of its own: what it prints, whom it serves, and how it ends."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from pytest_hybrideval.testing import FakeOllama, FakeOpenAI, Fault, Reply, refused_url

HELLO: Any = [{"role": "user", "content": "Say hello."}]
SERVING = re.compile(r"serving at (http://[^ ]+)")
_LONGEST = 60


class Served:
    """The running command."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._stderr: list[str] = []
        self._url = ""
        self._ready = threading.Event()
        self._readers = [
            threading.Thread(target=self._read_stdout, daemon=True),
            threading.Thread(target=self._read_stderr, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read_stdout(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if found := SERVING.match(line):
                self._url = found[1]
                self._ready.set()
        self._ready.set()

    def _read_stderr(self) -> None:
        assert self.process.stderr is not None
        self._stderr.extend(self.process.stderr)

    @property
    def url(self) -> str:
        assert self._ready.wait(_LONGEST)
        assert self._url, self.stderr
        return self._url

    @property
    def stderr(self) -> str:
        return "".join(self._stderr)

    def client(self, key: str = "any") -> OpenAI:
        http = httpx.Client(trust_env=False)
        return OpenAI(base_url=self.url, api_key=key, max_retries=0, timeout=20, http_client=http)

    def ask(self, key: str = "any", **body: Any) -> str | None:
        with self.client(key) as sdk:
            answer = sdk.chat.completions.create(**{"model": "hybrid", "messages": HELLO, **body})
        text: str | None = answer.choices[0].message.content
        return text

    def metrics(self, key: str = "any") -> str:
        headers = {"Authorization": f"Bearer {key}"}
        answer = httpx.get(self.url.removesuffix("/v1") + "/metrics", headers=headers, trust_env=False)
        assert answer.status_code == 200
        return answer.text

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        code = self.process.wait(_LONGEST)
        for reader in self._readers:
            reader.join(_LONGEST)
        return code


Start = Callable[..., Served]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the installed command on a free port; what still runs is killed at the end."""
    with ExitStack() as stack:

        def start_(*arguments: str, port: int = 0, **environ: str) -> Served:
            script = shutil.which("hybrideval", path=str(Path(sys.executable).parent))
            assert script, "the package is not installed with its script"
            kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR")}
            process = stack.enter_context(
                subprocess.Popen(
                    [script, "serve", "--port", str(port), *arguments],
                    cwd=tmp_path,
                    env={**kept, "HOME": str(tmp_path), **environ},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            return Served(process)

        yield start_


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama(default=Reply("small"), models=["gemma4:31b"], context_length=131_072) as server:
        yield server


@pytest.fixture
def cloud() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(default=Reply("large"), model_facts={"context_length": 400_000}) as server:
        yield server


def models(ollama: FakeOllama, cloud: FakeOpenAI) -> list[str]:
    return [
        *("--local-model", "ollama/gemma4:31b", "--local-base-url", ollama.url),
        *("--cloud-model", "openai/gpt-5.5", "--cloud-base-url", cloud.base_url),
    ]


def test_it_says_what_it_serves_serves_it_and_stops(start: Start, ollama: FakeOllama, cloud: FakeOpenAI) -> None:
    served = start("--strategy", "heuristic", "--threshold", "5", *models(ollama, cloud))
    assert served.ask() == "small"
    assert served.ask(messages=[{"role": "user", "content": "Fix the race condition. " * 200}], seed=7) == "large"
    with served.client() as sdk:
        chunks = sdk.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "small"
    assert "seed" not in ollama.chats[0].body["options"]
    assert ollama.chats[0].body["options"]["num_ctx"] == 16384
    assert (cloud.chats[0].body["model"], cloud.chats[0].body["seed"]) == ("gpt-5.5", 7)
    metrics = served.metrics()
    assert 'hybrideval_decisions_total{strategy="heuristic",tier="local"} 2' in metrics.splitlines()
    assert 'hybrideval_cost_usd_total{tier="cloud"} 0.000265' in metrics.splitlines()
    served.signal(signal.SIGTERM)
    assert (served.wait(), served.stderr) == (0, "")
    assert served.lines[0] == "strategy heuristic, threshold 5"
    assert re.fullmatch(
        r"local  ollama/gemma4:31b: version \S+, digest \S{12}, context \d+ \(16384 asked for\), free", served.lines[1]
    )
    assert served.lines[2] == "cloud  openai/gpt-5.5: context 400000, 5 + 30 USD per million tokens"
    assert served.lines[3].startswith("prices pricing.yaml as of ")
    assert served.lines[4] == f"serving at {served.url} (model name: any; key: any key, from this machine only)"
    assert served.lines[5].startswith("stopping: 0 requests under way have 30 s; ")
    assert len(served.lines) == 6


def test_the_key_is_the_environments(start: Start, ollama: FakeOllama, cloud: FakeOpenAI) -> None:
    served = start("--strategy", "always-local", *models(ollama, cloud), HYBRIDEVAL_SERVE_KEY="sk-mine")
    assert served.ask("sk-mine") == "small"
    with pytest.raises(openai.AuthenticationError):
        served.ask("sk-other")
    assert "sk-mine" not in served.metrics("sk-mine")
    served.signal(signal.SIGINT)
    assert (served.wait(), served.stderr) == (0, "")
    assert "sk-mine" not in "".join(served.lines)
    assert cloud.requests == [], "a tier that the strategy never chooses is not asked"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_under_way_finishes(start: Start, ollama: FakeOllama, cloud: FakeOpenAI, number: int) -> None:
    cloud.will(Reply("slow answer", gap=0.2))
    served = start("--strategy", "always-cloud", *models(ollama, cloud)[4:])
    with served.client() as sdk:
        chunks = iter(sdk.chat.completions.create(model="x", messages=HELLO, stream=True))
        pieces = [next(chunks).choices[0].delta.content or ""]
        served.signal(number)
        wait_for(lambda: any(line.startswith("stopping: 1 requests") for line in served.lines))
        with pytest.raises(httpx.ConnectError):
            httpx.get(served.url + "/models", trust_env=False)
        pieces += [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == "slow answer"
    assert (served.wait(), served.stderr) == (0, "")


def test_a_second_signal_ends_it_at_once(start: Start, ollama: FakeOllama, cloud: FakeOpenAI) -> None:
    cloud.will(Reply(stall_after=1))
    served = start("--strategy", "always-cloud", "--grace", "600", *models(ollama, cloud)[4:])
    with served.client() as sdk:
        chunks = iter(sdk.chat.completions.create(model="x", messages=HELLO, stream=True))
        next(chunks)
        served.signal(signal.SIGTERM)
        wait_for(lambda: any(line.startswith("stopping: 1 requests") for line in served.lines))
        assert served.process.poll() is None
        served.signal(signal.SIGTERM)
        assert served.wait() == -signal.SIGTERM
        with pytest.raises(httpx.HTTPError):
            list(chunks)


def test_the_grace_is_bounded(start: Start, ollama: FakeOllama, cloud: FakeOpenAI) -> None:
    cloud.will(Reply(stall_after=1))
    served = start("--strategy", "always-cloud", "--grace", "0.3", *models(ollama, cloud)[4:])
    with served.client() as sdk:
        chunks = iter(sdk.chat.completions.create(model="x", messages=HELLO, stream=True))
        next(chunks)
        served.signal(signal.SIGTERM)
        assert (served.wait(), served.stderr) == (0, "")


def test_a_strategy_of_ones_own(start: Start, ollama: FakeOllama, cloud: FakeOpenAI, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from pytest_hybrideval import Decision, Tier\n\n\nclass Mine:\n    name = 'mine'\n\n"
        "    async def decide(self, request, context):\n        return Decision(Tier.CLOUD, 'so')\n"
    )
    served = start("--strategy", "mine:Mine", *models(ollama, cloud))
    assert served.ask() == "large"
    served.signal(signal.SIGTERM)
    assert served.wait() == 0
    assert served.lines[0] == "strategy mine:Mine"


def test_a_router_behind_a_url(start: Start, cloud: FakeOpenAI) -> None:
    cloud_names = ("--url-tiers", "hybrid=local,*=cloud")
    served = start("--strategy", f"url:{cloud.base_url}", *cloud_names, HYBRIDEVAL_ROUTER_API_KEY="sk-router")
    assert served.ask() == "large"
    assert served.ask(model="gpt-5.5") == "large"
    metrics = served.metrics()
    for tier, model in (("local", "hybrid"), ("cloud", "gpt-5.5")):
        label = f'tier="{tier}",model="url/{model}",purpose="agent",outcome="ok"'
        assert f"hybrideval_calls_total{{{label}}} 1" in metrics.splitlines()
    assert 'hybrideval_cost_usd_total{tier="cloud"} 0.000265' in metrics.splitlines()
    served.signal(signal.SIGTERM)
    assert served.wait() == 0
    assert [chat.headers["Authorization"] for chat in cloud.chats] == ["Bearer sk-router"] * 2


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LONGEST
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def refusal(served: Served) -> str:
    """The one line on stderr of a command that ended with exit code 2."""
    assert served.wait() == 2, served.stderr
    (line,) = served.stderr.splitlines()
    return line


LOCAL = ("--local-model", "ollama/gemma4:31b")
CLOUD = ("--cloud-model", "openai/gpt-5.5")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["heuristc", *LOCAL, *CLOUD], "unknown strategy 'heuristc'; did you mean 'heuristic'?"),
        (["gone:Mine", *LOCAL, *CLOUD], "strategy 'gone:Mine' cannot be imported"),
        (["heuristic", *LOCAL], "--cloud-model PROVIDER/NAME is missing: strategy 'heuristic' may choose that tier"),
        (["always-local", *LOCAL, "--threshold", "1"], "strategy 'always-local' takes no --threshold"),
        (["always-local", "--local-model", "gemma"], "model 'gemma' is not PROVIDER/NAME"),
        (["always-local", "--local-model", "simulated/gemma4:31b"], "simulated/gemma4:31b cannot serve: it knows"),
        (["always-local", "--local-model", "vllm/x"], "unknown provider 'vllm' of vllm/x; there are ollama, openai"),
        (["always-cloud", *CLOUD], "https://api.openai.com/v1 needs an API key for the cloud model"),
        (["always-local", *LOCAL, "--host", "0.0.0.0"], "others can reach 0.0.0.0: set HYBRIDEVAL_SERVE_KEY"),
        (["always-local", *LOCAL, "--think", "hard"], "--think hard: must be one of on, off, model"),
        (["embedding-knn", *LOCAL, *CLOUD], "strategy 'embedding-knn' compares texts by embeddings; --embedding-model"),
        (["url:http://x"], "strategy 'url:http://x' needs the tiers of the models that answer"),
        (["url:http://x", "--url-tiers", "x"], "'x' is not PATTERN=local or PATTERN=cloud"),
        (["always-local", *LOCAL, "--pricing", "gone.yaml"], "--hybrid-pricing gone.yaml: No such file or directory"),
    ],
)
def test_what_cannot_be_served_is_one_line(start: Start, arguments: list[str], said: str) -> None:
    served = start("--strategy", *arguments)
    assert refusal(served).startswith(f"hybrideval serve: {said}")
    assert served.lines == []


def test_a_model_that_does_not_answer_is_one_line(start: Start) -> None:
    with refused_url() as url:
        said = refusal(start("--strategy", "always-local", *LOCAL, "--local-base-url", url))
    assert said == f"hybrideval serve: Ollama at {url} refused the connection; start it with 'ollama serve'"


def test_a_wrong_key_of_a_model_is_one_line(start: Start) -> None:
    with FakeOpenAI(api_key="sk-right") as cloud:
        served = start(
            *("--strategy", "always-cloud", *CLOUD, "--cloud-base-url", cloud.base_url),
            HYBRIDEVAL_CLOUD_API_KEY="sk-no",
        )
        said = refusal(served)
    assert "refused the API key in HYBRIDEVAL_CLOUD_API_KEY" in said
    assert "sk-no" not in said


def test_a_context_that_the_model_has_not_is_one_line(start: Start, ollama: FakeOllama) -> None:
    said = refusal(start("--strategy", "always-local", *LOCAL, "--local-base-url", ollama.url, "--num-ctx", "99000000"))
    assert said.startswith("hybrideval serve: --num-ctx 99000000 is more than ollama/gemma4:31b takes: ")


def test_a_port_in_use_is_one_line(start: Start, ollama: FakeOllama) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refusal(start("--strategy", "always-local", *LOCAL, "--local-base-url", ollama.url, port=port))
    assert said == f"hybrideval serve: cannot listen at 127.0.0.1 port {port}: the port is in use; see --host, --port"


def test_it_does_not_import_pytest() -> None:
    code = "import sys, pytest_hybrideval.cli.router\nprint(sorted({'pytest', '_pytest', 'pluggy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=_LONGEST)
    assert done.stdout == "[]\n"


def test_a_failing_upstream_is_no_end(start: Start, ollama: FakeOllama) -> None:
    served = start("--strategy", "always-local", *LOCAL, "--local-base-url", ollama.url, "--retries", "0")
    ollama.will(Fault.server_error(500))
    with pytest.raises(openai.InternalServerError):
        served.ask()
    assert served.ask() == "small"
    served.signal(signal.SIGTERM)
    assert served.wait() == 0
