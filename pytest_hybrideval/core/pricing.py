"""What tokens cost. Prices are USD per million tokens; an unknown price is an error, never zero."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_hybrideval.core.domain import ModelRef, Tier
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.records import TierTokens, TrialRecord

_MILLION = 1_000_000
_HOUR = 3600.0


@dataclass(frozen=True)
class Price:
    """USD per million tokens. `cached` is for prompt tokens served from the provider's prompt cache."""

    prompt: float
    completion: float
    cached: float

    def cost(self, tokens: TierTokens) -> float:
        """USD for these tokens: cached ones at their own price, the rest of the prompt at the full one."""
        fresh = tokens.prompt - tokens.cached
        return (fresh * self.prompt + tokens.cached * self.cached + tokens.completion * self.completion) / _MILLION


FREE = Price(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class PriceList:
    """Prices by model name (without provider). `source` says where they come from and when they were read.

    `local_per_hour` is USD for an hour in which a local model is busy; calls that go on side by side each count.
    """

    prices: Mapping[str, Price]
    source: str
    local_per_hour: float = 0.0

    def with_local(self, per_hour: float) -> PriceList:
        """These prices with local models that cost `per_hour` USD; the source says so."""
        if not per_hour:
            return self
        return PriceList(self.prices, f"{self.source}; local models {per_hour:g} USD per busy hour", per_hour)

    def price(self, model: ModelRef, tier: Tier) -> Price:
        """The price of a model. The local tier costs nothing per token.

        Raises `ConfigurationError` where a cloud model has no price.
        """
        if tier is Tier.LOCAL:
            return FREE
        try:
            return self.prices[model.name]
        except KeyError:
            known = ", ".join(sorted(self.prices))
            raise ConfigurationError(
                f"no price for cloud model '{model.name}' (known: {known}); "
                f"write it into a YAML file and pass --hybrid-pricing FILE"
            ) from None

    def cost(self, record: TrialRecord) -> float:
        """USD of a whole trial, overhead included.

        Raises `ConfigurationError` where a model has no price, or local time one and the record does not say it.
        """
        return self._local_time(record) + sum(
            self.price(parse_model(name), tier).cost(record.tier_tokens(tier))
            for tier, name in ((Tier.LOCAL, record.local_model), (Tier.CLOUD, record.cloud_model))
            if record.tier_tokens(tier).calls
        )

    def _local_time(self, record: TrialRecord) -> float:
        if not self.local_per_hour or not record.tier_tokens(Tier.LOCAL).calls:
            return 0.0
        if record.local_seconds is None:
            raise ConfigurationError(
                f"local time has a price, and the record of {record.trial} does not say how long local models took; "
                f"leave the price per hour out for this run"
            )
        return record.local_seconds / _HOUR * self.local_per_hour


def parse_model(text: str) -> ModelRef:
    """`provider/name` as a `ModelRef`; the name may hold further slashes. Raises `ConfigurationError`."""
    provider, slash, name = text.partition("/")
    if not slash or not provider or not name:
        raise ConfigurationError(
            f"model '{text}' is not PROVIDER/NAME, for example ollama/gemma4:31b or openai/gpt-5.5"
        )
    return ModelRef(provider, name)


def price_list(document: Any, source: str) -> PriceList:
    """A price list from parsed YAML: `{models: {NAME: {prompt, completion, cached}}}`.

    Raises `ConfigurationError` that names the source and the field.
    """
    models = document.get("models") if isinstance(document, dict) else None
    if not isinstance(models, dict):
        raise ConfigurationError(f"{source}: 'models' must map model names to prices")
    return PriceList({str(name): _price(fields, f"{source}: models.{name}") for name, fields in models.items()}, source)


def _price(fields: Any, where: str) -> Price:
    names = ("prompt", "completion", "cached")
    if not isinstance(fields, dict) or set(fields) - set(names) or {"prompt", "completion"} - set(fields):
        raise ConfigurationError(
            f"{where}: needs 'prompt' and 'completion', may have 'cached' (USD per million tokens)"
        )
    for name, value in fields.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
            raise ConfigurationError(f"{where}.{name}: {value!r} is not a price (a number of USD, 0 or more)")
    prompt: float = fields["prompt"]
    return Price(prompt, fields["completion"], fields.get("cached", prompt))
