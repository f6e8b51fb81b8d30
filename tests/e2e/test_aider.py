"""The real aider against the real gateway: its requests are recognised, seeded, routed and applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_hybrideval.agents.aider import Aider
from pytest_hybrideval.backends.simulated import Profile, SimulatedBackend, profiles
from pytest_hybrideval.core.domain import AgentResult, ChatRequest, Decision, ModelRef, Task, Tier, Trial, Variant
from pytest_hybrideval.core.protocols import AgentJob, Backend, RoutingContext, Sampling
from pytest_hybrideval.core.signals import EditFormat, Phase, RequestSignals, read_request
from pytest_hybrideval.gateway import Gateway, RouterSession
from pytest_hybrideval.strategies.heuristic import Heuristic
from pytest_hybrideval.suites.native import NativeSuite
from pytest_hybrideval.suites.staging import instruction, stage

TASK = Path(__file__).parents[2] / "benchmarks" / "real_dev" / "d1-rate-limit"
LOCAL, CLOUD = ModelRef("simulated", "gemma4:31b"), ModelRef("simulated", "gpt-5.5")
Aiders = Callable[[str], Aider]
SAMPLING = Sampling(seed=42, temperature="agent", max_tokens=None, num_ctx=None, think=None, keep_alive=None)


class Watching(Heuristic):
    """The heuristic, remembering what it read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[RequestSignals] = []

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        self.read.append(read_request(request))
        return await super().decide(request, context)


class Run:
    """One aider run over the task, and what came of it."""

    def __init__(self, gateway: Gateway, agent: Aider, folder: Path) -> None:
        self.task: Task = NativeSuite().load(TASK)
        variant = Variant("heuristic", None, 42, LOCAL, CLOUD, "heuristic-s42")
        self.strategy = Watching()
        self.session: RouterSession = gateway.open(
            Trial(self.task, variant), self.strategy, {Tier.LOCAL: SAMPLING, Tier.CLOUD: SAMPLING}
        )
        self.workspace, home = folder / "workspace", folder / "home"
        home.mkdir()
        stage(self.task, self.workspace)
        self.transcript = folder / "transcript.txt"
        job = AgentJob(
            workspace=self.workspace,
            home=home,
            instruction=instruction(self.task),
            files_edit=self.task.allowed,
            files_read_only=self.task.read_only,
            base_url=self.session.base_url,
            api_key=self.session.key,
            timeout=120,
            transcript=self.transcript,
        )
        self.result: AgentResult = agent.run(job)
        gateway.close(self.session)

    def solved(self) -> bool:
        return all((self.workspace / n).read_text() == f.read_text() for n, f in self.task.solution.items())


def make_gateway(profile: Profile) -> Gateway:
    def make(ref: ModelRef, tier: Tier) -> Backend:
        return SimulatedBackend(ref, profile)

    gateway = Gateway(make)
    gateway.start()
    return gateway


@pytest.fixture(scope="module")
def aiders() -> Iterator[Aiders]:
    """aider by edit format, each made once."""
    made: dict[str, Aider] = {}
    yield lambda edit_format: made.setdefault(edit_format, Aider(edit_format))
    for aider in made.values():
        aider.stop()


@pytest.fixture(scope="module")
def able() -> Iterator[Gateway]:
    """A gateway whose models know everything."""
    gateway = make_gateway(profiles()["gpt-5.5"])
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def clumsy() -> Iterator[Gateway]:
    """A gateway whose models know everything and write every edit in a form that must be refused."""
    gateway = make_gateway(Profile(profiles()["gpt-5.5"].solve, spread=4, follows=1.0, malformed=1.0, classifies=1.0))
    yield gateway
    gateway.stop()


def test_architect_plans_then_edits(able: Gateway, aiders: Aiders, tmp_path: Path) -> None:
    run = Run(able, aiders("architect"), tmp_path)
    assert [signals.phase for signals in run.strategy.read] == [Phase.PLAN, Phase.EDIT]
    plan, edit = run.strategy.read
    assert run.task.instruction in plan.instruction
    assert plan.edit_format is EditFormat.NONE
    assert set(plan.files) == set(run.task.allowed)
    assert set(plan.references) == set(run.task.read_only)
    assert edit.edit_format is EditFormat.WHOLE
    assert "Plan for:" in edit.instruction
    assert "MUST" not in edit.instruction  # aider's own format rules are not taken for the plan
    assert [call.tier for call in run.session.ledger.calls] == [Tier.CLOUD, Tier.LOCAL]
    assert run.solved()


@pytest.mark.parametrize(
    ("edit_format", "seen"), [("whole", EditFormat.WHOLE), ("diff", EditFormat.DIFF), ("udiff", EditFormat.UDIFF)]
)
def test_single_step_formats(able: Gateway, aiders: Aiders, tmp_path: Path, edit_format: str, seen: EditFormat) -> None:
    run = Run(able, aiders(edit_format), tmp_path)
    assert [(signals.phase, signals.edit_format) for signals in run.strategy.read] == [(Phase.CODE, seen)]
    (code,) = run.strategy.read
    assert code.instruction.removeprefix("Task: ").strip() == instruction(run.task).strip()
    assert run.solved()


@pytest.mark.parametrize("edit_format", ["diff", "udiff"])
def test_refused_edits_come_back_as_reflections(
    clumsy: Gateway, aiders: Aiders, tmp_path: Path, edit_format: str
) -> None:
    run = Run(clumsy, aiders(edit_format), tmp_path)
    phases = [signals.phase for signals in run.strategy.read]
    assert phases[0] is Phase.CODE
    assert phases[1:] == [Phase.REFLECTION] * 3
    assert {signals.cause for signals in run.strategy.read[1:]} == {"edit"}
    assert run.result.malformed > 0
    assert not run.solved()


def test_seed_and_temperature_are_recorded_with_every_call(able: Gateway, aiders: Aiders, tmp_path: Path) -> None:
    run = Run(able, aiders("architect"), tmp_path)
    assert [(call.seed, call.temperature, call.stream) for call in run.session.ledger.calls] == [(42, 0.0, True)] * 2


def test_nothing_of_the_task_but_its_workspace_is_in_reach(able: Gateway, aiders: Aiders, tmp_path: Path) -> None:
    run = Run(able, aiders("whole"), tmp_path)
    there = {path.relative_to(run.workspace).as_posix() for path in run.workspace.rglob("*") if path.is_file()}
    assert there == set(run.task.workspace) | set(run.task.create)
    assert run.session.key not in run.transcript.read_text()


def test_a_dead_gateway_is_not_the_models_failure(tmp_path: Path) -> None:
    gateway = make_gateway(profiles()["gpt-5.5"])
    gateway.stop()
    home, workspace = tmp_path / "home", tmp_path / "workspace"
    home.mkdir()
    task = NativeSuite().load(TASK)
    stage(task, workspace)
    job = AgentJob(
        workspace=workspace,
        home=home,
        instruction=instruction(task),
        files_edit=task.allowed,
        files_read_only=(),
        base_url=gateway.base_url,
        api_key="hybrid-none",
        timeout=8,
        transcript=tmp_path / "transcript.txt",
    )
    result = Aider("whole", warm=False).run(job)
    assert result.timed_out
    assert result.seconds < 20
