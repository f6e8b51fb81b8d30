"""Every line of the matrix beside the controls and beside all others: what each is measured by, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from builders import make_record
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hybrideval.analysis import FrontierStatus
from pytest_hybrideval.analysis.assessment import Assessment, assess, comparisons
from pytest_hybrideval.analysis.cells import ALL_SUITES, ALWAYS_CLOUD, ALWAYS_LOCAL, CONTROLS, CellKey, cells
from pytest_hybrideval.analysis.comparison import BY_DESIGN
from pytest_hybrideval.analysis.verdict import Verdict
from pytest_hybrideval.core.domain import ErrorKind, Outcome, Tier
from pytest_hybrideval.core.records import TierTokens, TrialRecord

ENDS = {"P": Outcome.PASSED, "F": Outcome.FAILED, "E": Outcome.ERROR}
ROUTER = "heuristic"
PRICES = {ALWAYS_CLOUD: 100, ALWAYS_LOCAL: 0}
A, B = "ollama/gemma4:31b", "ollama/qwen3-coder:30b"
X, Y = "openai/gpt-5.5", "openrouter/gpt-5.5"

few = settings(deadline=None, max_examples=25)


def usd(record: TrialRecord) -> float:
    return record.tier_tokens(Tier.CLOUD).prompt / 100


def line(strategy: str, *table: str, cents: int | Sequence[int] | None = None, **changes: Any) -> list[TrialRecord]:
    """A strategy's trials: tasks by rows, seeds by columns, a dot did not run. `cents` may be by task."""
    price = PRICES.get(strategy, 50) if cents is None else cents
    changes.setdefault("threshold", None if strategy in CONTROLS else 25.0)
    suite = changes.pop("suite", "samples")
    found = []
    for row, letters in enumerate(table):
        cost = price if isinstance(price, int) else price[row]
        tokens = {Tier.CLOUD: TierTokens(calls=1, prompt=cost)} if cost else {}
        for seed, letter in enumerate(letters):
            if letter != ".":
                given_ = {"tokens": tokens, "seed": seed, "outcome": ENDS[letter], "task": f"{suite}/{row}", **changes}
                found.append(make_record(strategy=strategy, **given_))
    return found


def both(*table: str, **changes: Any) -> list[TrialRecord]:
    return [*line(ALWAYS_CLOUD, *table, **changes), *line(ALWAYS_LOCAL, *table, **changes)]


def lines(*groups: Iterable[TrialRecord], margin: float = 0.05) -> list[Assessment]:
    return assess([record for group in groups for record in group], usd, margin)


def of(strategy: str, *groups: Iterable[TrialRecord], **key: Any) -> Assessment:
    """The only line of this strategy."""
    (found,) = (
        each
        for each in lines(*groups)
        if each.key.strategy == strategy and all(getattr(each.key, name) == value for name, value in key.items())
    )
    return found


PUBLISHED = (
    *line(ALWAYS_CLOUD, *["PPP"] * 8),
    *line(ALWAYS_LOCAL, *["PPP"] * 7, "FFF"),
    *line(ROUTER, *["PPP"] * 7, "PPF", cents=[100, 100, 100, 66, 66, 66, 67, 67]),
)


def test_the_published_table_says_less_than_was_published() -> None:
    router = of(ROUTER, PUBLISHED)
    assert router.lift is not None
    assert router.lift.interval is not None
    assert router.lift.value == pytest.approx(-0.015417, abs=1e-4)
    assert router.lift.spent == pytest.approx(0.79)
    assert (router.lift.interval.low, router.lift.interval.high) == pytest.approx((-0.379, 0.363), abs=0.01)
    assert router.gap is not None
    assert router.gap.value == pytest.approx(0.6667, abs=1e-4)
    assert (router.gap.established, router.gap.interval) == (False, None)
    assert router.comparison is not None
    assert (router.comparison.verdict, router.comparison.more_tasks) == (Verdict.INCONCLUSIVE, 281 - 8)
    interval = router.comparison.interval
    assert (interval.low, interval.high) == pytest.approx((-0.40058, 0.34633), abs=1e-4)
    assert router.comparison.p == pytest.approx(0.85889, abs=1e-4)
    assert router.comparison.savings.value == pytest.approx(0.21)
    assert router.needs == ()


