"""Records survive the way to JSON and back, and a line that does not fit says where."""

from __future__ import annotations

import json
from typing import Any

import pytest
from builders import make_call, make_record
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hybrideval.core.domain import CallFault, ErrorKind, FailureMode, Outcome, TaskClass, Tier, Usage
from pytest_hybrideval.core.errors import RecordError
from pytest_hybrideval.core.records import (
    SCHEMA_VERSION,
    CallRecord,
    Ledger,
    TierTokens,
    TrialRecord,
    call_from_json,
    to_json,
    trial_from_json,
)

relaxed = settings(deadline=None, max_examples=40)
finite = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 10**12)
tokens = st.builds(TierTokens, counts, counts, counts, counts, counts, counts)
by_tier = st.dictionaries(st.sampled_from(Tier), tokens)
usages = st.builds(Usage, *[st.none() | counts] * 4)
trials = st.builds(
    TrialRecord,
    task_class=st.sampled_from(TaskClass),
    threshold=st.none() | finite,
    outcome=st.sampled_from(Outcome),
    failure_mode=st.none() | st.sampled_from(FailureMode),
    error_kind=st.none() | st.sampled_from(ErrorKind),
    detail=st.text(),
    failed_tests=st.lists(st.text(), max_size=3).map(tuple),
    tokens=by_tier,
    overhead=by_tier,
    schema_version=st.just(SCHEMA_VERSION),
)
calls = st.builds(
    CallRecord,
    tier=st.sampled_from(Tier),
    score=st.none() | finite,
    started=finite,
    seconds=finite,
    first_byte=st.none() | finite,
    temperature=st.none() | finite,
    usage=usages,
    fault=st.none() | st.sampled_from(CallFault),
    error=st.text(),
)


@relaxed
@given(trials)
def test_a_trial_comes_back_as_it_was(record: TrialRecord) -> None:
    assert trial_from_json(json.loads(json.dumps(to_json(record)))) == record


@relaxed
@given(calls)
def test_a_call_comes_back_as_it_was(record: CallRecord) -> None:
    assert call_from_json(json.loads(json.dumps(to_json(record)))) == record


def test_a_record_is_plain_json_with_words_for_its_enums() -> None:
    data = to_json(make_record(outcome=Outcome.FAILED, failure_mode=FailureMode.NO_EDIT))
    assert (data["outcome"], data["failure_mode"], data["error_kind"]) == ("failed", "no_edit", None)
    assert data["tokens"]["cloud"]["prompt"] == 5000
    assert data["schema_version"] == SCHEMA_VERSION


def test_usage_that_is_not_known_stays_unknown() -> None:
    read = call_from_json(to_json(make_call(usage=Usage())))
    assert read.usage == Usage(None, None, None, None)
    assert not read.usage.known


@pytest.mark.parametrize("version", [0, 2, "1", None, 1.5])
def test_another_schema_version_is_refused_by_name(version: Any) -> None:
    with pytest.raises(RecordError, match=r"schema_version is .*, this version reads 1"):
        trial_from_json({**to_json(make_record()), "schema_version": version})


def test_a_trial_without_a_schema_version_is_refused() -> None:
    data = to_json(make_record())
    del data["schema_version"]
    with pytest.raises(RecordError, match="schema_version"):
        trial_from_json(data)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("outcome", "maybe"),
        ("task_class", "D9"),
        ("failure_mode", "bored"),
        ("error_kind", "bored"),
        ("seed", "many"),
        ("seed", None),
        ("threshold", "high"),
        ("task", 7),
        ("simulated", "perhaps"),
        ("failed_tests", 3),
        ("stages", []),
    ],
)
def test_a_trial_that_does_not_fit_names_the_field(field: str, value: Any) -> None:
    with pytest.raises(RecordError, match=rf"^field '{field}"):
        trial_from_json({**to_json(make_record()), field: value})


@pytest.mark.parametrize("field", ["trial", "task", "outcome", "seed", "cloud_model", "simulated"])
def test_a_trial_that_lacks_a_field_names_it(field: str) -> None:
    data = to_json(make_record())
    del data[field]
    with pytest.raises(RecordError, match=rf"^field '{field}'"):
        trial_from_json(data)


def test_a_field_within_a_field_is_named_by_its_path() -> None:
    data = to_json(make_record())
    data["tokens"]["cloud"]["prompt"] = "lots"
    with pytest.raises(RecordError, match=r"^field 'tokens\.cloud\.prompt'"):
        trial_from_json(data)


@pytest.mark.parametrize(("field", "value"), [("tier", "moon"), ("fault", "bad luck"), ("status", "ok"), ("usage", 3)])
def test_a_call_that_does_not_fit_names_the_field(field: str, value: Any) -> None:
    with pytest.raises(RecordError, match=rf"^field '{field}"):
        call_from_json({**to_json(make_call()), field: value})


def test_tokens_of_a_tier_are_the_agents_and_the_strategys_together() -> None:
    agents, own = TierTokens(2, 100, 20, 5, 1, 0), TierTokens(1, 10, 2, 0, 0, 1)
    record = make_record(tokens={Tier.LOCAL: agents}, overhead={Tier.LOCAL: own})
    assert record.tier_tokens(Tier.LOCAL) == TierTokens(3, 110, 22, 5, 1, 1)
    assert record.tier_tokens(Tier.LOCAL).total == 132
    assert record.tier_tokens(Tier.CLOUD) == TierTokens()


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(10, 2, 3, 1), TierTokens(1, 10, 2, 3, 1, 0)),
        (Usage(10, None), TierTokens(1, 10, 0, 0, 0, 1)),
        (Usage(), TierTokens(1, 0, 0, 0, 0, 1)),
        (Usage(0, 0), TierTokens(1, 0, 0, 0, 0, 0)),
    ],
)
def test_a_call_without_usage_is_counted_as_unknown_and_not_as_nothing(usage: Usage, expected: TierTokens) -> None:
    assert TierTokens().plus(usage) == expected


def test_a_ledger_keeps_the_strategys_own_calls_apart() -> None:
    ledger = Ledger(
        [
            make_call(index=0, usage=Usage(10, 1)),
            make_call(index=1, purpose="classifier", tier=Tier.LOCAL, usage=Usage(5, 1)),
            make_call(index=2, usage=Usage(20, 2)),
        ]
    )
    assert [call.index for call in ledger.agent_calls] == [0, 2]
    assert ledger.tokens(overhead=False) == {Tier.CLOUD: TierTokens(2, 30, 3)}
    assert ledger.tokens(overhead=True) == {Tier.LOCAL: TierTokens(1, 5, 1)}


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ([], 0),
        ([None], 0),
        ([CallFault.BACKEND], 1),
        ([CallFault.BACKEND, None], 0),
        ([CallFault.BACKEND, None, CallFault.REFUSED, CallFault.BACKEND], 2),
    ],
)
def test_failures_in_a_row_are_the_latest_ones(faults: list[CallFault | None], expected: int) -> None:
    assert Ledger([make_call(fault=fault) for fault in faults]).failures_in_a_row == expected


def test_a_strategys_answered_question_does_not_end_a_row_of_failures() -> None:
    ledger = Ledger([make_call(fault=CallFault.BACKEND), make_call(purpose="classifier")])
    assert ledger.failures_in_a_row == 1
