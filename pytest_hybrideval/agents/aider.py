"""aider as the agent: flags and environment under which it talks to the gateway and to nothing else."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

from pytest_hybrideval.agents import enclosing
from pytest_hybrideval.agents.enclosing import Enclosure
from pytest_hybrideval.agents.process import ProcessResult, run_process
from pytest_hybrideval.agents.warm import Enclosed, WarmParent
from pytest_hybrideval.core.domain import AgentResult
from pytest_hybrideval.core.errors import AgentUnavailable, ConfigurationError
from pytest_hybrideval.core.protocols import AgentJob
from pytest_hybrideval.sandbox.choice import Sandbox
from pytest_hybrideval.sandbox.interpreter import links
from pytest_hybrideval.sandbox.namespaces import Namespaces

_ASK_SECONDS = 60.0
_LAUNCH = Path(__file__).with_name("launch.py")
FORMATS = ("architect", "whole", "diff", "udiff")

# aider changes prompts and parameters by model name; this name matches none of its rules.
MODEL = "openai/hybrid"
_CONTEXT = 1_000_000
_METADATA = {
    MODEL: {
        "max_tokens": _CONTEXT,
        "max_input_tokens": _CONTEXT,
        "max_output_tokens": _CONTEXT,
        "input_cost_per_token": 0,
        "output_cost_per_token": 0,
        "litellm_provider": "openai",
        "mode": "chat",
    }
}
_SETTINGS = [
    {"name": MODEL, "edit_format": "whole", "weak_model_name": MODEL, "use_repo_map": False, "streaming": True}
]

_FLAGS = (
    *("--yes-always", "--no-git", "--no-pretty", "--no-fancy-input", "--no-suggest-shell-commands"),
    # No network but the gateway: each of these would open a connection, and playwright would even install itself.
    *("--no-check-update", "--no-analytics", "--no-detect-urls", "--disable-playwright"),
    *("--no-show-release-notes", "--no-show-model-warnings"),
    # A long history would start summarising calls in the background that no edit ever uses.
    *("--max-chat-history-tokens", str(_CONTEXT), "--map-tokens", "0"),
)
_MALFORMED_MARK = "The LLM did not conform to the edit format."
# A message that begins with "/" or "!" would be a command to aider.
_PREFIX = "Task: "


class Aider:
    """Runs aider once per trial as a process of its own: forked from a warm parent, or started as a plain command."""

    def __init__(
        self, edit_format: str = "architect", path: str | None = None, *, warm: bool = True, sandbox: str = "none"
    ) -> None:
        """`edit_format` is one of `FORMATS`; `path` is the command where aider lives in another environment.

        `sandbox` is a level of `--hybrid-sandbox`: where it encloses, jobs need a doorway. With `path`, without `warm`,
        or in bubblewrap, every run starts the plain command. Raises `ConfigurationError` where the format is unknown,
        the command is missing, or the level does not work here.
        """
        if edit_format not in FORMATS:
            raise ConfigurationError(f"unknown aider format '{edit_format}'; there are {', '.join(FORMATS)}")
        self._format = edit_format
        self._open = enclosing.UNCONFINED
        self._enclosure: Enclosure | None = None
        enclosed_by = enclosing.sandbox_for(sandbox)
        if path is None:
            self._command, self._version = _own()
            self._enclosure = Enclosure(enclosed_by, sys.executable, (_LAUNCH,)) if enclosed_by else None
        else:
            self._command = (_found(path),)
            self._version = self._enclose(path, enclosed_by, sandbox)
        forks = self._enclosure is None or isinstance(self._enclosure.sandbox, Namespaces)
        self._warm = WarmParent() if warm and path is None and forks else None

    @property
    def label(self) -> str:
        """`aider VERSION FORMAT`."""
        return f"aider {self._version} {self._format}"

    @property
    def confinement(self) -> str:
        """What keeps a run from the rest of the machine, for people."""
        return self._enclosure.label if self._enclosure else self._open

    @property
    def warm(self) -> WarmParent | None:
        """The warm parent, None where every run starts the plain command."""
        return self._warm

    def start(self) -> None:
        """Begin to warm up, so that the first trial need not wait. Returns at once."""
        if self._warm:
            self._warm.start()

    def stop(self) -> None:
        """End the warm parent. Safe to call twice."""
        if self._warm:
            self._warm.stop()

    def run(self, job: AgentJob) -> AgentResult:
        """One run. aider exits 0 whatever happened to its requests: what the gateway saw says more.

        Raises `AgentUnavailable` where aider could not be run at all.
        """
        with enclosing.doorway_of(job) if self._enclosure else nullcontext() as descriptor:
            result = self._run(job, descriptor)
        text = job.transcript.read_text(encoding="utf-8", errors="replace")
        if self._enclosure and result.exit_code and (why := enclosing.refusal(text)):
            raise AgentUnavailable(f"the agent could not be enclosed: {why}")
        return AgentResult(result.exit_code, result.seconds, result.timed_out, text.count(_MALFORMED_MARK))

    def _run(self, job: AgentJob, descriptor: int | None) -> ProcessResult:
        home = job.home if descriptor is None else enclosing.HOME
        argv, env = arguments(self._format, job, home), environment(job, os.environ, home)
        if self._warm:
            enclosed = None
            if self._enclosure and descriptor is not None:
                enclosed = Enclosed(self._enclosure.plan(job), descriptor, enclosing.port(job))
            return self._warm.run(argv, job, env, enclosed)
        command = [*self._command, *argv]
        if self._enclosure and descriptor is not None:
            command = self._enclosure.command(job, command, env, descriptor)
        return run_process(
            command,
            cwd=job.workspace,
            env=env,
            timeout=job.timeout,
            output=job.transcript,
            queued=job.queued,
            doorway=descriptor,
        )

    def _enclose(self, path: str, sandbox: Sandbox | None, level: str) -> str:
        """Enclose the command of another environment, where it runs enclosed; its version.

        Where the level leaves it to us, a command that does not is run without, and `confinement` says why.
        """
        command = Path(self._command[0])
        if sandbox is not None:
            try:
                enclosure = Enclosure(sandbox, enclosing.python_of(command), tuple(links(command)))
                answer = enclosure.ask((str(command), "--version"), _ASK_SECONDS)
                if not answer:
                    raise ConfigurationError(f"--hybrid-aider {path}: '{path} --version' fails enclosed")
                self._enclosure = enclosure
                return _version(path, answer)
            except ConfigurationError as error:
                if level not in enclosing.FREE:
                    raise
                self._open = f"{enclosing.UNCONFINED} ({error})"
        asked = subprocess.run(
            [str(command), "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_ASK_SECONDS
        )
        return _version(path, asked.stdout if asked.returncode == 0 else "")


def arguments(edit_format: str, job: AgentJob, home: Path) -> list[str]:
    """The arguments of aider for a job; writes the files they name into the job's HOME, which aider sees at `home`."""
    files = {
        "--model-settings-file": ("model-settings.yml", json.dumps(_SETTINGS)),
        "--model-metadata-file": ("model-metadata.json", json.dumps(_METADATA)),
        "--message-file": ("message.md", _PREFIX + job.instruction),
    }
    named: list[str] = []
    for flag, (name, text) in files.items():
        (job.home / name).write_text(text, encoding="utf-8")
        named += [flag, str(home / name)]
    histories = {"--chat-history-file": "chat.md", "--input-history-file": "input", "--llm-history-file": "llm.txt"}
    for flag, name in histories.items():
        named += [flag, str(home / name)]
    mode = ["--architect", "--editor-edit-format", "editor-whole"] if edit_format == "architect" else []
    mode = mode or ["--edit-format", edit_format]
    mode += ["--restore-chat-history"] if job.resumed else []
    read_only = [part for name in job.files_read_only for part in ("--read", name)]
    return ["--model", MODEL, *mode, *_FLAGS, *named, *read_only, "--", *job.files_edit]


