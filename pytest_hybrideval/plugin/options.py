"""The plugin's options and their ini twins, read once into `Settings`. Bad values are one clear `UsageError`."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

import pytest

from pytest_hybrideval.core.domain import ModelRef
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.pricing import parse_model
from pytest_hybrideval.core.settings import Settings, StrategyOptions, TierSettings, default_embedding_model
from pytest_hybrideval.plugin.option_table import DEFAULT_CLOUD, DEFAULT_LOCAL, OPTIONS

T = TypeVar("T")

RUN_ID_INPUT = "hybrideval_run_id"
RESULTS_INPUT = "hybrideval_results_dir"


def add_options(parser: pytest.Parser) -> None:
    """Register every option in one group, each with its ini twin."""
    group = parser.getgroup("hybrideval", "hybrid routing benchmarks (pytest-hybrideval)")
    for option in OPTIONS:
        option.add_to(group, parser)


def any_given(config: pytest.Config) -> bool:
    """Whether the user set any of our options, on the command line or in the ini file."""
    return any(config.getoption(option.dest) or config.getini(option.ini) for option in OPTIONS)


def read_settings(config: pytest.Config) -> Settings:
    """The settings of this run. Raises `pytest.UsageError` that names the option, the value and what would be right."""
    try:
        return _settings(_Values(config))
    except ConfigurationError as error:
        raise pytest.UsageError(str(error)) from None


def source_of(config: pytest.Config, flag: str) -> str:
    """Where an option's value comes from, as the user would look for it: the flag, or its ini twin."""
    (option,) = (option for option in OPTIONS if option.flag == flag)
    return f"{option.ini} (ini)" if config.getoption(option.dest) is None and config.getini(option.ini) else flag


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

    def several(self, flag: str) -> tuple[str, ...]:
        """A repeatable option's texts."""
        option = self._options[flag]
        return tuple(self.config.getoption(option.dest) or self.config.getini(option.ini) or ())

    def source(self, flag: str) -> str:
        """Where the value comes from, as the user would look for it: the flag, or its ini twin."""
        return source_of(self.config, flag)

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
            source, option = self.source(flag), self._options[flag]
            right = f"{option.ini} = {example}" if source != flag else f"{flag} {example}"
            raise ConfigurationError(f"{source}: '{text}' is not valid; for example: {right}") from None


_SWITCH = {"on": True, "off": False}
_PASSES = {"pass": True, "fail": False}


def _settings(values: _Values) -> Settings:
    think = {"on": True, "off": False, "model": None}
    root = values.config.rootpath
    pricing = values.text("--hybrid-pricing")
    run = _run_directory(values)
    local_models = _models(values, "--local-model", "--cloud-model", DEFAULT_LOCAL)
    return Settings(
        strategies=values.each("--strategy", _name, "always-cloud,heuristic"),
        thresholds=values.each("--thresholds", _finite, "5,10,15"),
        seeds=values.each("--seeds", _natural, "42,7,13"),
        local=_tier(values, "local", local_models).with_ollama(
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
        tries=values.parsed("--hybrid-tries", values.required("--hybrid-tries"), _positive, "2"),
        sandbox=values.required("--hybrid-sandbox"),
        results_dir=run.parent,
        run_id=run.name,
        resume=values.text("--hybrid-resume"),
        max_cost=values.one("--hybrid-max-cost", _usd, "5"),
        max_trial_cost=values.one("--hybrid-max-trial-cost", _usd, "0.50"),
        pricing_file=root / pricing if pricing else None,
        local_cost_per_hour=values.parsed(
            "--hybrid-local-cost-per-hour", values.required("--hybrid-local-cost-per-hour"), _usd, "0.35"
        ),
        retries=values.parsed("--hybrid-retries", values.required("--hybrid-retries"), _natural, "4"),
        embedding_model=values.one("--hybrid-embedding-model", parse_model, "ollama/nomic-embed-text")
        or default_embedding_model(local_models),
        strategy_options=_strategy_options(values),
        call_timeout=values.one("--hybrid-call-timeout", _seconds, "300"),
        inject=_inject(values),
        record=values.one("--hybrid-record", _record_mode, "once"),
        cassettes=root / values.required("--hybrid-cassettes"),
        margin=values.parsed("--hybrid-margin", values.required("--hybrid-margin"), _fraction, "0.05"),
        compare=values.text("--hybrid-compare"),
        gate=values.several("--hybrid-gate"),
        gate_inconclusive_passes=values.parsed(
            "--hybrid-gate-inconclusive",
            values.required("--hybrid-gate-inconclusive"),
            _of(_PASSES),
            "pass",
        ),
        annotations=bool(values.one("--hybrid-annotations", _of(_SWITCH), "on")),
    )


def _strategy_options(values: _Values) -> StrategyOptions:
    root = values.config.rootpath
    corpus, task_models = values.text("--hybrid-knn-corpus"), values.text("--hybrid-task-models")
    tiers = values.text("--hybrid-url-tiers")
    if tiers is not None:
        from pytest_hybrideval.strategies.url import parse_tiers
    return StrategyOptions(
        knn_k=values.parsed("--hybrid-knn-k", values.required("--hybrid-knn-k"), _positive, "5"),
        knn_corpus=root / corpus if corpus else None,
        task_models=root / task_models if task_models else None,
        url_tiers=parse_tiers(tiers) if tiers is not None else (),
    )


def _inject(values: _Values) -> str | None:
    text = values.text("--hybrid-inject")
    if text is not None:
        from pytest_hybrideval.backends.fault_plan import parse_faults

        parse_faults(text, values.source("--hybrid-inject"))
    return text


def _record_mode(text: str) -> str:
    from pytest_hybrideval.backends.cassette import RecordMode

    return RecordMode(text).value


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


def _run_directory(values: _Values) -> Path:
    """Where the run's files go: a resumed run's own directory, or one of a new name. Workers are told."""
    handed: Any = getattr(values.config, "workerinput", {})
    if RUN_ID_INPUT in handed:
        return Path(handed[RESULTS_INPUT], handed[RUN_ID_INPUT])
    results_dir = values.config.rootpath / values.required("--hybrid-results-dir")
    resume = values.text("--hybrid-resume")
    if resume is None:
        return results_dir / _run_id(values)
    if values.text("--hybrid-run-id") is not None:
        raise ConfigurationError(
            "--hybrid-run-id names a new run and --hybrid-resume an old one; leave one of them out"
        )
    from pytest_hybrideval.reporting.runs import resolve_run

    try:
        return resolve_run(resume, results_dir)
    except ConfigurationError as error:
        hint = "; a path after it is taken for the run: write --hybrid-resume=RUN" if Path(resume).exists() else ""
        raise ConfigurationError(f"{values.source('--hybrid-resume')}: {error}{hint}") from None


def _run_id(values: _Values) -> str:
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


def _usd(text: str) -> float:
    number = _finite(text)
    if number < 0:
        raise ValueError
    return number


def _fraction(text: str) -> float:
    number = _finite(text)
    if not 0.0 < number < 1.0:
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


def _of(known: Mapping[str, T]) -> Callable[[str], T]:
    def parse(text: str) -> T:
        if text not in known:
            raise ValueError
        return known[text]

    return parse
