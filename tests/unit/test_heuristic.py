"""What raises a request's score, what the threshold means, and that the same request always gets the same answer."""

from __future__ import annotations

import asyncio

import pytest
from builders import EDIT_SYSTEM, chat, code_request, edit_request, plan_request
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hybrideval.core.domain import Answer, ChatRequest, Decision, Tier
from pytest_hybrideval.core.protocols import RoutingContext
from pytest_hybrideval.core.signals import EditFormat, Phase, read_request
from pytest_hybrideval.strategies.heuristic import Assessment, Heuristic, Weights, assess

WORDS = "word " * 100
HARD = "Make the rate limit of the parser atomic across time zones."  # 11 words, 4 hard topics

# Written down here, so that tuning the defaults changes no test.
WEIGHTS = Weights(
    boundary=25.0,
    phases={
        Phase.PLAN: 14.0,
        Phase.CODE: 10.0,
        Phase.REFLECTION: 12.0,
        Phase.EDIT: 0.0,
        Phase.SUMMARY: -50.0,
        Phase.COMMIT: -50.0,
        Phase.OTHER: 0.0,
    },
    per_100_words=4.0,
    words_cap=12.0,
    per_1000_characters=1.0,
    characters_cap=10.0,
    per_further_file=3.0,
    files_cap=9.0,
    per_hard_topic=3.0,
    topics_cap=12.0,
)


async def unasked(question: str) -> Answer:
    raise AssertionError(f"the heuristic asks nothing, but asked {question!r}")


def decide(request: ChatRequest, threshold: float | None = None, weights: Weights | None = WEIGHTS) -> Decision:
    context = RoutingContext(threshold=threshold, seed=42, earlier=(), classify=unasked)
    return asyncio.run(Heuristic(weights).decide(request, context))


def found(request: ChatRequest, weights: Weights = WEIGHTS) -> Assessment:
    return assess(read_request(request), weights)


def test_a_score_is_the_sum_of_its_parts() -> None:
    request = plan_request(WORDS + HARD, {"a.py": "x" * 999 + "\n", "b.py": "y" * 999 + "\n"})
    parts = dict(found(request).parts)
    assert parts == {
        "plan": 14.0,
        "words": pytest.approx(111 / 100 * 4),
        "characters": pytest.approx(2.0),
        "files": 3.0,
        "topics": 12.0,
    }
    assert decide(request).score == pytest.approx(sum(parts.values()), abs=1e-3)


def test_the_reason_names_score_threshold_and_parts_largest_first() -> None:
    decision = decide(plan_request(HARD))
    assert decision.reason == "score 26.4 >= 25: plan +14.0, topics +12.0, words +0.4"
    assert decision.score == pytest.approx(26.44)


def test_a_request_in_which_nothing_counts_says_so() -> None:
    assert decide(edit_request("")).reason == "score 0.0 < 25: nothing counted"


@pytest.mark.parametrize(
    ("threshold", "tier"), [(26.4, Tier.CLOUD), (26.44, Tier.CLOUD), (26.5, Tier.LOCAL), (None, Tier.CLOUD)]
)
def test_the_threshold_is_the_least_score_that_goes_to_the_cloud(threshold: float | None, tier: Tier) -> None:
    assert decide(plan_request(HARD), threshold).tier is tier


def test_without_a_threshold_the_default_decides() -> None:
    for request in (plan_request(HARD), edit_request(HARD), code_request(WORDS)):
        assert decide(request, None, None) == decide(request, Heuristic.default_threshold, None)


def test_a_threshold_of_zero_is_a_threshold() -> None:
    assert decide(edit_request(""), 0.0).tier is Tier.CLOUD


def test_plans_weigh_more_than_code_and_code_more_than_edits() -> None:
    requests = (plan_request("Do it."), code_request("Do it."), edit_request("Do it."))
    scores = [found(request, Weights()).score for request in requests]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 3


def test_a_refused_edit_weighs_more_than_a_first_one() -> None:
    refused = chat(EDIT_SYSTEM, EditFormat.WHOLE, "No filename provided before ``` in file listing")
    assert found(refused, Weights()).score > found(edit_request("No file is named."), Weights()).score


def test_summaries_and_commit_messages_stay_local_whatever_their_size() -> None:
    request = chat("*Briefly* summarize this partial conversation.", EditFormat.NONE, (WORDS + HARD) * 50)
    assert decide(request, None, None).tier is Tier.LOCAL


@pytest.mark.parametrize(
    ("request_", "part", "cap"),
    [
        (plan_request(WORDS * 50), "words", 12.0),
        (plan_request("Do it.", {"a.py": "x" * 50_000 + "\n"}), "characters", 10.0),
        (plan_request("Do it.", {f"{n}.py": "" for n in range(20)}), "files", 9.0),
        (plan_request("locks, tokens, retries, schema, calendar, grammar, streams"), "topics", 12.0),
    ],
)
def test_no_single_part_grows_without_bound(request_: ChatRequest, part: str, cap: float) -> None:
    assert dict(found(request_).parts)[part] == cap


@pytest.mark.parametrize(
    "text",
    ["two threads", "a race condition", "a security hole", "PASSWORD", "back-off", "retries", "rate limiting",
     "JSON schema", "time zone", "timezone", "the parser", "quoting", "streaming", "low memory"],
)  # fmt: skip
def test_hard_topics_are_recognised(text: str) -> None:
    assert dict(found(plan_request(f"Mind {text} here.")).parts)["topics"] == 3.0


@pytest.mark.parametrize("text", ["Add a greeting.", "Rename the block.", "Show the clock.", "Add up a sparse matrix."])
def test_plain_tasks_have_no_hard_topic(text: str) -> None:
    assert dict(found(plan_request(text)).parts)["topics"] == 0.0


def test_an_editor_is_not_judged_by_the_topics_of_its_plan() -> None:
    assert dict(found(edit_request(HARD)).parts)["topics"] == 0.0


def test_aiders_rules_and_examples_score_nothing() -> None:
    bare = found(plan_request(HARD))
    for edit_format in (EditFormat.WHOLE, EditFormat.DIFF, EditFormat.UDIFF):
        parts = dict(found(code_request(HARD, edit_format=edit_format)).parts)
        assert parts["topics"] == dict(bare.parts)["topics"]
        assert parts["words"] == dict(bare.parts)["words"]


def test_own_weights_replace_the_documented_ones() -> None:
    weights = Weights(boundary=1.0, phases=dict.fromkeys(Phase, 1.0))
    assert decide(edit_request(""), None, weights).tier is Tier.CLOUD
    assert decide(edit_request("")).tier is Tier.LOCAL


@settings(deadline=None, max_examples=80)
@given(st.text(max_size=300), st.floats(-60, 60))
def test_the_same_request_gets_the_same_decision_and_the_score_decides_it(text: str, threshold: float) -> None:
    request = plan_request(text)
    decision = decide(request, threshold)
    assert decision == decide(request, threshold)
    assert (decision.tier is Tier.CLOUD) == (found(request).score >= threshold)


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=200), st.floats(-10, 60), st.floats(-10, 60))
def test_a_higher_threshold_never_sends_more_to_the_cloud(text: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    if decide(plan_request(text), high).tier is Tier.CLOUD:
        assert decide(plan_request(text), low).tier is Tier.CLOUD