def test_the_published_controls() -> None:
    local, cloud = of(ALWAYS_LOCAL, PUBLISHED), of(ALWAYS_CLOUD, PUBLISHED)
    assert (local.cell.interval.low, local.cell.interval.high) == pytest.approx((0.47349, 0.99684), abs=1e-4)
    assert cloud.cell.interval.low == pytest.approx(0.630583, abs=1e-4)
    assert local.comparison is not None
    assert local.comparison.verdict is Verdict.INCONCLUSIVE
    assert (local.comparison.savings.value, local.comparison.savings.note) == (1, BY_DESIGN)
    assert cloud.comparison is None
    assert all(each.is_control and each.lift is None and each.gap is None for each in (local, cloud))


def test_the_family_is_everything_that_is_compared_in_one_scope() -> None:
    router, local = of(ROUTER, PUBLISHED).comparison, of(ALWAYS_LOCAL, PUBLISHED).comparison
    assert router is not None
    assert local is not None
    assert router.p_holm == pytest.approx(min(1.0, max(2 * router.p, local.p)))


def test_the_lines_are_those_of_the_matrix() -> None:
    records = [*PUBLISHED, *line(ROUTER, "PF", suite="exercism", threshold=5.0), *both("PF", local_model=B)]
    assert [each.cell for each in lines(records)] == cells(records, usd)
    assert lines() == []


def test_comparisons_alone_are_the_same() -> None:
    records = [*PUBLISHED, *line(ALWAYS_CLOUD, "PP", suite="exercism"), *line(ROUTER, "PF", suite="exercism")]
    alone = comparisons(records, usd, 0.05)
    assert alone == {each.key: each.comparison for each in lines(records) if each.comparison}
    assert len(alone) == 5


@pytest.mark.parametrize(
    ("ran", "router", "local"),
    [
        ([], CONTROLS, (ALWAYS_CLOUD,)),
        ([ALWAYS_CLOUD], (ALWAYS_LOCAL,), ()),
        ([ALWAYS_LOCAL], (ALWAYS_CLOUD,), (ALWAYS_CLOUD,)),
        (CONTROLS, (), ()),
    ],
)
def test_what_is_lacking_is_named_and_nothing_is_said_without_it(
    ran: Sequence[str], router: tuple[str, ...], local: tuple[str, ...]
) -> None:
    found = {each.key.strategy: each for each in lines(line(ROUTER, "P", "F"), *(line(name, "P", "P") for name in ran))}
    assert found[ROUTER].needs == router
    assert (found[ROUTER].comparison is None) == (ALWAYS_CLOUD in router)
    assert (found[ROUTER].lift is None) == (found[ROUTER].gap is None) == bool(router)
    if ALWAYS_LOCAL in found:
        assert (found[ALWAYS_LOCAL].needs, found[ALWAYS_LOCAL].comparison is None) == (local, bool(local))
    if ALWAYS_CLOUD in found:
        assert found[ALWAYS_CLOUD].needs == ()


@pytest.mark.parametrize(
    "elsewhere",
    [{"task_digest": "1" * 64}, {"suite": "exercism"}, {"agent": "aider 0.86.2 whole"}, {"seed": 7}],
)
def test_a_control_that_ran_elsewhere_is_none(elsewhere: dict[str, Any]) -> None:
    router = of(ROUTER, line(ROUTER, "P", "P"), both("P", "P", **elsewhere), scope="samples")
    assert (router.needs, router.comparison, router.lift, router.gap) == (CONTROLS, None, None, None)


def test_controls_that_ran_apart_from_each_other_make_no_coin() -> None:
    router = of(ROUTER, line(ROUTER, "PP", "PP"), line(ALWAYS_CLOUD, "PP"), line(ALWAYS_LOCAL, "..", "PP"))
    assert router.comparison is not None
    assert (router.needs, router.lift, router.gap) == ((), None, None)


