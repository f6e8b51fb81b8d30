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
    """Prices by model name (without provider). `source` says where they come from and when they were read."""

    prices: Mapping[str, Price]
    source: str

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
        """USD of a whole trial, overhead included."""
        return sum(
            self.price(parse_model(name), tier).cost(record.tier_tokens(tier))
            for tier, name in ((Tier.LOCAL, record.local_model), (Tier.CLOUD, record.cloud_model))
            if record.tier_tokens(tier).calls
        )


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
