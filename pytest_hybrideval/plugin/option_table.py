"""Every option that the plugin offers, as a table: flag, value, default, and what `--help` says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

DEFAULT_LOCAL = "simulated/gemma4:31b"
DEFAULT_CLOUD = "simulated/gpt-5.5"
EXAMPLES = "non-inferior:0.05 or 'pass_rate>=0.85'"


@dataclass(frozen=True)
class Option:
    """One command-line option; `ini` names its twin in the ini file, `default` is as the user would write it.

    A `repeatable` one may be given several times, a `switch` takes no value, one with a `const` may be given without.
    """

    flag: str
    metavar: str
    help: str
    default: str | None = None
    repeatable: bool = False
    switch: bool = False
    const: str | None = None

    def add_to(self, group: pytest.OptionGroup, parser: pytest.Parser) -> None:
        """Register the option, and its ini twin: a list of lines where it is repeatable, on or off for a switch."""
        text = self.help if self.default is None else f"{self.help} (default: {self.default})"
        if self.switch:
            group.addoption(self.flag, dest=self.dest, action="store_const", const="on", help=text, default=None)
        else:
            more: dict[str, Any] = {"action": "append"} if self.repeatable else {}
            more |= {"nargs": "?", "const": self.const} if self.const is not None else {}
            group.addoption(self.flag, dest=self.dest, metavar=self.metavar, help=text, default=None, **more)
        kind: Any = "linelist" if self.repeatable else "string"
        parser.addini(self.ini, f"{self.flag}: {self.help}", default=None, type=kind)

    @property
    def dest(self) -> str:
        """The attribute's name on pytest's `config.option`."""
        return "hybrideval_" + self.flag.removeprefix("--").removeprefix("hybrid-").replace("-", "_")

    @property
    def ini(self) -> str:
        """The name of the ini twin, the same word."""
        return self.dest


GATE = Option("--hybrid-gate", "EXPR", f"condition that decides the exit status, e.g. {EXAMPLES}", repeatable=True)
RESUME = Option(
    "--hybrid-resume", "RUN", "go on with a run: what is missing, and errors again (RUN: latest)", const="latest"
)
OPTIONS = (
    Option("--strategy", "NAMES", "routing strategies under test, comma list, or module:Class", "heuristic"),
    Option("--seeds", "SEEDS", "seeds, comma list of whole numbers; each reaches the models", "42"),
    Option("--thresholds", "NUMBERS", "thresholds, comma list, for the strategies that take one (default: their own)"),
    Option("--local-model", "MODELS", f"local models, comma list of PROVIDER/NAME (default: {DEFAULT_LOCAL})"),
    Option("--cloud-model", "MODELS", f"cloud models, comma list of PROVIDER/NAME (default: {DEFAULT_CLOUD})"),
    Option("--local-base-url", "URL", "where the local models are served"),
    Option("--cloud-base-url", "URL", "where the cloud models are served"),
    Option("--hybrid-local-temperature", "T", "temperature of local calls: a number, 'agent' or 'none'", "agent"),
    Option("--hybrid-cloud-temperature", "T", "temperature of cloud calls: a number, 'agent' or 'none'", "agent"),
    Option("--hybrid-local-max-tokens", "N", "longest answer of local calls, in tokens"),
    Option("--hybrid-cloud-max-tokens", "N", "longest answer of cloud calls, in tokens"),
    Option("--hybrid-local-slots", "N", "calls of one local model at a time, over all workers on this machine", "1"),
    Option("--hybrid-cloud-slots", "N", "calls of one cloud model at a time (default: any number)"),
    Option("--hybrid-num-ctx", "N", "context length that Ollama loads the models with, in tokens", "16384"),
    Option("--hybrid-think", "on|off|model", "thinking of Ollama models", "model"),
    Option("--hybrid-keep-alive", "TIME", "how long Ollama keeps the models loaded", "30m"),
    Option("--hybrid-retries", "N", "how often the gateway tries a failed model call again", "4"),
    Option(
        "--hybrid-call-timeout", "SECONDS", "longest time of one model call; a longer answer is cut (default: none)"
    ),
    Option("--hybrid-inject", "SPEC", "make models misbehave, e.g. local:latency=2s,cloud:429=0.1,local:down"),
    Option("--hybrid-record", "MODE", "record and replay answers: none, once, new_episodes or all (default: neither)"),
    Option("--hybrid-cassettes", "DIR", "where answers are recorded", "cassettes"),
    Option("--hybrid-embedding-model", "MODEL", "PROVIDER/NAME of the model that strategies compare texts with"),
    Option("--hybrid-knn-k", "N", "neighbours that decide for embedding-knn", "5"),
    Option("--hybrid-knn-corpus", "FILE", "YAML file of labelled requests for embedding-knn (default: ours)"),
    Option("--hybrid-task-models", "FILE", "YAML file of local models by task class for task-aware"),
    Option("--hybrid-url-tiers", "PATTERN=TIER,...", "tiers of the models that a router behind a URL answers with"),
    Option("--hybrid-aider-format", "FORMAT", "how aider edits: architect, whole, diff or udiff", "architect"),
    Option("--hybrid-aider", "PATH", "the aider command, where it lives in another environment"),
    Option("--hybrid-aider-warm", "on|off", "fork aider from a process that has imported it, or start it anew", "on"),
    Option("--hybrid-scoring-warm", "on|off", "fork hidden tests from a process that has imported pytest", "on"),
    Option("--hybrid-timeout", "SECONDS", "time limit of the agent, over the tasks' own"),
    Option("--hybrid-tries", "N", "tries of the agent; before a further one it is shown the hidden tests' output", "1"),
    Option(
        "--hybrid-sandbox", "LEVEL", "where agent and tests run: auto, bubblewrap, namespaces, docker or none", "auto"
    ),
    Option("--hybrid-results-dir", "DIR", "parent of the runs' directories", "results"),
    Option("--hybrid-run-id", "NAME", "name of this run's directory (default: time and a random part)"),
    RESUME,
    Option("--hybrid-max-cost", "USD", "what the run may spend in the cloud, over all workers; no call goes beyond"),
    Option("--hybrid-max-trial-cost", "USD", "what a single trial may spend in the cloud"),
    Option("--hybrid-pricing", "FILE", "YAML file of prices, over the packaged ones"),
    Option(
        "--hybrid-local-cost-per-hour", "USD", "what an hour costs in which a local model is busy, for the bill", "0"
    ),
    Option("--hybrid-margin", "M", "how much lower a pass rate may be and still count as non-inferior", "0.05"),
    Option("--hybrid-compare", "RUN", "compare with an earlier run: its directory, raw.jsonl or id, or 'latest'"),
    GATE,
    Option("--hybrid-gate-inconclusive", "pass|fail", "what an inconclusive gate does to the exit status", "fail"),
    Option("--hybrid-annotations", "", "print GitHub workflow annotations for unsolved trials", switch=True),
)
