"""The word that a comparison allows: never more than its intervals and p-values carry."""

from __future__ import annotations

from enum import Enum

from pytest_hybrideval.analysis.intervals import Interval


class Verdict(str, Enum):
    """What may be said of a strategy's pass rate beside its baseline's."""

    BETTER = "better"
    NON_INFERIOR = "non-inferior"
    WORSE = "worse"
    INFERIOR = "inferior"
    INCONCLUSIVE = "inconclusive"
    NOT_COMPARABLE = "not comparable"


def verdict(difference: Interval, p_non_inferior: float, p_better: float, margin: float) -> Verdict:
    """Return the strongest word that holds at one-sided alpha = (1 - confidence) / 2 of the interval.

    `difference` is the interval of A - B over the worst and best case of missing trials; both p-values are adjusted for
    their families (Holm). Non-inferior goes before worse: a loss that is certain but smaller than the margin was
    declared acceptable before the run.
    """
    alpha = (1.0 - difference.confidence) / 2.0
    if p_better <= alpha:
        return Verdict.BETTER
    if difference.high < -margin:
        return Verdict.INFERIOR
    if p_non_inferior <= alpha:
        return Verdict.NON_INFERIOR
    return Verdict.WORSE if difference.high < 0.0 else Verdict.INCONCLUSIVE
