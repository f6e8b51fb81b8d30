"""Every request is asked about; what counts as an answer, and that no answer means the cloud."""

from __future__ import annotations

import asyncio

import pytest
from builders import code_request, edit_request, plan_request
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hybrideval.core.domain import ChatRequest, Decision, Tier
from pytest_hybrideval.core.errors import BackendError
from pytest_hybrideval.strategies.llm_classifier import LlmClassifier, named_tier
from pytest_hybrideval.testing import ScriptedClassifier, make_context


def decide(request: ChatRequest, classifier: ScriptedClassifier) -> Decision:
    return asyncio.run(LlmClassifier().decide(request, make_context(classify=classifier)))


@pytest.mark.parametrize("tier", list(Tier))
@pytest.mark.parametrize("request_", [plan_request("Greet."), edit_request("Change it."), code_request("Greet.")])
def test_the_answer_decides_every_request(request_: ChatRequest, tier: Tier) -> None:
    classifier = ScriptedClassifier(tier.value)
    assert decide(request_, classifier) == Decision(tier, f"the classifier said '{tier.value}'")
    assert len(classifier.questions) == 1


@pytest.mark.parametrize(
    ("answer", "tier"),
    [
        ("local", Tier.LOCAL),
        (" Cloud.\n", Tier.CLOUD),
        ("**local**", Tier.LOCAL),
        ('{"answer": "cloud"}', Tier.CLOUD),
        ("Answer: local", Tier.LOCAL),
        ("The answer is cloud.", Tier.CLOUD),
        ("Local (cloud would be a waste)", Tier.LOCAL),
        ("cloud, not local", Tier.CLOUD),
        ("Definitely cloud rather than local.", Tier.CLOUD),
        ("It is not local, so cloud.", Tier.CLOUD),
        ("This isn't local work; cloud", Tier.CLOUD),
        ("local or cloud? Decision: cloud", Tier.CLOUD),
        ("The final answer: local. (I thought of cloud first.)", Tier.LOCAL),
        ("<think>cloud? cloud. cloud!</think>\nlocal", Tier.LOCAL),
        ("<think>it may be cloud", None),
        ("<thinking>cloud</thinking> local", Tier.LOCAL),
        ("local or cloud", None),
        ("Local/cloud", None),
        ("I would weigh local against cloud here", None),
        ("not local", None),
        ("no cloud", None),
        ("", None),
        ("  \n", None),
        ("maybe", None),
        ("localhost", None),
        ("the locale is clouded", None),
        ("yes", None),
        ("1", None),
    ],
)
def test_what_an_answer_says(answer: str, tier: Tier | None) -> None:
    assert named_tier(answer) is tier


@pytest.mark.parametrize("answer", ["", "maybe", "local or cloud", "well " * 500, "first\nsecond"])
def test_an_answer_without_a_tier_goes_to_the_cloud_and_is_quoted(answer: str) -> None:
    decision = decide(plan_request("Greet."), ScriptedClassifier(answer))
    assert decision.tier is Tier.CLOUD
    assert decision.reason.startswith(f"the classifier said '{' '.join(answer.split())[:60]}")
    assert decision.reason.endswith("which names no tier: to the cloud")
    assert len(decision.reason) < 150
    assert "\n" not in decision.reason


def test_the_question_shows_kind_size_and_task_and_none_of_aiders_rules() -> None:
    classifier = ScriptedClassifier()
    decide(code_request("Make {slugs} of titles.", {"slug.py": "SECRET = 1\n", "tables.py": ""}), classifier)
    (question,) = classifier.questions
    assert "Make {slugs} of titles." in question
    assert "Kind of task: plan and make a change. Files: slug.py, tables.py, 11 characters in all." in question
    assert "MUST" not in question
    assert "SECRET" not in question


def test_the_question_says_what_kind_of_request_it_is() -> None:
    classifier = ScriptedClassifier()
    decide(plan_request("Greet."), classifier)
    decide(edit_request("Change it."), classifier)
    assert "Kind of task: plan a change. Files: none" in classifier.questions[0]
    assert "Kind of task: carry out a plan that is ready." in classifier.questions[1]


def test_a_question_stays_short_for_a_local_model() -> None:
    classifier = ScriptedClassifier()
    decide(plan_request("word " * 20_000, {f"package/module_{n}.py": "" for n in range(300)}), classifier)
    assert len(classifier.questions[0]) < 4500
    assert "and 290 more" in classifier.questions[0]


def test_a_fault_of_the_model_is_not_turned_into_a_decision() -> None:
    with pytest.raises(BackendError, match="gone"):
        decide(plan_request("Greet."), ScriptedClassifier(BackendError("gone")))


@settings(deadline=None, max_examples=80)
@given(st.text(max_size=80))
def test_any_answer_is_read_and_always_the_same(answer: str) -> None:
    one, other = (decide(plan_request("Greet."), ScriptedClassifier(answer)) for _ in range(2))
    assert one == other
