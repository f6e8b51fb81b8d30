"""The first rule that applies decides; what applies, and that rules of one's own take the place of ours."""

from __future__ import annotations

import asyncio

import pytest
from builders import CODE_SYSTEM, EDIT_SYSTEM, chat, code_request, edit_request, plan_request
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hybrideval.core.domain import ChatRequest, Decision, Tier
from pytest_hybrideval.core.signals import EditFormat, Phase
from pytest_hybrideval.strategies.rules import RULES, Rule, Rules
from pytest_hybrideval.testing import ScriptedClassifier, make_context

REST = Rule("anything else", Tier.LOCAL)


def decide(request: ChatRequest, *rules: Rule) -> Decision:
    classifier = ScriptedClassifier()
    strategy = Rules(rules) if rules else Rules()
    decision = asyncio.run(strategy.decide(request, make_context(classify=classifier)))
    assert classifier.questions == [], "rules ask nobody"
    return decision


@pytest.mark.parametrize(
    ("request_", "tier", "name"),
    [
        (chat("*Briefly* summarize this.", EditFormat.NONE, "locks"), Tier.LOCAL, "summaries and commit messages"),
        (edit_request("Take a lock around `add`."), Tier.LOCAL, "the plan is there"),
        (chat(EDIT_SYSTEM, EditFormat.WHOLE, "No filename provided before ```"), Tier.CLOUD, "an edit was refused"),
        (chat(CODE_SYSTEM, EditFormat.WHOLE, "# Fix any errors below"), Tier.CLOUD, "an edit was refused"),
        (plan_request("Rename the lock."), Tier.LOCAL, "routine work: 'Rename'"),
        (plan_request("Rename the lock. " + "And " * 80), Tier.CLOUD, "concurrency: 'lock'"),
        (plan_request("Two threads meet."), Tier.CLOUD, "concurrency: 'threads'"),
        (plan_request("Mind a race\n condition."), Tier.CLOUD, "concurrency: 'race condition'"),
        (code_request("Check the PASSWORD."), Tier.CLOUD, "security: 'PASSWORD'"),
        (plan_request("A migration of tables."), Tier.CLOUD, "schemas and migrations: 'migration'"),
        (plan_request("Retry it."), Tier.CLOUD, "protocols and time: 'Retry'"),
        (plan_request("Parse it."), Tier.CLOUD, "parsers and encodings: 'Parse'"),
        (plan_request("Stream it."), Tier.CLOUD, "resources: 'Stream'"),
        (plan_request("word " * 250), Tier.CLOUD, "a long instruction: 250 words >= 250"),
        (plan_request("Do it.", {f"{n}.py": "" for n in range(4)}), Tier.CLOUD, "many files: 4 files >= 4"),
        (plan_request("Do it.", {"a.py": "x" * 19_999 + "\n"}), Tier.CLOUD, "much code: 20000 characters >= 20000"),
        (plan_request("Show the block and the clock, sparsely."), Tier.LOCAL, "anything else"),
        (ChatRequest({"messages": [{"role": "user", "content": "Hello."}]}), Tier.LOCAL, "anything else"),
    ],
)
def test_the_packaged_rules(request_: ChatRequest, tier: Tier, name: str) -> None:
    decision = decide(request_)
    assert (decision.tier, name in decision.reason) == (tier, True), decision.reason


def test_the_reason_counts_the_rules_from_one() -> None:
    assert decide(plan_request("Two threads.")).reason == "rule 5, concurrency: 'threads'"
    assert decide(plan_request("Greet.")).reason == f"rule {len(RULES)}, anything else"


def test_aiders_own_words_are_no_evidence() -> None:
    """Its reminders speak of renaming, formats and quoting; only the task's words count."""
    for edit_format in (EditFormat.WHOLE, EditFormat.DIFF, EditFormat.UDIFF):
        assert "anything else" in decide(code_request("Greet.", edit_format=edit_format)).reason


def test_words_are_whole_words() -> None:
    rule = Rule("ants", Tier.CLOUD, words=("ant", "bee*", "red ant"))
    for text, found in [("an ant", True), ("ANT!", True), ("an antler", False), ("beehive", True), ("a-bee", True)]:
        assert (decide(plan_request(text), rule, REST).tier is Tier.CLOUD) is found, text


def test_a_word_may_hold_what_means_something_in_patterns() -> None:
    rule = Rule("c", Tier.CLOUD, words=("c++", "(x)"))
    assert decide(plan_request("Write C++."), rule, REST).reason == "rule 1, c: 'C++'"
    assert decide(plan_request("Write C."), rule, REST).tier is Tier.LOCAL


def test_all_conditions_of_a_rule_must_hold() -> None:
    rule = Rule("both", Tier.CLOUD, phases=(Phase.PLAN,), words=("lock",), least_words=3, most_words=5)
    for request, holds in [
        (plan_request("one two lock"), True),
        (plan_request("lock"), False),
        (plan_request("a lock among six other words here"), False),
        (plan_request("one two three"), False),
        (code_request("one two lock"), False),
    ]:
        assert (decide(request, rule, REST).tier is Tier.CLOUD) is holds
    assert decide(plan_request("one two lock"), rule, REST).reason == "rule 1, both: plan, 'lock', 3 words >= 3"


def test_the_order_decides() -> None:
    one, other = Rule("one", Tier.CLOUD, words=("x",)), Rule("other", Tier.LOCAL, words=("y",))
    request = plan_request("x y")
    assert decide(request, one, other, REST).reason.startswith("rule 1, one")
    assert decide(request, other, one, REST).reason.startswith("rule 1, other")


@pytest.mark.parametrize(
    "rules", [(), (Rule("x", Tier.LOCAL, words=("x",)),), (REST, Rule("y", Tier.CLOUD, ("plan",)))]
)
def test_a_list_that_may_leave_a_request_undecided_is_refused(rules: tuple[Rule, ...]) -> None:
    with pytest.raises(ValueError, match="the last rule must be without conditions"):
        Rules(rules)


def test_a_class_of_ones_own_has_rules_of_its_own() -> None:
    class Mine(Rules):
        name = "mine"

        def __init__(self) -> None:
            super().__init__([Rule("all", Tier.CLOUD)])

    assert asyncio.run(Mine().decide(plan_request("Greet."), make_context())) == Decision(Tier.CLOUD, "rule 1, all")


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=300))
def test_every_text_is_decided_and_always_the_same(text: str) -> None:
    assert decide(plan_request(text)) == decide(plan_request(text))
