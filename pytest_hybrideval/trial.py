"""A trial from the staged workspace to the record: the rooms below, composed through their protocols."""

from __future__ import annotations

import difflib
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from pytest_hybrideval.core.domain import AgentResult, ErrorKind, FailureMode, Outcome, Score, Task, Tier, Trial
from pytest_hybrideval.core.errors import AgentUnavailable, SandboxError
from pytest_hybrideval.core.protocols import Agent, AgentJob, Router, Sampling, Scorer
from pytest_hybrideval.core.records import Ledger, Stages, TrialRecord
from pytest_hybrideval.core.settings import Settings
from pytest_hybrideval.scoring.evidence import changed_elsewhere, files_left, first_syntax_error
from pytest_hybrideval.scoring.feedback import failure_texts
from pytest_hybrideval.scoring.verdict import Left, Verdict, judge
from pytest_hybrideval.suites.staging import instruction, retry_instruction, stage

# After these an agent that is shown the tests' output has something to go by.
_MENDABLE = frozenset(
    {
        *(FailureMode.TESTS_FAILED, FailureMode.SYNTAX_ERROR, FailureMode.SCORING_TIMEOUT),
        *(FailureMode.NO_EDIT, FailureMode.MALFORMED_EDIT, FailureMode.WRONG_FILE, FailureMode.RUNAWAY_OUTPUT),
    }
)


@dataclass(frozen=True)
class Artifacts:
    """Where a trial's own files go: `trials/SUITE/TASK/VARIANT/` of the run directory."""

    folder: Path

    @classmethod
    def of(cls, trial: Trial, run_directory: Path) -> Artifacts:
        """The place of a trial, created empty."""
        folder = run_directory / "trials" / trial.task.suite / trial.task.name / trial.variant.id.replace("/", "_")
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder)

    @property
    def transcript(self) -> Path:
        """What the agent printed."""
        return self.folder / "transcript.txt"

    @property
    def diff(self) -> Path:
        """What the agent changed in the files that count."""
        return self.folder / "changes.diff"

    @property
    def tests(self) -> Path:
        """What the hidden tests said."""
        return self.folder / "tests.json"

    def put_aside(self, number: int) -> None:
        """Keep what a try left, under its number: `tests.1.json`, `changes.1.diff`."""
        for path in (self.diff, self.tests):
            if path.exists():
                path.rename(path.with_name(f"{path.stem}.{number}{path.suffix}"))


def sampling(settings: Settings, trial: Trial) -> dict[Tier, Sampling]:
    """What is sent with the calls of each tier that the strategy may choose: the trial's seed, the user's choices."""
    found = {}
    for tier in trial.variant.tiers:
        chosen = settings.tier(tier)
        ollama = trial.variant.model(tier).provider == "ollama"  # the others have no such parameters
        found[tier] = Sampling(
            seed=trial.variant.seed,
            temperature=chosen.temperature,
            max_tokens=chosen.max_tokens,
            num_ctx=chosen.num_ctx if ollama else None,
            think=chosen.think if ollama else None,
            keep_alive=chosen.keep_alive if ollama else None,
        )
    return found


def blank_record(trial: Trial, agent: str) -> TrialRecord:
    """A trial's record before anything is known but what was to run: an internal error until something replaces it."""
    task, variant = trial.task, trial.variant
    return TrialRecord(
        trial=trial.id,
        task=task.id,
        suite=task.suite,
        task_class=task.task_class,
        task_digest=task.digest,
        strategy=variant.strategy,
        threshold=variant.threshold,
        seed=variant.seed,
        agent=agent,
        local_model=str(variant.local),
        cloud_model=str(variant.cloud),
        simulated=variant.simulated,
        outcome=Outcome.ERROR,
        error_kind=ErrorKind.INTERNAL,
        started_at=datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
    )


@dataclass(frozen=True)
class AgentLimits:
    """What the agent may take: seconds for each try, None for the task's own limit, and so many tries."""

    seconds: float | None = None
    tries: int = 1


@dataclass(frozen=True)
class _Try:
    """What one run of the agent came to. `seconds` are the agent's, `scoring` those of the scorer."""

    verdict: Verdict
    score: Score | None
    seconds: float
    scoring: float

    @property
    def worth_another(self) -> bool:
        """Whether what the hidden tests said may help the agent."""
        return self.score is not None and self.verdict.failure_mode in _MENDABLE