@pytest.mark.parametrize(("cloud_model", "needs"), [(X, ()), (Y, (ALWAYS_CLOUD,))])
def test_always_cloud_must_have_asked_the_same_cloud_model_whatever_its_local_one(
    cloud_model: str, needs: tuple[str, ...]
) -> None:
    control = line(ALWAYS_CLOUD, "P", cloud_model=cloud_model, local_model="ollama/never-asked")
    router = of(ROUTER, line(ROUTER, "P"), control, line(ALWAYS_LOCAL, "P"))
    assert router.needs == needs
    assert (router.comparison is None) == bool(needs)


@pytest.mark.parametrize(("local_model", "needs"), [(A, ()), (B, (ALWAYS_LOCAL,))])
def test_always_local_must_have_asked_the_same_local_model_whatever_its_cloud_one(
    local_model: str, needs: tuple[str, ...]
) -> None:
    control = line(ALWAYS_LOCAL, "P", local_model=local_model, cloud_model="openai/never-asked")
    router = of(ROUTER, line(ROUTER, "P"), control, line(ALWAYS_CLOUD, "P"))
    assert router.needs == needs
    assert router.comparison is not None
    assert (router.lift is None) == bool(needs)


def test_of_several_controls_the_one_with_the_most_in_common_serves() -> None:
    """One that was stopped early, with a model that it never asks, must not cost the comparison its tasks."""
    stopped, whole = line(ALWAYS_CLOUD, "P", local_model=A), line(ALWAYS_CLOUD, "P", "P", "F", local_model=B)
    for local_model in (A, B):
        router = of(ROUTER, line(ROUTER, "P", "P", "P", local_model=local_model), stopped, whole)
        assert router.comparison is not None
        assert (router.comparison.baseline.local_model, router.comparison.tasks) == (B, 3)


@pytest.mark.parametrize("local_model", [A, B])
def test_of_several_controls_that_serve_alike_that_of_the_same_models_does(local_model: str) -> None:
    controls = [record for name in (A, B) for record in line(ALWAYS_CLOUD, "P", "P", local_model=name)]
    router = of(ROUTER, line(ROUTER, "P", "F", local_model=local_model), controls)
    assert router.comparison is not None
    assert router.comparison.baseline.local_model == local_model


def test_thresholds_and_models_are_never_pooled() -> None:
    variants: list[dict[str, Any]] = [
        {"threshold": None},
        {"threshold": 5.0},
        {"threshold": 15.0},
        {"local_model": B},
        {"cloud_model": Y},
    ]
    routers = [line(ROUTER, *["P"] * (at + 1), **changes) for at, changes in enumerate(variants)]
    found = lines(*routers, both(*["P"] * 9), both(*["P"] * 9, local_model=B), both(*["P"] * 9, cloud_model=Y))
    counts = {
        (each.key.threshold, each.key.local_model, each.key.cloud_model): (each.cell.trials, each.comparison.tasks)
        for each in found
        if each.key.strategy == ROUTER and each.comparison
    }
    assert counts == {
        (None, A, X): (1, 1),
        (5.0, A, X): (2, 2),
        (15.0, A, X): (3, 3),
        (25.0, B, X): (4, 4),
        (25.0, A, Y): (5, 5),
    }
    assert {
        each.comparison.baseline.cloud_model for each in found if each.comparison and each.key.cloud_model == Y
    } == {Y}


def test_one_simulated_trial_marks_its_line() -> None:
    found = lines(line(ROUTER, "PP"), line(ROUTER, "..P", simulated=True), both("PPP"))
    assert {each.key.strategy: each.cell.simulated for each in found} == {
        ALWAYS_CLOUD: False,
        ALWAYS_LOCAL: False,
        ROUTER: True,
    }


