"""The honest coin: a share of the trials to the cloud, whatever they ask. What a router must beat."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import ClassVar

from pytest_hybrideval.core.domain import ChatRequest, Decision, Tier
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.protocols import RoutingContext, StrategyFactory
from pytest_hybrideval.core.settings import StrategyOptions
from pytest_hybrideval.core.signals import RequestSignals, read_request


class Random:
    """Each trial goes to the cloud as a whole with a given probability, else to the local model.

    One coin per trial, tossed at its first request from the seed, that request's instruction and its files' names: one
    trial always falls the same way. The toss does not depend on the probability. What goes to the cloud at 0.3 goes
    there at 0.5, too, which makes the difference between the two less a matter of chance.
    """

    usage: ClassVar[str] = "write random:P with the probability of the cloud, from 0 to 1, for example random:0.3"

    def __init__(self, probability: float) -> None:
        """`probability` of the cloud, in [0, 1]."""
        self.name = f"random:{probability:g}"
        self._probability = probability
        self._decision: Decision | None = None

    @classmethod
    def configured(cls, options: StrategyOptions, argument: str) -> StrategyFactory:
        """The coin of `random:P`. Raises `ConfigurationError` where P is missing or no probability."""
        if not argument:
            raise ConfigurationError(f"strategy 'random' needs a probability: {cls.usage}")
        try:
            probability = float(argument)
        except ValueError:
            probability = -1.0
        if not 0.0 <= probability <= 1.0:
            raise ConfigurationError(f"strategy 'random': '{argument}' is no probability; {cls.usage}")
        return partial(cls, probability)

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        """What the trial's coin showed."""
        if self._decision is None:
            shown = _toss(context.seed, read_request(request))
            cloud = shown < self._probability
            side = f"{shown:.3f} {'<' if cloud else '>='} {self._probability:g}"
            tier = Tier.CLOUD if cloud else Tier.LOCAL
            self._decision = Decision(tier, f"the trial's coin shows {side}", round(shown, 3))
        return self._decision


def _toss(seed: int, signals: RequestSignals) -> float:
    """A number in [0, 1), even over trials, always the same for the same trial."""
    text = "\x00".join((str(seed), signals.instruction, *sorted(signals.files)))
    return int.from_bytes(hashlib.sha256(text.encode(errors="surrogatepass")).digest()[:6], "big") / 2**48
