"""Route by what the request is: its phase, the size of instruction and files, signs of difficulty."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pytest_hybrideval.core.domain import ChatRequest, Decision, Tier
from pytest_hybrideval.core.protocols import RoutingContext
from pytest_hybrideval.core.signals import Phase, RequestSignals, read_request

_HARD_TOPICS = (
    r"concurren\w*|thread\w*|race condition|deadlock|atomic\w*|lock(?:s|ing)?\b",
    r"constant[- ]time|timing attack|security|password|token|hash\w*",
    r"sliding window|back-?off|retr(?:y|ies)|rate limit\w*",
    r"schema|migration|transaction\w*",
    r"time ?zone|daylight|calendar",
    r"pars(?:e|er|ing)|grammar|escap\w*|quot(?:e|ing|ed)",
    r"stream\w*|memory|performance|complexity",
)


@dataclass(frozen=True)
class Weights:
    """Points that make up a request's score. A request of `boundary` points or more goes to the cloud.

    Phases: a plan decides the whole trial, so it weighs most; an edit follows a plan that is already there; a
    reflection says that an edit has just been refused. Sizes count per unit up to a cap, so that one long file alone
    never decides.
    """

    boundary: float = 25.0
    phases: Mapping[Phase, float] = field(
        default_factory=lambda: {
            Phase.PLAN: 14.0,
            Phase.CODE: 10.0,
            Phase.REFLECTION: 12.0,
            Phase.EDIT: 0.0,
            Phase.SUMMARY: -50.0,
            Phase.COMMIT: -50.0,
            Phase.OTHER: 0.0,
        }
    )
    per_100_words: float = 3.0
    words_cap: float = 15.0
    per_1000_characters: float = 1.0
    characters_cap: float = 10.0
    per_further_file: float = 3.0
    files_cap: float = 9.0
    per_hard_topic: float = 3.0
    topics_cap: float = 12.0


@dataclass(frozen=True)
class Assessment:
    """A request's score and what it is made of, largest part first, for the decision's reason."""

    score: float
    parts: tuple[tuple[str, float], ...]

    @property
    def reason(self) -> str:
        """The parts that counted, in words."""
        return ", ".join(f"{name} {points:+.1f}" for name, points in self.parts if points) or "nothing counted"


def assess(signals: RequestSignals, weights: Weights) -> Assessment:
    """Score a request. An edit request's instruction is the architect's plan: its size counts, its topics do not."""
    words = len(signals.instruction.split())
    topics = sum(bool(re.search(rf"\b(?:{pattern})", signals.instruction, re.IGNORECASE)) for pattern in _HARD_TOPICS)
    if signals.phase in (Phase.EDIT, Phase.REFLECTION):
        topics = 0
    parts = [
        (signals.phase.value, weights.phases[signals.phase]),
        ("words", min(words / 100 * weights.per_100_words, weights.words_cap)),
        ("characters", min(signals.characters / 1000 * weights.per_1000_characters, weights.characters_cap)),
        ("files", min(max(len(signals.files) - 1, 0) * weights.per_further_file, weights.files_cap)),
        ("topics", min(topics * weights.per_hard_topic, weights.topics_cap)),
    ]
    parts.sort(key=lambda part: -abs(part[1]))
    return Assessment(sum(points for _, points in parts), tuple(parts))


class Heuristic:
    """Score the request; at or above the threshold it goes to the cloud. The threshold is the score's boundary."""

    name: ClassVar[str] = "heuristic"
    default_threshold: ClassVar[float] = Weights.boundary

    def __init__(self, weights: Weights | None = None) -> None:
        """`weights` replaces the documented defaults."""
        self._weights = weights or Weights()

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        """Cloud at or above the threshold, local below it."""
        found = assess(read_request(request), self._weights)
        boundary = self._weights.boundary if context.threshold is None else context.threshold
        cloud = found.score >= boundary
        sign = ">=" if cloud else "<"
        return Decision(
            Tier.CLOUD if cloud else Tier.LOCAL,
            f"score {found.score:.1f} {sign} {boundary:g}: {found.reason}",
            round(found.score, 3),
        )