def test_several_suites_stand_alone_and_together() -> None:
    groups = [
        group
        for suite, router in (("exercism", ["P"] * 40), ("real_dev", ["P"] * 39 + ["F"]))
        for group in (line(ROUTER, *router, suite=suite), both(*["P"] * 40, suite=suite))
    ]
    tasks = {each.key.scope: each.comparison for each in lines(*groups) if each.key.strategy == ROUTER}
    assert list(tasks) == ["exercism", "real_dev", ALL_SUITES]
    assert [each.tasks for each in tasks.values() if each] == [40, 40, 80]
    assert [each.difference for each in tasks.values() if each] == pytest.approx([0, -1 / 40, -1 / 80])
    assert [each.baseline.scope for each in tasks.values() if each] == list(tasks)


def test_a_router_that_ran_one_suite_is_compared_on_that_suite_alone_also_over_all() -> None:
    groups = [both("P", "P", suite=suite) for suite in ("exercism", "real_dev")]
    found = of(ROUTER, line(ROUTER, "P", "F", suite="exercism"), *groups, scope=ALL_SUITES)
    assert found.comparison is not None
    assert (found.comparison.tasks, found.comparison.left_out, found.comparison.baseline_left_out) == (2, 0, 2)


def test_a_trial_that_ended_before_there_was_an_agent_belongs_to_its_line() -> None:
    lost = line(ROUTER, "...E", agent="", error_kind=ErrorKind.BACKEND)
    router = of(ROUTER, line(ROUTER, "PPP"), lost, both("PPPP"))
    assert (router.cell.trials, router.cell.errors) == (4, 1)
    assert router.comparison is not None
    assert (router.comparison.pairs, router.comparison.difference) == (4, -0.25)
    assert router.comparison.verdict is Verdict.NOT_COMPARABLE


def test_agents_are_not_compared_with_each_other() -> None:
    other = "aider 0.86.2 whole"
    found = lines(line(ROUTER, "P"), both("P"), line(ROUTER, "P", agent=other), line(ALWAYS_LOCAL, "P", agent=other))
    routers = {each.key.agent: each.needs for each in found if each.key.strategy == ROUTER}
    assert routers == {"aider 0.86.2 architect": (), other: (ALWAYS_CLOUD,)}


MANY = ["P"] * 150
WEAK = ["P"] * 75 + ["F"] * 75


def test_places_name_the_line_that_dominates() -> None:
    found = {
        each.key.strategy: each
        for each in lines(line(ALWAYS_CLOUD, *MANY), line(ALWAYS_LOCAL, *WEAK), line(ROUTER, *MANY))
    }
    places = {name: each.place for name, each in found.items()}
    assert all(places.values())
    assert [place.status for place in places.values() if place] == [
        FrontierStatus.DOMINATED,
        FrontierStatus.ON_FRONTIER,
        FrontierStatus.ON_FRONTIER,
    ]
    assert [place.dominated_by for place in places.values() if place] == [found[ROUTER].key, None, None]


def test_there_is_no_place_where_not_everything_has_something_in_common() -> None:
    apart = line(ROUTER, ".P", threshold=5.0)
    assert [each.place for each in lines(both("P."), line(ROUTER, "PP"), apart)] == [None] * 4
    assert all(each.place for each in lines(both("P."), line(ROUTER, "PP")))


def test_there_is_no_place_without_a_rival_or_without_costs() -> None:
    assert [each.place for each in lines(line(ROUTER, "PP", "PF"))] == [None]
    silent = line(ROUTER, "P", tokens={Tier.CLOUD: TierTokens(calls=1, unknown_calls=1)})
    found = lines(silent, both("P"))
    assert [each.place for each in found] == [None] * 3
    router = found[-1]
    assert router.lift is not None
    assert (router.lift.value, router.lift.note) == (
        None,
        "undefined: no trial's cost is known for all three strategies",
    )
    assert router.gap is not None