def environment(job: AgentJob, outer: Mapping[str, str], home: Path) -> dict[str, str]:
    """A clean environment: nothing of the caller's but PATH, and the trial's own key."""
    return {
        "PATH": outer.get("PATH", os.defpath),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
        "PYTHONHASHSEED": "0",  # aider walks through sets: the same run must make the same requests
        "SHELL": "/bin/sh",
        "OPENAI_API_KEY": job.api_key,
        "OPENAI_API_BASE": job.base_url,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "NO_PROXY": "127.0.0.1,localhost",
    }


def _own() -> tuple[tuple[str, ...], str]:
    """The command and version of the aider beside us."""
    try:
        return (sys.executable, str(_LAUNCH)), importlib.metadata.version("aider-chat")
    except importlib.metadata.PackageNotFoundError:
        raise ConfigurationError(
            "aider is not installed beside pytest; "
            "'pip install aider-chat==0.86.2', or name one with --hybrid-aider PATH"
        ) from None


def _found(path: str) -> str:
    found = shutil.which(path)
    if found is None:
        raise ConfigurationError(f"--hybrid-aider {path}: no such command")
    return str(Path(found).absolute())


def _version(path: str, answer: str) -> str:
    words = answer.split()
    if len(words) < 2 or words[0] != "aider":
        raise ConfigurationError(
            f"--hybrid-aider {path}: this is not aider ('{path} --version' did not name its version)"
        )
    return words[1]
