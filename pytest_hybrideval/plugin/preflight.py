"""Ask each model who it is before the first trial needs it."""

from __future__ import annotations

import pytest

from pytest_hybrideval.core.domain import ModelInfo, ModelRef, Tier
from pytest_hybrideval.core.errors import BackendError
from pytest_hybrideval.gateway import Gateway


class Preflight:
    """Asks each model once per process who it is, before the first trial needs it; remembers a refusal, too."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.models: dict[str, ModelInfo] = {}
        self._refused: dict[str, BackendError] = {}

    def check(self, ref: ModelRef, tier: Tier) -> None:
        """Raises `BackendError` where the model would not answer; the same one at once for every later trial."""
        name = f"{tier.value} {ref}"
        if name in self._refused:
            raise self._refused[name]
        if name not in self.models:
            try:
                self.models[name] = self._gateway.describe(ref, tier)
            except BackendError as error:
                self._refused[name] = error
                raise


PREFLIGHT = pytest.StashKey[Preflight]()