def run_trial(
    trial: Trial, router: Router, agent: Agent, scorer: Scorer, artifacts: Artifacts, limits: AgentLimits
) -> TrialRecord:
    """Stage, run the agent, score, judge: whatever happens on the way is in the record."""
    record = replace(blank_record(trial, agent.label), most_tries=limits.tries)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hybrideval-", ignore_cleanup_errors=True) as scratch:
        workspace, home = Path(scratch, "workspace"), Path(scratch, "home")
        home.mkdir()
        stage(trial.task, workspace)
        staged = time.monotonic()
        job = AgentJob(
            workspace=workspace,
            home=home,
            instruction=instruction(trial.task),
            files_edit=trial.task.allowed,
            files_read_only=trial.task.read_only,
            base_url=router.base_url,
            api_key=router.key,
            timeout=limits.seconds or trial.task.agent_seconds,
            transcript=artifacts.transcript,
            queued=lambda: router.queued,
            doorway=getattr(router, "doorway", None),
        )
        tries: list[_Try] = []
        try:
            while not tries or (len(tries) < limits.tries and tries[-1].worth_another):
                if tries:
                    job = replace(job, instruction=_retried(trial.task, tries[-1], artifacts), resumed=True)
                    artifacts.put_aside(len(tries))
                tries.append(_try(trial.task, job, router.ledger, agent, scorer, artifacts))
        except AgentUnavailable as error:
            return replace(record, error_kind=ErrorKind.AGENT, detail=str(error), tries=len(tries) + 1)
    last = tries[-1]
    stages = Stages(
        stage=round(staged - started, 4),
        agent=round(sum(each.seconds for each in tries), 4),
        scoring=round(sum(each.scoring for each in tries), 4),
        tests=round(sum(each.score.test_seconds for each in tries if each.score), 4),
        total=round(time.monotonic() - started, 4),
    )
    return _judged(replace(record, stages=stages, tries=len(tries)), last.verdict, last.score)


def _try(task: Task, job: AgentJob, ledger: Ledger, agent: Agent, scorer: Scorer, artifacts: Artifacts) -> _Try:
    """Run the agent once and decide. Raises `AgentUnavailable`."""
    result = agent.run(job)
    produced = _produced(task, job.workspace)
    edited = _write_diff(task, produced, artifacts.diff)
    ran = time.monotonic()
    left = Left(edited, () if edited else changed_elsewhere(task, job.workspace), first_syntax_error(produced))
    score, verdict = _decide(task, ledger, result, left, scorer, produced, artifacts)
    return _Try(verdict, score, result.seconds, time.monotonic() - ran)


def _retried(task: Task, failed: _Try, artifacts: Artifacts) -> str:
    """The instruction of a further try: the failing tests' texts, as far as the scorer has written them down."""
    told = failure_texts(artifacts.tests)
    if not told and failed.score:
        told = "\n".join(f"{test}: {said}" for test, said in failed.score.tests.items() if said != "passed")
    return retry_instruction(task, told or failed.verdict.detail)


def with_calls(record: TrialRecord, ledger: Ledger) -> TrialRecord:
    """The record with what the gateway counted."""
    model = round(sum(call.seconds for call in ledger.calls), 4)
    queued = round(sum(call.queued for call in ledger.calls), 4)
    return replace(
        record,
        tokens=ledger.tokens(overhead=False),
        overhead=ledger.tokens(overhead=True),
        replayed_calls=sum(call.replayed for call in ledger.calls),
        local_seconds=round(ledger.busy(Tier.LOCAL), 4),
        stages=replace(record.stages, model=model, queued=queued),
    )


def _decide(
    task: Task,
    ledger: Ledger,
    result: AgentResult,
    left: Left,
    scorer: Scorer,
    produced: Mapping[str, Path],
    artifacts: Artifacts,
) -> tuple[Score | None, Verdict]:
    """Run the hidden tests where they can decide anything, and judge."""
    score = None
    if ledger.calls and not ledger.strategy_error and not result.timed_out:
        try:
            score = scorer.score(task, produced, artifacts.tests)
        except SandboxError as error:
            return None, Verdict(Outcome.ERROR, error_kind=ErrorKind.SANDBOX, detail=str(error))
    return score, judge(ledger, result, left, score)


def _judged(record: TrialRecord, verdict: Verdict, score: Score | None) -> TrialRecord:
    tests = dict(score.tests) if score else {}
    return replace(
        record,
        outcome=verdict.outcome,
        failure_mode=verdict.failure_mode,
        error_kind=verdict.error_kind,
        detail=verdict.detail,
        tests_passed=score.passed_tests if score else 0,
        tests_expected=score.expected if score else 0,
        failed_tests=tuple(test for test, outcome in tests.items() if outcome != "passed"),
    )


def _produced(task: Task, workspace: Path) -> dict[str, Path]:
    """The files that count, as far as the agent left them; what is no regular file does not count."""
    names = files_left(workspace) if task.open else task.allowed
    files = {name: workspace / name for name in names}
    return {name: path for name, path in files.items() if path.is_file() and not path.is_symlink()}


def _write_diff(task: Task, produced: Mapping[str, Path], target: Path) -> bool:
    """Write what changed as one unified diff; whether anything did. A created file that stayed empty is no change."""
    lines: list[str] = []
    for name in sorted({*task.edit, *produced}) if task.open else task.allowed:
        before = _lines(task.workspace.get(name))
        after = _lines(produced.get(name))
        lines += difflib.unified_diff(before, after, f"a/{name}", f"b/{name}")
    target.write_text("".join(lines), encoding="utf-8")
    return bool(lines)


def _lines(path: Path | None) -> list[str]:
    if path is None:
        return []
    return path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
