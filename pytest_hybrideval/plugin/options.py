"""The plugin's options and their ini twins, read once into `Settings`. Bad values are one clear `UsageError`."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

import pytest

from pytest_hybrideval.core.domain import ModelRef
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.pricing import parse_model
from pytest_hybrideval.core.settings import Settings, TierSettings

T = TypeVar("T")

DEFAULT_LOCAL = "simulated/gemma4:31b"
DEFAULT_CLOUD = "simulated/gpt-5.5"
RUN_ID_INPUT = "hybrideval_run_id"


@dataclass(frozen=True)
class Option:
    """One command-line option; `ini` names its twin in the ini file, `default` is as the user would write it."""

    flag: str
    metavar: str
    help: str
    default: str | None = None

    @property
    def dest(self) -> str:
        """The attribute's name on pytest's `config.option`."""
        return "hybrideval_" + self.flag.removeprefix("--").removeprefix("hybrid-").replace("-", "_")

    @property
    def ini(self) -> str:
        """The name of the ini twin, the same word."""
        return self.dest


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
    Option("--hybrid-aider-format", "FORMAT", "how aider edits: architect, whole, diff or udiff", "architect"),
    Option("--hybrid-aider", "PATH", "the aider command, where it lives in another environment"),
    Option("--hybrid-aider-warm", "on|off", "fork aider from a process that has imported it, or start it anew", "on"),
    Option("--hybrid-scoring-warm", "on|off", "fork hidden tests from a process that has imported pytest", "on"),
    Option("--hybrid-timeout", "SECONDS", "time limit of the agent, over the tasks' own"),
    Option("--hybrid-sandbox", "LEVEL", "where hidden tests run: auto, bubblewrap, namespaces or none", "auto"),
    Option("--hybrid-results-dir", "DIR", "parent of the runs' directories", "results"),
    Option("--hybrid-run-id", "NAME", "name of this run's directory (default: time and a random part)"),
    Option("--hybrid-pricing", "FILE", "YAML file of prices, over the packaged ones"),
)


def add_options(parser: pytest.Parser) -> None:
    """Register every option in one group, each with its ini twin."""
    group = parser.getgroup("hybrideval", "hybrid routing benchmarks (pytest-hybrideval)")
    for option in OPTIONS:
        text = option.help if option.default is None else f"{option.help} (default: {option.default})"
        group.addoption(option.flag, dest=option.dest, metavar=option.metavar, help=text, default=None)
        parser.addini(option.ini, f"{option.flag}: {option.help}", default=None, type="string")


def any_given(config: pytest.Config) -> bool:
    """Whether the user set any of our options, on the command line or in the ini file."""
    return any(config.getoption(option.dest) or config.getini(option.ini) for option in OPTIONS)


def read_settings(config: pytest.Config) -> Settings:
    """The settings of this run. Raises `pytest.UsageError` that names the option, the value and what would be right."""
    try:
        return _settings(_Values(config))
    except ConfigurationError as error:
        raise pytest.UsageError(str(error)) from None


class _Values:
    """The options' texts: from the command line, else from the ini file, else the default."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self._options = {option.flag: option for option in OPTIONS}

    def text(self, flag: str) -> str | None:
        option = self._options[flag]
        for value in (self.config.getoption(option.dest), self.config.getini(option.ini), option.default):
            if value is not None and str(value) != "":
                return str(value).strip()
        return None

    def source(self, flag: str) -> str:
        """Where the value comes from, as the user would look for it: the flag, or its ini twin."""
        option = self._options[flag]
        from_ini = self.config.getoption(option.dest) is None and self.config.getini(option.ini)
        return f"{option.ini} (ini)" if from_ini else flag

    def required(self, flag: str) -> str:
        value = self.text(flag)
        assert value is not None, f"{flag} has a default"
        return value

    def each(self, flag: str, parse: Callable[[str], T], example: str) -> tuple[T, ...]:
        """A comma list, every part through `parse`; the same value twice is an error."""
        text = self.text(flag)
        if text is None:
            return ()
        values: list[T] = []
        for part in text.split(","):
            value = self.parsed(flag, part.strip(), parse, example)
            if value in values:
                raise ConfigurationError(f"{self.source(flag)}: '{part.strip()}' stands twice in '{text}'")
            values.append(value)
        return tuple(values)

    def one(self, flag: str, parse: Callable[[str], T], example: str) -> T | None:
        text = self.text(flag)
        return None if text is None else self.parsed(flag, text, parse, example)

    def parsed(self, flag: str, text: str, parse: Callable[[str], T], example: str) -> T:
        try:
            return parse(text)
        except ValueError:
            raise ConfigurationError(
                f"{self.source(flag)}: '{text}' is not valid; for example: {flag} {example}"
            ) from None


