"""Local first, and the cloud only where the local answer is seen to be unusable."""

from __future__ import annotations

from typing import ClassVar

from pytest_hybrideval.core.domain import ChatRequest, Decision, Reply, Tier
from pytest_hybrideval.core.protocols import RoutingContext
from pytest_hybrideval.core.signals import read_request
from pytest_hybrideval.strategies.answers.review import complaint


class Escalate:
    """Every request goes to the local model; what it answers is looked at before the agent sees it.

    An answer that is incomplete, empty, repetitive or, where edits are asked for, without edits that the agent could
    apply is thrown away and the same request goes to the cloud. Whether an edit is right is not looked at. The tokens
    of an answer that is thrown away are overhead.
    """

    name: ClassVar[str] = "escalate"

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        """Local, whatever the request."""
        return Decision(Tier.LOCAL, "local first")

    async def review(self, request: ChatRequest, reply: Reply, context: RoutingContext) -> Decision | None:
        """The cloud where something is wrong with the answer; the reason says what."""
        wrong = complaint(read_request(request), reply)
        return Decision(Tier.CLOUD, f"the local answer is of no use: {wrong}") if wrong else None
