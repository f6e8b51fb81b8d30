"""Which evidence makes which verdict, and which evidence goes before which."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import make_call

from pytest_hybrideval.core.domain import AgentResult, CallFault, Cut, ErrorKind, FailureMode, Outcome, Score, Usage
from pytest_hybrideval.core.records import CallRecord, Ledger
from pytest_hybrideval.scoring.verdict import Left, Verdict, judge

OK = make_call()
DEAD = make_call(fault=CallFault.BACKEND, error="Ollama at http://127.0.0.1:11434 refused the connection")
REFUSED = make_call(fault=CallFault.REFUSED, error="'messages' must be a list")
OVERFLOW = make_call(fault=CallFault.CONTEXT_OVERFLOW, error="20,000 tokens do not fit into 16,384")
HUNG_UP = make_call(fault=CallFault.HUNG_UP, error="the agent hung up")
QUESTION = make_call(purpose="classifier")
LOOPED = make_call(cut=Cut.REPETITION, finish_reason="length", usage=Usage(), seconds=41.7)
LATE = make_call(cut=Cut.TOO_LONG, finish_reason="length", usage=Usage(), seconds=120.04)
UNREAD = make_call(model="ollama/gemma4:31b", index=1, num_ctx=8192, usage=Usage(2048, 90), truncated_prompt=True)

DONE = AgentResult(exit_code=0, seconds=12.3)
STOPPED = AgentResult(exit_code=None, seconds=600.4, timed_out=True)
CRASHED = AgentResult(exit_code=1, seconds=2.0)
SPOILT = AgentResult(exit_code=0, seconds=12.3, malformed=3)

PASSED = Score(True, 0, {"test_a": "passed", "test_b": "passed"}, expected=2, seconds=0.5)
FAILED = Score(False, 1, {"test_a": "passed", "test_b": "failed"}, expected=2, seconds=0.5)


def verdict(
    *calls: CallRecord,
    agent: AgentResult = DONE,
    edited: bool = True,
    elsewhere: tuple[str, ...] = (),
    syntax_error: str = "",
    score: Score | None = FAILED,
    strategy_error: str = "",
) -> Verdict:
    return judge(Ledger(list(calls), strategy_error), agent, Left(edited, elsewhere, syntax_error), score)


def test_passed_hidden_tests_are_a_pass_and_say_nothing_more() -> None:
    assert verdict(OK, score=PASSED) == Verdict(Outcome.PASSED)


@pytest.mark.parametrize("last", [DEAD, REFUSED, OVERFLOW, HUNG_UP])
def test_a_pass_is_a_pass_even_if_a_later_call_went_wrong(last: CallRecord) -> None:
    assert verdict(OK, last, score=PASSED).outcome is Outcome.PASSED


@pytest.mark.parametrize("agent", [CRASHED, SPOILT])
def test_a_pass_is_a_pass_even_if_the_agent_stumbled(agent: AgentResult) -> None:
    assert verdict(OK, agent=agent, score=PASSED).outcome is Outcome.PASSED


def test_a_pass_needs_no_edit() -> None:
    assert verdict(OK, edited=False, score=PASSED).outcome is Outcome.PASSED


def test_failed_tests_are_named() -> None:
    expected = "1 of 2 hidden tests failed: test_b"
    assert verdict(OK) == Verdict(Outcome.FAILED, FailureMode.TESTS_FAILED, detail=expected)


def test_of_many_failed_tests_three_are_named() -> None:
    tests = {f"test_{letter}": "failed" for letter in "abcde"}
    found = verdict(OK, score=Score(False, 1, tests, expected=6, seconds=1.0))
    assert found.detail == "5 of 6 hidden tests failed: test_a, test_b, test_c and 2 more"


def test_what_the_scorer_says_goes_before_a_list_of_tests() -> None:
    score = Score(False, 2, {}, expected=2, seconds=0.1, detail="the tests could not be collected: SyntaxError")
    assert verdict(OK, score=score).detail == "the tests could not be collected: SyntaxError"


def test_tests_that_hang_are_the_agents_fault() -> None:
    score = Score(False, None, {}, expected=2, seconds=60.4, timed_out=True)
    found = verdict(OK, score=score)
    assert (found.failure_mode, found.detail) == (
        FailureMode.SCORING_TIMEOUT,
        "the hidden tests were stopped after 60 s",
    )


def test_an_unchanged_workspace_is_no_edit() -> None:
    found = verdict(OK, edited=False)
    assert (found.outcome, found.failure_mode) == (Outcome.FAILED, FailureMode.NO_EDIT)


def test_edits_that_could_not_be_applied_are_malformed() -> None:
    found = verdict(OK, agent=SPOILT, edited=False)
    assert found.failure_mode is FailureMode.MALFORMED_EDIT
    assert found.detail.startswith("3 answers ")


def test_a_malformed_edit_that_was_mended_is_judged_by_the_tests() -> None:
    assert verdict(OK, agent=SPOILT, edited=True).failure_mode is FailureMode.TESTS_FAILED


def test_an_agent_that_crashed_is_told_by_its_exit_code() -> None:
    found = verdict(OK, agent=CRASHED, edited=False)
    assert (found.failure_mode, found.detail) == (FailureMode.AGENT_CRASH, "the agent ended with exit code 1")


def test_an_agent_killed_from_outside_is_a_crash() -> None:
    killed = AgentResult(exit_code=None, seconds=1.0)
    assert verdict(OK, agent=killed).failure_mode is FailureMode.AGENT_CRASH


def test_a_request_that_did_not_fit_the_context_is_the_agents_fault() -> None:
    found = verdict(OK, OVERFLOW, edited=False)
    assert (found.outcome, found.failure_mode) == (Outcome.FAILED, FailureMode.CONTEXT_OVERFLOW)
    assert found.detail == OVERFLOW.error


def test_an_overflow_goes_before_a_crash() -> None:
    assert verdict(OVERFLOW, agent=CRASHED, edited=False).failure_mode is FailureMode.CONTEXT_OVERFLOW


def test_an_overflow_that_the_agent_recovered_from_is_forgotten() -> None:
    assert verdict(OVERFLOW, OK).failure_mode is FailureMode.TESTS_FAILED


@pytest.mark.parametrize("score", [None, FAILED])
def test_a_time_out_is_the_agents_fault(score: Score | None) -> None:
    found = verdict(OK, agent=STOPPED, score=score)
    assert (found.outcome, found.failure_mode) == (Outcome.FAILED, FailureMode.AGENT_TIMEOUT)
    assert found.detail == "the agent was stopped after 600 s"


def test_an_agent_stopped_while_it_waited_for_an_answer_timed_out() -> None:
    assert verdict(OK, HUNG_UP, agent=STOPPED, score=None).failure_mode is FailureMode.AGENT_TIMEOUT


@pytest.mark.parametrize("last", [DEAD, REFUSED])
@pytest.mark.parametrize(("agent", "score"), [(DONE, FAILED), (DONE, None), (STOPPED, None), (CRASHED, FAILED)])
def test_a_last_request_without_an_answer_is_infrastructure(
    last: CallRecord, agent: AgentResult, score: Score | None
) -> None:
    found = verdict(OK, last, agent=agent, score=score, edited=False)
    assert found == Verdict(Outcome.ERROR, error_kind=ErrorKind.BACKEND, detail=last.error)


def test_a_fault_that_was_got_over_is_not_held_against_the_infrastructure() -> None:
    assert verdict(DEAD, OK).failure_mode is FailureMode.TESTS_FAILED


def test_a_question_of_the_strategys_after_a_dead_request_does_not_hide_it() -> None:
    assert verdict(DEAD, QUESTION, edited=False).error_kind is ErrorKind.BACKEND


@pytest.mark.parametrize("calls", [(), (QUESTION,)])
def test_an_agent_that_never_asked_is_infrastructure(calls: tuple[CallRecord, ...]) -> None:
    found = verdict(*calls, agent=CRASHED, score=None, edited=False)
    assert (found.outcome, found.error_kind) == (Outcome.ERROR, ErrorKind.AGENT)
    assert "exit code 1 without sending a request" in found.detail


def test_an_agent_stopped_before_its_first_request_is_infrastructure() -> None:
    found = verdict(agent=STOPPED, score=None, edited=False)
    assert found.error_kind is ErrorKind.AGENT
    assert "was stopped at its time limit" in found.detail


@pytest.mark.parametrize("calls", [(), (OK,), (DEAD,)])
@pytest.mark.parametrize("agent", [DONE, STOPPED, CRASHED])
def test_a_broken_strategy_goes_before_everything(calls: tuple[CallRecord, ...], agent: AgentResult) -> None:
    found = verdict(*calls, agent=agent, score=None, strategy_error="decide() raised ZeroDivisionError")
    assert found == Verdict(Outcome.ERROR, error_kind=ErrorKind.STRATEGY, detail="decide() raised ZeroDivisionError")


@pytest.mark.parametrize("edited", [True, False])
@pytest.mark.parametrize("agent", [DONE, CRASHED, SPOILT])
@pytest.mark.parametrize(
    ("last", "detail"),
    [
        (LOOPED, "openai/gpt-5.5 repeated itself without end; its last answer was cut after 42 s"),
        (LATE, "openai/gpt-5.5 wrote for too long; its last answer was cut after 120 s"),
    ],
)
def test_a_last_answer_without_end_is_the_models_fault(
    last: CallRecord, detail: str, agent: AgentResult, edited: bool
) -> None:
    found = verdict(OK, last, agent=agent, edited=edited)
    assert found == Verdict(Outcome.FAILED, FailureMode.RUNAWAY_OUTPUT, detail=detail)


@pytest.mark.parametrize("runaway", [LOOPED, LATE])
def test_an_answer_without_end_matters_only_if_it_was_the_last(runaway: CallRecord) -> None:
    assert verdict(runaway, OK).failure_mode is FailureMode.TESTS_FAILED
    assert verdict(runaway, DEAD, edited=False).error_kind is ErrorKind.BACKEND
    assert verdict(runaway, score=PASSED).outcome is Outcome.PASSED
    assert verdict(runaway, agent=STOPPED, score=None).failure_mode is FailureMode.AGENT_TIMEOUT


def test_an_answer_that_the_agent_never_saw_does_not_count() -> None:
    discarded = replace(LOOPED, purpose="discarded")
    assert verdict(discarded, OK).failure_mode is FailureMode.TESTS_FAILED
    assert verdict(OK, replace(UNREAD, purpose="discarded")).failure_mode is FailureMode.TESTS_FAILED


@pytest.mark.parametrize("calls", [(UNREAD,), (OK, UNREAD), (UNREAD, OK), (UNREAD, LOOPED), (UNREAD, OVERFLOW)])
@pytest.mark.parametrize(
    ("agent", "score"), [(DONE, FAILED), (CRASHED, FAILED), (SPOILT, FAILED), (STOPPED, FAILED), (STOPPED, None)]
)
def test_a_prompt_that_was_not_read_is_no_weak_model(
    calls: tuple[CallRecord, ...], agent: AgentResult, score: Score | None
) -> None:
    found = verdict(*calls, agent=agent, score=score, edited=False)
    assert (found.outcome, found.failure_mode) == (Outcome.FAILED, FailureMode.CONTEXT_OVERFLOW)
    assert found.detail == (
        "ollama/gemma4:31b answered call 1 without its whole prompt (2,048 tokens read, with a context of 8,192); "
        "raise --hybrid-num-ctx"
    )


def test_a_prompt_that_was_not_read_needs_no_counts_to_be_told() -> None:
    found = verdict(replace(UNREAD, usage=Usage(), num_ctx=None))
    assert found.detail == "ollama/gemma4:31b answered call 1 without its whole prompt; raise --hybrid-num-ctx"


def test_a_pass_is_a_pass_even_if_a_prompt_was_not_read() -> None:
    assert verdict(UNREAD, score=PASSED) == Verdict(Outcome.PASSED)


def test_infrastructure_goes_before_a_prompt_that_was_not_read() -> None:
    assert verdict(UNREAD, DEAD, edited=False).error_kind is ErrorKind.BACKEND


def test_changes_elsewhere_alone_are_the_wrong_file() -> None:
    found = verdict(OK, edited=False, elsewhere=("a.py", "b.py", "c.py", "d.py"))
    assert found.failure_mode is FailureMode.WRONG_FILE
    assert found.detail.endswith("a.py, b.py, c.py and 1 more")
    assert verdict(OK, agent=SPOILT, edited=False, elsewhere=("a.py",)).failure_mode is FailureMode.MALFORMED_EDIT
    assert verdict(OK, elsewhere=("a.py",)).failure_mode is FailureMode.TESTS_FAILED
    assert verdict(OK, edited=False, elsewhere=("a.py",), score=PASSED).outcome is Outcome.PASSED


def test_code_that_does_not_parse_goes_before_the_tests_that_fail_by_it() -> None:
    found = verdict(OK, syntax_error="a.py, line 3: invalid syntax")
    assert (found.failure_mode, found.detail) == (FailureMode.SYNTAX_ERROR, "a.py, line 3: invalid syntax")
    assert verdict(OK, syntax_error="a.py, line 3", score=PASSED).outcome is Outcome.PASSED
    assert verdict(OK, edited=False, syntax_error="a.py, line 3").failure_mode is FailureMode.NO_EDIT
