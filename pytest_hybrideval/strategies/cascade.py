"""The heuristic where it is sure; a question to the local model where the score is near the boundary."""

from __future__ import annotations

import re
from typing import ClassVar

from pytest_hybrideval.core.domain import ChatRequest, Decision, Tier
from pytest_hybrideval.core.protocols import RoutingContext
from pytest_hybrideval.core.signals import read_request
from pytest_hybrideval.strategies.heuristic import Weights, assess

_QUESTION = """\
You route requests of a coding agent. A small local model is cheap; a large cloud model is stronger and costs money.
Would a small local model handle the following request correctly? Files in play: {files}.

<request>
{instruction}
</request>

Answer with one word: local (it would) or cloud (it would not).
"""
_EXCERPT = 4000


class Cascade:
    """Heuristic first; within `threshold` points of the boundary a classifier call decides.

    The classifier's tokens are overhead of the strategy. An answer that names neither tier leaves the decision to the
    score, and the reason says so.
    """

    name: ClassVar[str] = "cascade"
    default_threshold: ClassVar[float] = 15.0

    def __init__(self, weights: Weights | None = None) -> None:
        """`weights` replaces the heuristic's documented defaults."""
        self._weights = weights or Weights()

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        """The score decides outside the band, the classifier inside it."""
        band = self.default_threshold if context.threshold is None else context.threshold
        signals = read_request(request)
        found = assess(signals, self._weights)
        distance = found.score - self._weights.boundary
        by_score = Tier.CLOUD if distance >= 0 else Tier.LOCAL
        score = round(found.score, 3)
        if abs(distance) > band:
            return Decision(by_score, f"score {found.score:.1f} outside the band of {band:g}: {found.reason}", score)
        files = ", ".join(sorted(signals.files)) or "none"  # the agent lists them in any order
        question = _QUESTION.format(files=files, instruction=signals.instruction[:_EXCERPT])
        answer = await context.classify(question)
        named = re.findall(r"\b(local|cloud)\b", answer.text.lower())
        if not named:
            said = answer.text.strip()[:40]
            return Decision(by_score, f"classifier said {said!r}, so score {found.score:.1f} decides", score)
        return Decision(Tier(named[-1]), f"classifier said {named[-1]}, score {found.score:.1f} in the band", score)
