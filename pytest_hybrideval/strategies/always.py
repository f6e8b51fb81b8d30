"""The two controls: every request to one tier."""

from __future__ import annotations

from typing import ClassVar

from pytest_hybrideval.core.domain import ChatRequest, Decision, Tier
from pytest_hybrideval.core.protocols import RoutingContext


class AlwaysCloud:
    """Every request goes to the cloud: what quality and cost would be without a router."""

    name: ClassVar[str] = "always-cloud"
    tiers: ClassVar[frozenset[Tier]] = frozenset({Tier.CLOUD})

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        """Cloud, whatever the request."""
        return Decision(Tier.CLOUD, "always-cloud")


class AlwaysLocal:
    """Every request goes to the local model: what the local model can do alone."""

    name: ClassVar[str] = "always-local"
    tiers: ClassVar[frozenset[Tier]] = frozenset({Tier.LOCAL})

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        """Local, whatever the request."""
        return Decision(Tier.LOCAL, "always-local")
