"""Route by the phase alone: thinking to the cloud, writing down to the local model."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from pytest_hybrideval.core.domain import ChatRequest, Decision, Tier
from pytest_hybrideval.core.protocols import RoutingContext
from pytest_hybrideval.core.signals import Phase, read_request

TIERS: Mapping[Phase, Tier] = MappingProxyType(
    {
        Phase.PLAN: Tier.CLOUD,
        Phase.CODE: Tier.CLOUD,  # plan and edit in one
        Phase.EDIT: Tier.LOCAL,
        Phase.REFLECTION: Tier.LOCAL,
        Phase.SUMMARY: Tier.LOCAL,
        Phase.COMMIT: Tier.LOCAL,
        Phase.OTHER: Tier.CLOUD,  # what is not recognised may need thinking
    }
)


class PhaseAware:
    """A table says where requests of each phase go."""

    name: ClassVar[str] = "phase-aware"

    def __init__(self, tiers: Mapping[Phase, Tier] = TIERS) -> None:
        """`tiers` replaces the documented table. Raises `ValueError` where a phase is missing."""
        missing = [phase.value for phase in Phase if phase not in tiers]
        if missing:
            raise ValueError(f"the table has no tier for {', '.join(missing)}")
        self._tiers = dict(tiers)

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        """The table's tier for the request's phase."""
        phase = read_request(request).phase
        return Decision(self._tiers[phase], f"phase {phase.value} goes to {self._tiers[phase].value}")
