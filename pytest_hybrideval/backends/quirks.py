"""Models that refuse a temperature or name their token limit differently. `data/models.yaml` lists them."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib import resources

import yaml


@dataclass(frozen=True)
class Quirks:
    """How a model's chat API differs. `token_limit` is the body's key for a limit of completion tokens."""

    temperature: bool = True
    token_limit: str = "max_tokens"


def quirks_of(model: str) -> Quirks:
    """The quirks of a model by its name (without provider); those of an ordinary one where no pattern matches."""
    last = model.rsplit("/", 1)[-1]
    return next((quirks for pattern, quirks in _listed() if fnmatchcase(last, pattern)), Quirks())


@lru_cache(maxsize=1)
def _listed() -> tuple[tuple[str, Quirks], ...]:
    text = resources.files("pytest_hybrideval.data").joinpath("models.yaml").read_text(encoding="utf-8")
    return tuple(
        (entry["match"], Quirks(entry["temperature"], entry["token_limit"])) for entry in yaml.safe_load(text)["models"]
    )
