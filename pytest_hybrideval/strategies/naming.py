"""Strategies by what the user calls them: a name, `name:argument`, or `module:Class`, perhaps with an argument."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Mapping
from typing import Any

from pytest_hybrideval.core.errors import ConfigurationError, StrategyError
from pytest_hybrideval.core.protocols import (
    ConfigurableFactory,
    Strategy,
    StrategyFactory,
    StrategyOffer,
    default_threshold,
    strategy_embeds,
    strategy_models,
    strategy_tiers,
)
from pytest_hybrideval.core.settings import StrategyOptions

__all__ = [
    "default_threshold",
    "find_strategy",
    "make_strategy",
    "strategy_embeds",
    "strategy_models",
    "strategy_tiers",
]

Offers = Mapping[str, StrategyOffer]


def find_strategy(name: str, known: Offers, options: Callable[[], StrategyOptions]) -> StrategyFactory:
    """The factory of the strategy that `name` stands for, configured. `options` are asked for only where they are used.

    Raises `ConfigurationError` with what would be right.
    """
    offer, argument = _offer(name, known)
    if not isinstance(offer, ConfigurableFactory):
        if argument:
            raise ConfigurationError(f"strategy '{name}' takes no argument: it has no method 'configured'")
        return offer
    try:
        return offer.configured(options(), argument)
    except ConfigurationError:
        raise
    except Exception as error:  # a strategy is anyone's code
        text = f"{type(error).__name__}: {error}"
        raise ConfigurationError(f"strategy '{name}' could not be configured: {text}") from error


def make_strategy(factory: StrategyFactory, name: str) -> Strategy:
    """A fresh strategy. Raises `StrategyError` with whatever its own code raised."""
    try:
        return factory()
    except Exception as error:  # a strategy is anyone's code
        raise StrategyError(f"strategy '{name}' could not be made: {type(error).__name__}: {error}") from error


def _offer(name: str, known: Offers) -> tuple[StrategyOffer, str]:
    """What a name stands for, and the argument after it. A name on offer goes before a module of the same name."""
    head, colon, argument = name.partition(":")
    if not colon or not head:
        return _chosen(name, known), ""
    if isinstance(known.get(head), ConfigurableFactory):
        return known[head], argument
    try:
        return _imported(name)
    except ConfigurationError as error:
        if head in known:
            raise ConfigurationError(f"strategy '{head}' takes no argument; '{name}' is nothing else") from None
        raise ConfigurationError(f"{error}{_similar(head, known)}") from None


def _chosen(name: str, known: Offers) -> StrategyOffer:
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    raise ConfigurationError(f"unknown strategy '{name}'; {hint}({', '.join(known)})")


def _similar(name: str, known: Offers) -> str:
    """A hint at the strategy that may have been meant, among those that take an argument."""
    names = [own for own, offer in known.items() if isinstance(offer, ConfigurableFactory)]
    close = difflib.get_close_matches(name, names, n=1)
    return f", or did you mean '{close[0]}'?" if close else ""


def _imported(path: str) -> tuple[StrategyOffer, str]:
    """The class of `module:Class`, and the argument of `module:Class:argument`."""
    module_name, _, rest = path.partition(":")
    attribute, _, argument = rest.partition(":")
    try:
        found: Any = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(f"strategy '{path}' cannot be imported: {error}; write module:Class") from None
    if not callable(found) or not hasattr(found, "decide"):
        raise ConfigurationError(f"strategy '{path}' is no strategy: it must be a class with an async method 'decide'")
    offer: StrategyOffer = found
    return offer, argument
