"""What the plugin knows of a session: settings, registry, variants; worked out at first use, for nothing if unused."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_hybrideval.core.domain import ModelRef, Task, Tier, Trial, Variant
from pytest_hybrideval.core.errors import ConfigurationError, RecordError, TaskError
from pytest_hybrideval.core.pricing import PriceList
from pytest_hybrideval.core.protocols import strategy_embeds, strategy_models, strategy_tiers
from pytest_hybrideval.core.settings import Settings
from pytest_hybrideval.plugin import matrix
from pytest_hybrideval.plugin.option_table import RESUME
from pytest_hybrideval.plugin.options import read_settings, source_of
from pytest_hybrideval.plugin.registry import Registry

if TYPE_CHECKING:
    from pytest_hybrideval.agents.aider import Aider
    from pytest_hybrideval.backends.cassette import Cassettes
    from pytest_hybrideval.plugin.resuming import Resumed
    from pytest_hybrideval.reporting.report import Declared


class State:
    """One per pytest session, kept in `config.stash`."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._tasks: dict[Path, Task] = {}
        self._folders: dict[str, Path] = {}
        self._checked = False
        self.refused = ""

    @cached_property
    def settings(self) -> Settings:
        """The options, read. Raises `pytest.UsageError`."""
        return read_settings(self._config)

    @cached_property
    def registry(self) -> Registry:
        """All strategies, backends and suites on offer."""
        return Registry(self._config, lambda: self.settings.strategy_options)

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """The matrix of this run. Raises `pytest.UsageError` where it cannot be built."""
        try:
            return matrix.variants(self.settings, self.registry)
        except ConfigurationError as error:
            raise pytest.UsageError(str(error)) from None

    @cached_property
    def prices(self) -> PriceList:
        """The packaged prices with the user's over them. Raises `pytest.UsageError`."""
        from pytest_hybrideval.reporting.prices import load_prices

        try:
            return load_prices(self.settings.pricing_file).with_local(self.settings.local_cost_per_hour)
        except ConfigurationError as error:
            raise pytest.UsageError(str(error)) from None

    @property
    def resuming(self) -> bool:
        """Whether an earlier run is gone on with."""
        return bool(self._config.getoption(RESUME.dest) or self._config.getini(RESUME.ini))

    @cached_property
    def resumed(self) -> Resumed | None:
        """What an earlier start of the run has done; None for a new run. Raises `pytest.UsageError`."""
        from pytest_hybrideval.plugin.resuming import Resumed, read_resumed

        if self.settings.resume is None:
            return None
        handed = getattr(self._config, "workerinput", {}).get(RESUMED_INPUT)
        if handed is not None:  # as it was when the run started: it goes on meanwhile
            return Resumed.from_input(handed)
        try:
            return read_resumed(self.run_directory)
        except (RecordError, OSError) as error:
            raise pytest.UsageError(f"{source_of(self._config, '--hybrid-resume')}: {error}") from None

    @cached_property
    def declared(self) -> Declared:
        """Margin, gate and the earlier run, read before anything runs. Raises `pytest.UsageError`."""
        from pytest_hybrideval.reporting.gate import parse_condition
        from pytest_hybrideval.reporting.report import Declared
        from pytest_hybrideval.reporting.runs import read_run, resolve_run

        settings = self.settings
        try:
            conditions = tuple(map(parse_condition, settings.gate))
        except ConfigurationError as error:
            raise pytest.UsageError(f"{source_of(self._config, '--hybrid-gate')}: {error}") from None
        try:
            earlier = read_run(resolve_run(settings.compare, settings.results_dir)) if settings.compare else None
            for record in earlier.records if earlier else ():
                self.prices.cost(record)  # what has no price is found out now, not when the new trials have run
        except (ConfigurationError, RecordError, OSError) as error:
            raise pytest.UsageError(f"{source_of(self._config, '--hybrid-compare')}: {error}") from None
        return Declared(settings.margin, settings.confidence, conditions, earlier)

    @cached_property
    def cassettes(self) -> Cassettes | None:
        """Where answers are recorded and replayed from; None where every call goes live."""
        from pytest_hybrideval.backends.cassette import Cassettes, RecordMode

        settings = self.settings
        return Cassettes(settings.cassettes, RecordMode(settings.record), settings.run_id) if settings.record else None

    @cached_property
    def aider(self) -> Aider:
        """The packaged agent, as chosen. Raises `ConfigurationError`."""
        from pytest_hybrideval.agents.aider import Aider

        chosen = self.settings
        return Aider(chosen.aider_format, chosen.aider_path, warm=chosen.aider_warm, sandbox=chosen.sandbox)

    def check(self) -> None:
        """Find out now whether all that was asked for can be done. Raises `pytest.UsageError` for what cannot."""
        self._checked = True
        try:
            used = {tier for name in self.settings.strategies for tier in strategy_tiers(self.registry.strategy(name))}
            assert self.variants
            assert self.declared
            assert self.resumed or not self.settings.resume
            self._check_budget(used)
            self._check_urls()
            self._check_models(used)
            self._check_tools()
        except ConfigurationError as error:
            raise pytest.UsageError(str(error)) from None

    def _check_models(self, used: set[Tier]) -> None:
        """Every model that will be asked has a backend that can be made (name, key, address) and a price."""
        factories = [self.registry.strategy(name) for name in self.settings.strategies]
        asked = [(tier, model) for tier in sorted(used) for model in self.settings.tier(tier).models]
        asked += [named for factory in factories for named in strategy_models(factory)]
        embedder = self.settings.embedding_model
        if embedder is not None and any(map(strategy_embeds, factories)):
            self._check_embedder(embedder)
            asked.append((Tier.LOCAL, embedder))
        for tier, model in dict.fromkeys(asked):
            if self.settings.record in (None, "all"):
                self.registry.backend(model, tier, self.settings.tier(tier).base_url)
            else:  # what is on a cassette needs no key and no server
                self.registry.backend_factory(model)
            self.prices.price(model, tier)

    def _check_embedder(self, model: ModelRef) -> None:
        """An embedding counts as a local call, which is free: it must not go to somebody's paid account unseen."""
        if model.provider == "openai" and self.settings.local.base_url is None:
            raise ConfigurationError(
                f"--hybrid-embedding-model {model} is asked where the local models are served: "
                f"give --local-base-url, or an embedding model of ollama/"
            )

    def _check_budget(self, used: set[Tier]) -> None:
        """What a call can cost at most must be known before it is sent."""
        limited = self.settings.max_cost is not None or self.settings.max_trial_cost is not None
        if limited and Tier.CLOUD in used and self.settings.cloud.max_tokens is None:
            raise ConfigurationError(
                "--hybrid-max-cost and --hybrid-max-trial-cost need --hybrid-cloud-max-tokens N: "
                "without a longest answer a call has no greatest cost"
            )

    def _check_urls(self) -> None:
        """A router behind a URL answers with models of its own: their prices are those of the two that are named."""
        if not any(name.startswith("url:") for name in self.settings.strategies):
            return
        if any(model.provider == "simulated" for tier in Tier for model in self.settings.tier(tier).models):
            raise ConfigurationError(
                "--strategy url:...: name with --local-model and --cloud-model what the router answers with, for prices"
            )
        if self.settings.max_cost is not None or self.settings.max_trial_cost is not None:
            raise ConfigurationError(
                "--strategy url:... cannot be held to --hybrid-max-cost or --hybrid-max-trial-cost: "
                "which model answers, and so a call's price, is known only after it"
            )

    def _check_tools(self) -> None:
        """The agent and the sandbox are there."""
        from pytest_hybrideval.sandbox.choice import choose

        assert self.aider
        choose(self.settings.sandbox)

    @property
    def started(self) -> bool:
        """Whether something may run ahead of the first trial."""
        return "aider" in vars(self)

    def close(self) -> None:
        """End what was started ahead of the first trial. Safe to call twice."""
        if self.started:
            self.aider.stop()

    @property
    def run_directory(self) -> Path:
        """Where this run's files go. Not created by asking."""
        return self.settings.results_dir / self.settings.run_id

    def claims(self, folder: Path) -> bool:
        """Whether a folder is a task. At the first one, what was asked for is checked if it was not before.

        While it collects, pytest takes a `UsageError` for a fault of the collector; so it waits in `refused`.
        """
        try:
            if self.registry.suite_of(folder) is None:
                return False
            if not self._checked and not hasattr(self._config, "workerinput"):
                self.check()
        except pytest.UsageError as error:
            self.refused = str(error)
        return True

    def task(self, folder: Path) -> Task | None:
        """The task in a folder, read once per process; None where the folder is none. Raises `TaskError`."""
        if folder not in self._tasks:
            task = self.registry.task(folder)
            if task is None:
                return None
            namesake = self._folders.setdefault(task.id, folder)
            if namesake != folder:
                raise TaskError(f"{folder}: a task {task.id} lies in {namesake} too; rename one of the two suites")
            self._tasks[folder] = task
        return self._tasks[folder]

    @property
    def tasks(self) -> list[Task]:
        """The tasks that this process has read."""
        return list(self._tasks.values())

    def trial(self, node_id: str) -> Trial | None:
        """The trial of a node id such as `suite/task::task[variant]`; None where it names none of ours."""
        path, _, name = node_id.partition("::")
        folder = self._config.rootpath / path
        if not name.endswith("]") or self.registry.suite_of(folder) is None:
            return None
        variant = self._variants_by_id.get(name.partition("[")[2].removesuffix("]"))
        try:
            task = self.task(folder)
        except TaskError:
            return None
        return Trial(task, variant) if task and variant else None

    @cached_property
    def _variants_by_id(self) -> dict[str, Variant]:
        return {variant.id: variant for variant in self.variants}


RESUMED_INPUT = "hybrideval_resumed"
STATE = pytest.StashKey[State]()


def state_of(config: pytest.Config) -> State:
    """The session's state."""
    return config.stash[STATE]
