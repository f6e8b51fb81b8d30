"""The classifier is asked only where the score is near the boundary, and its answer counts only if it names a tier."""

from __future__ import annotations

import asyncio

import pytest
from builders import code_request, edit_request, plan_request
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hybrideval.core.domain import Answer, ChatRequest, Decision, Tier
from pytest_hybrideval.core.protocols import RoutingContext
from pytest_hybrideval.core.signals import Phase
from pytest_hybrideval.strategies.cascade import Cascade
from pytest_hybrideval.strategies.heuristic import Weights
from pytest_hybrideval.testing import ScriptedClassifier, make_context

# Written down here, so that tuning the defaults changes no test.
WEIGHTS = Weights(
    boundary=25.0,
    phases=dict.fromkeys(Phase, 0.0) | {Phase.PLAN: 14.0},
    per_100_words=4.0,
    words_cap=12.0,
    per_hard_topic=3.0,
    topics_cap=12.0,
)
NEAR_ABOVE = plan_request("Make the rate limit of the parser atomic across time zones.")  # 26.4, boundary 25
NEAR_BELOW = plan_request("Greet.")  # 14.04
FAR_BELOW = edit_request("Greet.")  # 0.04
FAR_ABOVE = plan_request("locks, tokens, retries, schema, calendar, grammar " + "word " * 400)  # 38


class Classifier:
    """Answers as told and remembers what it was asked."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def __call__(self, question: str) -> Answer:
        self.asked.append(question)
        return Answer(self.answer)


def decide(
    request: ChatRequest, classifier: Classifier, threshold: float | None = None, weights: Weights | None = WEIGHTS
) -> Decision:
    context = RoutingContext(threshold=threshold, seed=42, earlier=(), classify=classifier)
    return asyncio.run(Cascade(weights).decide(request, context))


@pytest.mark.parametrize(
    ("request_", "tier", "score"), [(FAR_BELOW, Tier.LOCAL, "0.0"), (FAR_ABOVE, Tier.CLOUD, "38.0")]
)
def test_outside_the_band_the_score_decides_unasked(request_: ChatRequest, tier: Tier, score: str) -> None:
    classifier = Classifier("local" if tier is Tier.CLOUD else "cloud")
    decision = decide(request_, classifier, threshold=10)
    assert decision.tier is tier
    assert decision.reason.startswith(f"score {score} outside the band of 10: ")
    assert classifier.asked == []


@pytest.mark.parametrize("request_", [NEAR_ABOVE, NEAR_BELOW])
@pytest.mark.parametrize("tier", list(Tier))
def test_inside_the_band_the_classifier_decides(request_: ChatRequest, tier: Tier) -> None:
    classifier = Classifier(tier.value)
    decision = decide(request_, classifier)
    assert decision.tier is tier
    assert decision.reason.startswith(f"classifier said {tier.value}, score ")
    assert len(classifier.asked) == 1


def test_a_decision_keeps_the_score_whoever_decided() -> None:
    assert decide(NEAR_ABOVE, Classifier("local")).score == pytest.approx(26.44)
    assert decide(NEAR_ABOVE, Classifier("local"), threshold=1).score == pytest.approx(26.44)
    assert decide(NEAR_ABOVE, Classifier("dunno")).score == pytest.approx(26.44)


@pytest.mark.parametrize(("threshold", "asked"), [(1.3, 0), (1.5, 1), (15, 1), (0, 0)])
def test_the_threshold_is_the_half_width_of_the_band(threshold: float, asked: int) -> None:
    classifier = Classifier("cloud")
    decide(NEAR_ABOVE, classifier, threshold)
    assert len(classifier.asked) == asked


def test_a_score_on_the_boundary_is_asked_about_in_a_band_of_any_width() -> None:
    classifier = Classifier("local")
    request = edit_request("")
    decision = decide(request, classifier, threshold=0, weights=Weights(boundary=0.0))
    assert (decision.tier, len(classifier.asked)) == (Tier.LOCAL, 1)


def test_without_a_threshold_the_default_band_holds() -> None:
    one, other = Classifier("cloud"), Classifier("cloud")
    for request in (FAR_ABOVE, FAR_BELOW, NEAR_ABOVE, NEAR_BELOW):
        assert decide(request, one, None, None) == decide(request, other, Cascade.default_threshold, None)
    assert one.asked == other.asked


@pytest.mark.parametrize(
    "answer", ["Local.", " LOCAL\n", "local (it would)", "Answer: local", "I think: cloud? No, local", "**local**"]
)
def test_a_tier_is_understood_however_it_is_wrapped(answer: str) -> None:
    assert decide(NEAR_ABOVE, Classifier(answer)).tier is Tier.LOCAL


@pytest.mark.parametrize("answer", ["", "  \n", "maybe", "the locale is clouded", "localhost", "yes"])
@pytest.mark.parametrize(("request_", "tier"), [(NEAR_ABOVE, Tier.CLOUD), (NEAR_BELOW, Tier.LOCAL)])
def test_an_answer_that_names_no_tier_leaves_it_to_the_score_and_is_told(
    answer: str, request_: ChatRequest, tier: Tier
) -> None:
    decision = decide(request_, Classifier(answer))
    assert decision.tier is tier
    assert repr(answer.strip()) in decision.reason
    assert "decides" in decision.reason


def test_a_long_answer_is_quoted_shortly() -> None:
    assert len(decide(NEAR_ABOVE, Classifier("well " * 500)).reason) < 120


def test_the_question_shows_the_task_and_the_files_and_none_of_aiders_rules() -> None:
    classifier = Classifier("cloud")
    files = {"slug.py": "SECRET = 1\n", "tables.py": ""}
    decide(code_request("Make {slugs} of titles.", files), classifier, threshold=1000)
    question = classifier.asked[0]
    assert "Make {slugs} of titles." in question
    assert "slug.py, tables.py" in question
    assert "MUST" not in question
    assert "SECRET" not in question


def test_a_question_stays_short_for_a_local_model() -> None:
    classifier = Classifier("cloud")
    decide(plan_request("word " * 20_000), classifier, threshold=1000)
    assert len(classifier.asked[0]) < 5000


def test_without_files_the_question_says_so() -> None:
    classifier = Classifier("cloud")
    decide(NEAR_ABOVE, classifier)
    assert "Files in play: none." in classifier.asked[0]


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=200), st.text(max_size=40), st.floats(0, 60))
def test_the_same_request_and_answer_give_the_same_decision(text: str, answer: str, band: float) -> None:
    request = plan_request(text)
    one, other = Classifier(answer), Classifier(answer)
    decision = decide(request, one, band)
    assert decision == decide(request, other, band)
    assert one.asked == other.asked
    score = decision.score
    assert score is not None
    if abs(abs(score - 25) - band) > 0.01:  # the decision keeps the score rounded
        assert len(one.asked) == (abs(score - 25) <= band)


def test_the_question_does_not_depend_on_the_order_in_which_the_agent_lists_files() -> None:
    classifiers = []
    for files in ({"a.py": "a = 1\n", "b.py": "b = 2\n"}, {"b.py": "b = 2\n", "a.py": "a = 1\n"}):
        classifiers.append(ScriptedClassifier())
        context = make_context(threshold=1000.0, classify=classifiers[-1])
        asyncio.run(Cascade().decide(plan_request("Add a cache.", files), context))
    assert classifiers[0].questions == classifiers[1].questions
    assert "a.py, b.py" in classifiers[0].questions[0]