_SWITCH = {"on": True, "off": False}


def _settings(values: _Values) -> Settings:
    think = {"on": True, "off": False, "model": None}
    root = values.config.rootpath
    pricing = values.text("--hybrid-pricing")
    return Settings(
        strategies=values.each("--strategy", _name, "always-cloud,heuristic"),
        thresholds=values.each("--thresholds", _finite, "5,10,15"),
        seeds=values.each("--seeds", _natural, "42,7,13"),
        local=_tier(values, "local", _models(values, "--local-model", "--cloud-model", DEFAULT_LOCAL)).with_ollama(
            num_ctx=values.one("--hybrid-num-ctx", _positive, "16384"),
            think=values.parsed("--hybrid-think", values.required("--hybrid-think"), _of(think), "off"),
            keep_alive=values.text("--hybrid-keep-alive"),
        ),
        cloud=_tier(values, "cloud", _models(values, "--cloud-model", "--local-model", DEFAULT_CLOUD)),
        aider_format=values.required("--hybrid-aider-format"),
        aider_path=values.text("--hybrid-aider"),
        aider_warm=values.parsed("--hybrid-aider-warm", values.required("--hybrid-aider-warm"), _of(_SWITCH), "off"),
        scoring_warm=values.parsed(
            "--hybrid-scoring-warm", values.required("--hybrid-scoring-warm"), _of(_SWITCH), "off"
        ),
        agent_timeout=values.one("--hybrid-timeout", _seconds, "300"),
        sandbox=values.required("--hybrid-sandbox"),
        results_dir=root / values.required("--hybrid-results-dir"),
        run_id=_run_id(values),
        pricing_file=root / pricing if pricing else None,
        retries=values.parsed("--hybrid-retries", values.required("--hybrid-retries"), _natural, "4"),
    )


def _tier(values: _Values, tier: str, models: tuple[ModelRef, ...]) -> TierSettings:
    temperature = f"--hybrid-{tier}-temperature"
    return TierSettings(
        models=models,
        base_url=values.text(f"--{tier}-base-url"),
        temperature=values.parsed(temperature, values.required(temperature), _temperature, "0.2"),
        max_tokens=values.one(f"--hybrid-{tier}-max-tokens", _positive, "4096"),
        slots=values.one(f"--hybrid-{tier}-slots", _positive, "2"),
    )


def _models(values: _Values, flag: str, other: str, default: str) -> tuple[ModelRef, ...]:
    if values.text(flag) is None and values.text(other) is not None:
        raise ConfigurationError(
            f"{other} is given without {flag}: name both models; "
            f"the simulated ones are not mixed in unasked (you may write {flag} {default})"
        )
    return values.each(flag, parse_model, default) or (parse_model(default),)


def _run_id(values: _Values) -> str:
    handed: Any = getattr(values.config, "workerinput", {}).get(RUN_ID_INPUT)
    if handed:
        return str(handed)
    given = values.text("--hybrid-run-id")
    if given is None:
        return f"{datetime.now(timezone.utc):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    if given in (".", "..", "latest") or Path(given).name != given:
        raise ConfigurationError(f"--hybrid-run-id: '{given}' must be a plain folder name and not 'latest'")
    return given


def _name(text: str) -> str:
    if not text:
        raise ValueError
    return text


def _natural(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError
    return int(text)


def _positive(text: str) -> int:
    number = _natural(text)
    if number == 0:
        raise ValueError
    return number


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def _seconds(text: str) -> float:
    number = _finite(text)
    if number <= 0:
        raise ValueError
    return number


def _temperature(text: str) -> float | str | None:
    if text in ("agent", "none"):
        return None if text == "none" else text
    number = _finite(text)
    if number < 0:
        raise ValueError
    return number


def _of(known: dict[str, T]) -> Callable[[str], T]:
    def parse(text: str) -> T:
        if text not in known:
            raise ValueError
        return known[text]

    return parse
