"""Route by the class of the task: each may have a local model of its own, and some go to the cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pytest_hybrideval.core.domain import ChatRequest, Decision, ModelRef, TaskClass, Tier
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.pricing import parse_model
from pytest_hybrideval.core.protocols import RoutingContext, StrategyFactory
from pytest_hybrideval.core.settings import StrategyOptions
from pytest_hybrideval.strategies import yaml_file

_DEFAULT = "default"
_CLOUD = "cloud"
_CLASSES = [task_class.value for task_class in TaskClass]


@dataclass(frozen=True)
class TaskModels:
    """Which model each task class gets, and the factory of the strategy that asks them.

    `local` has the local models of classes that have one of their own; `default` is that of all others, None the
    trial's own local model; classes in `cloud` go to the trial's cloud model.
    """

    local: Mapping[TaskClass, ModelRef]
    default: ModelRef | None = None
    cloud: frozenset[TaskClass] = frozenset()

    def __call__(self) -> TaskAware:
        """The strategy for one trial."""
        return TaskAware(self)

    @property
    def models(self) -> tuple[tuple[Tier, ModelRef], ...]:
        """The models that decisions may name, each once."""
        named = [*self.local.values(), *([self.default] if self.default else [])]
        return tuple((Tier.LOCAL, model) for model in dict.fromkeys(named))

    @property
    def tiers(self) -> frozenset[Tier]:
        """Both tiers, or the local one alone where no class goes to the cloud."""
        return frozenset(Tier) if self.cloud else frozenset({Tier.LOCAL})

    def decision(self, task_class: TaskClass | None) -> Decision:
        """Where requests of a task class go; None is a request that belongs to no task."""
        named = "a request of no task" if task_class is None else f"task class {task_class.value}"
        if task_class in self.cloud:
            return Decision(Tier.CLOUD, f"{named} goes to the cloud")
        model = self.local.get(task_class) if task_class else None
        if model:
            return Decision(Tier.LOCAL, f"{named} has a model of its own, {model}", model=model)
        which = f"the default, {self.default}" if self.default else "the trial's local model"
        return Decision(Tier.LOCAL, f"{named} goes to {which}", model=self.default)


class TaskAware:
    """The trial's task class decides, the same for all its requests."""

    name: ClassVar[str] = "task-aware"

    def __init__(self, chosen: TaskModels) -> None:
        """`chosen` says what each task class gets."""
        self._chosen = chosen
        self.models = chosen.models
        self.tiers = chosen.tiers

    @classmethod
    def configured(cls, options: StrategyOptions, argument: str) -> StrategyFactory:
        """The strategy with the run's map of models, which is read here. Raises `ConfigurationError`."""
        if argument:
            raise ConfigurationError(f"strategy '{cls.name}' takes no argument; --hybrid-task-models FILE is its map")
        if options.task_models is None:
            raise ConfigurationError(
                f"strategy '{cls.name}' needs --hybrid-task-models FILE, a YAML map of task classes to local models "
                f"such as {{D5: ollama/qwen3-coder:30b, cloud: [D6]}}"
            )
        return load_task_models(options.task_models)

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        """What the map says of the trial's task class."""
        return self._chosen.decision(context.task_class)


def load_task_models(file: Path) -> TaskModels:
    """The map in a YAML file. Raises `ConfigurationError` that names the file, and the key where one is wrong."""
    return parse_task_models(yaml_file.read_text(file, "task models"), str(file))


def parse_task_models(text: str, name: str) -> TaskModels:
    """The map from YAML: `CLASS: provider/model`, `default: provider/model`, `cloud: [CLASS, ...]`, each optional.

    Raises `ConfigurationError` as `load_task_models` does.
    """
    where = f"task models {name}"
    document = yaml_file.parse(text, where)
    keys = f"task classes ({', '.join(_CLASSES)}), {_DEFAULT} and {_CLOUD}"
    if not isinstance(document, dict) or not document:
        raise ConfigurationError(f"{where}: must be a map; its keys are {keys}")
    unknown = [str(key) for key in document if key not in (*_CLASSES, _DEFAULT, _CLOUD)]
    if unknown:
        raise ConfigurationError(f"{where}: '{unknown[0]}' is no key of it; keys are {keys}")
    cloud = _cloud(document.get(_CLOUD, []), where)
    models = {key: _model(value, f"{where}: {key}") for key, value in document.items() if key != _CLOUD}
    default = models.pop(_DEFAULT, None)
    for task_class in cloud:
        if task_class.value in models:
            raise ConfigurationError(f"{where}: {task_class.value} has a local model and is listed under {_CLOUD} too")
    return TaskModels({TaskClass(key): model for key, model in models.items()}, default, cloud)


def _cloud(classes: Any, where: str) -> frozenset[TaskClass]:
    if not isinstance(classes, list) or any(name not in _CLASSES for name in classes):
        raise ConfigurationError(f"{where}: {_CLOUD}: must be a list of task classes ({', '.join(_CLASSES)})")
    return frozenset(map(TaskClass, classes))


def _model(value: Any, where: str) -> ModelRef:
    if not isinstance(value, str):
        raise ConfigurationError(f"{where}: {value!r} is no model; write PROVIDER/NAME")
    try:
        return parse_model(value)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from None
