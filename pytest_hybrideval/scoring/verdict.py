"""How a trial ended, told from evidence: what the gateway saw, what the agent left, what the hidden tests said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_hybrideval.core.domain import AgentResult, CallFault, Cut, ErrorKind, FailureMode, Outcome, Score
from pytest_hybrideval.core.records import CallRecord, Ledger

_MOST_NAMED = 3
# Faults that leave a request without an answer, and whose they are: none of them is the agent's.
_UNANSWERED = {
    CallFault.BACKEND: ErrorKind.BACKEND,
    CallFault.REFUSED: ErrorKind.BACKEND,
}
# Faults of calls that were never made: a trial that lacks one has no verdict, whatever became of it.
_UNSENT = {CallFault.NOT_RECORDED: ErrorKind.NOT_RECORDED, CallFault.BUDGET: ErrorKind.BUDGET}


@dataclass(frozen=True)
class Verdict:
    """An outcome with its cause: a failure mode where it failed, an error kind where nothing can be said."""

    outcome: Outcome
    failure_mode: FailureMode | None = None
    error_kind: ErrorKind | None = None
    detail: str = ""


@dataclass(frozen=True)
class Left:
    """What the agent left: whether it changed a file that counts, which others, and where its Python does not parse."""

    edited: bool
    elsewhere: Sequence[str] = ()
    syntax_error: str = ""


def judge(ledger: Ledger, agent: AgentResult, left: Left, score: Score | None) -> Verdict:
    """The verdict. `score` is None where the hidden tests were not run (the agent timed out, or the strategy broke).

    The agent's exit code decides little: aider exits 0 even when every one of its requests failed.
    """
    infrastructure = _infrastructure(ledger, agent, score)
    if infrastructure:
        return infrastructure
    if score and score.tampering:
        return _failed(FailureMode.TAMPERING, score.detail)
    unread = next((call for call in ledger.agent_calls if call.truncated_prompt), None)
    if unread and not (score and score.passed):  # whatever came of it, it was not the model's answer to the task
        return _failed(FailureMode.CONTEXT_OVERFLOW, _unread(unread))
    if agent.timed_out:
        return _failed(FailureMode.AGENT_TIMEOUT, f"the agent was stopped after {agent.seconds:.0f} s")
    assert score is not None, "only a broken strategy or an agent's time-out leaves the hidden tests unrun"
    if score.passed:
        return Verdict(Outcome.PASSED)
    last = ledger.agent_calls[-1]
    if last.fault is CallFault.CONTEXT_OVERFLOW:
        return _failed(FailureMode.CONTEXT_OVERFLOW, last.error)
    if last.cut:
        return _failed(FailureMode.RUNAWAY_OUTPUT, _runaway(last))
    if agent.exit_code != 0:
        return _failed(FailureMode.AGENT_CRASH, f"the agent ended with exit code {agent.exit_code}")
    if not left.edited:
        return _unedited(agent, left)
    if score.timed_out:
        return _failed(FailureMode.SCORING_TIMEOUT, f"the hidden tests were stopped after {score.seconds:.0f} s")
    if left.syntax_error:
        return _failed(FailureMode.SYNTAX_ERROR, left.syntax_error)
    return _failed(FailureMode.TESTS_FAILED, score.detail or _failed_tests(score))


def _unedited(agent: AgentResult, left: Left) -> Verdict:
    if agent.malformed:
        return _failed(FailureMode.MALFORMED_EDIT, f"{agent.malformed} answers held edits that could not be applied")
    if left.elsewhere:
        return _failed(FailureMode.WRONG_FILE, f"only files that do not count were changed: {_named(left.elsewhere)}")
    return _failed(FailureMode.NO_EDIT, "the agent changed none of the files that count")


def _infrastructure(ledger: Ledger, agent: AgentResult, score: Score | None) -> Verdict | None:
    unsent = next((call for call in ledger.calls if call.fault in _UNSENT), None)
    if unsent and unsent.fault:  # whatever came after it would not have come so from the model
        return _error(_UNSENT[unsent.fault], unsent.error)
    if ledger.strategy_error:
        return _error(ErrorKind.STRATEGY, ledger.strategy_error)
    unanswered = _unanswered(ledger)
    if unanswered and unanswered.fault and not (score and score.passed):
        return _error(_UNANSWERED[unanswered.fault], unanswered.error)
    if not ledger.agent_calls:
        ended = "was stopped at its time limit" if agent.timed_out else f"ended with exit code {agent.exit_code}"
        return _error(ErrorKind.AGENT, f"the agent {ended} without sending a request; see its transcript")
    return None


def _unanswered(ledger: Ledger) -> CallRecord | None:
    """The call that left the agent's last request unanswered: its own, or a question of the strategy's before it."""
    last = (*ledger.agent_calls[-1:], *ledger.calls[-1:])
    return next((call for call in last if call.fault in _UNANSWERED), None)


def _unread(call: CallRecord) -> str:
    read, context = call.usage.prompt, call.num_ctx
    counts = "" if read is None or context is None else f" ({read:,} tokens read, with a context of {context:,})"
    return f"{call.model} answered call {call.index} without its whole prompt{counts}; raise --hybrid-num-ctx"


def _runaway(call: CallRecord) -> str:
    if call.cut is Cut.REPETITION:
        return f"{call.model} repeated itself without end; its last answer was cut after {call.seconds:.0f} s"
    return f"{call.model} wrote for too long; its last answer was cut after {call.seconds:.0f} s"


def _failed(mode: FailureMode, detail: str) -> Verdict:
    return Verdict(Outcome.FAILED, failure_mode=mode, detail=detail)


def _error(kind: ErrorKind, detail: str) -> Verdict:
    return Verdict(Outcome.ERROR, error_kind=kind, detail=detail)


def _failed_tests(score: Score) -> str:
    failed = [test for test, outcome in score.tests.items() if outcome != "passed"]
    return f"{len(failed)} of {score.expected} hidden tests failed: {_named(failed)}"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"