def test_missing_trials_stay_in_the_lift_and_the_gap_and_widen_them() -> None:
    """Of an error no cost is known; its task counts nevertheless, as a fail or as a pass."""
    cloud, local, router = MANY[:60], ["F"] * 60, ["P"] * 50 + ["F"] * 10
    whole = of(ROUTER, line(ALWAYS_CLOUD, *cloud), line(ALWAYS_LOCAL, *local), line(ROUTER, *router))
    lost = of(ROUTER, line(ALWAYS_CLOUD, *cloud), line(ALWAYS_LOCAL, *local), line(ROUTER, *router[:-2], "E", "E"))
    for one, other in ((whole.lift, lost.lift), (whole.gap, lost.gap)):
        assert one is not None
        assert other is not None
        assert one.interval is not None
        assert other.interval is not None
        assert other.value == pytest.approx(one.value)
        assert other.interval.high > one.interval.high + 0.01
    assert whole.gap is not None
    assert whole.gap.established


def test_missing_trials_count_against_a_place() -> None:
    cloud, local = line(ALWAYS_CLOUD, *MANY), line(ALWAYS_LOCAL, *WEAK)
    for lost, status in ((1, FrontierStatus.DOMINATED), (7, FrontierStatus.UNDETERMINED)):
        found = of(ALWAYS_CLOUD, cloud, local, line(ROUTER, *MANY[lost:], *["E"] * lost))
        assert found.place is not None
        assert found.place.status is status


cells_of = st.lists(st.text(alphabet="PPFE.", min_size=1, max_size=3), min_size=1, max_size=6)
strategies = st.sampled_from(
    [(ALWAYS_CLOUD, None), (ALWAYS_LOCAL, None), (ROUTER, 5.0), (ROUTER, 15.0), ("other", None)]
)
variants = st.fixed_dictionaries(
    {
        "suite": st.sampled_from(["exercism", "real_dev"]),
        "local_model": st.sampled_from([A, B]),
        "cloud_model": st.sampled_from([X, X, Y]),
        "agent": st.sampled_from(["aider", "aider", ""]),
        "cents": st.sampled_from([0, 1, 70]),
        "task_digest": st.sampled_from(["0", "0", "1"]),
    }
)
runs = st.lists(st.tuples(strategies, cells_of, variants), min_size=1, max_size=8)


@few
@given(runs, st.sampled_from([0.05, 0.3]))
def test_whatever_ran_every_line_is_judged_by_what_it_has(
    run: list[tuple[tuple[str, float | None], list[str], dict[str, Any]]], margin: float
) -> None:
    records = [
        record
        for (strategy, threshold), table, changes in run
        for record in line(strategy, *table, threshold=threshold, **changes)
    ]
    found = lines(records, margin=margin)
    assert [each.cell for each in found] == cells(records, usd)
    for each in found:
        controls = each.key.strategy in CONTROLS
        assert each.is_control is controls
        assert (each.comparison is None) == (ALWAYS_CLOUD in each.needs or each.key.strategy == ALWAYS_CLOUD)
        assert each.lift is None or not (controls or each.needs)
        assert (each.lift is None) == (each.gap is None)
        if each.comparison:
            assert each.comparison.pairs + each.comparison.left_out <= each.cell.trials
            assert each.cell.comparable or each.comparison.verdict is Verdict.NOT_COMPARABLE or each.cell.errors < 2
        if each.place and each.place.dominated_by:
            assert isinstance(each.place.dominated_by, CellKey)
            assert each.place.dominated_by.scope == each.key.scope


@few
@given(runs)
def test_the_order_of_the_records_does_not_matter(
    run: list[tuple[tuple[str, float | None], list[str], dict[str, Any]]],
) -> None:
    records = [
        record
        for (strategy, threshold), table, changes in run
        for record in line(strategy, *table, threshold=threshold, **changes)
    ]
    for one, other in zip(lines(records), lines(records[::-1]), strict=True):
        assert (one.key, one.needs) == (other.key, other.needs)
        assert (one.place and one.place.status) == (other.place and other.place.status)
        assert (one.comparison is None) == (other.comparison is None)
        if one.comparison and other.comparison:
            assert one.comparison.verdict is other.comparison.verdict
            assert one.comparison.interval.low == pytest.approx(other.comparison.interval.low)
            assert one.comparison.baseline == other.comparison.baseline
