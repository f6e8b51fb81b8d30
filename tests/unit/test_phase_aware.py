"""The table decides by the phase alone."""

from __future__ import annotations

import asyncio

import pytest
from builders import CODE_SYSTEM, EDIT_SYSTEM, chat, code_request, edit_request, plan_request

from pytest_hybrideval.core.domain import ChatRequest, Decision, Tier
from pytest_hybrideval.core.signals import EditFormat, Phase
from pytest_hybrideval.strategies.phase_aware import TIERS, PhaseAware
from pytest_hybrideval.testing import make_context

COMMIT = "You are an expert software engineer that generates concise, one-line Git commit messages."


def decide(request: ChatRequest, strategy: PhaseAware | None = None) -> Decision:
    return asyncio.run((strategy or PhaseAware()).decide(request, make_context()))


@pytest.mark.parametrize(
    ("request_", "phase", "tier"),
    [
        (plan_request("Greet."), "plan", Tier.CLOUD),
        (code_request("Greet."), "code", Tier.CLOUD),
        (edit_request("Change `a.py`."), "edit", Tier.LOCAL),
        (chat(EDIT_SYSTEM, EditFormat.DIFF, "# 1 SEARCH/REPLACE block failed"), "reflection", Tier.LOCAL),
        (chat(CODE_SYSTEM, EditFormat.WHOLE, "# Fix any errors below"), "reflection", Tier.LOCAL),
        (chat("*Briefly* summarize this.", EditFormat.NONE, "All."), "summary", Tier.LOCAL),
        (chat(COMMIT, EditFormat.NONE, "diff"), "commit", Tier.LOCAL),
        (chat("You answer questions.", EditFormat.NONE, "Why?"), "other", Tier.CLOUD),
    ],
)
def test_the_packaged_table(request_: ChatRequest, phase: str, tier: Tier) -> None:
    assert decide(request_) == Decision(tier, f"phase {phase} goes to {tier.value}")


def test_size_and_words_do_not_count() -> None:
    assert decide(edit_request("locks and threads " * 500)).tier is Tier.LOCAL
    assert decide(plan_request("Greet.")).tier is Tier.CLOUD


def test_a_table_of_ones_own_takes_the_place_of_ours() -> None:
    turned = {phase: Tier.LOCAL if tier is Tier.CLOUD else Tier.CLOUD for phase, tier in TIERS.items()}
    for request in (plan_request("Greet."), edit_request("Change it.")):
        assert decide(request, PhaseAware(turned)).tier is not decide(request).tier


def test_a_table_with_a_hole_is_refused() -> None:
    with pytest.raises(ValueError, match="the table has no tier for commit, other"):
        PhaseAware({phase: tier for phase, tier in TIERS.items() if phase not in (Phase.COMMIT, Phase.OTHER)})
