"""The gate: what may be asked, and that only evidence opens or shuts it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from studies import ERROR, FAILED, LOCAL_ONLY, PASSED, RUN, arm, benchmark, priced, studied

from pytest_hybrideval.analysis.assessment import comparisons
from pytest_hybrideval.core.domain import Tier
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.records import TierTokens, TrialRecord
from pytest_hybrideval.reporting.gate import (
    NON_INFERIOR,
    Condition,
    Finding,
    GateResult,
    GateState,
    judge,
    parse_condition,
)
from pytest_hybrideval.reporting.report import Declared, make_report
from pytest_hybrideval.reporting.runs import Run
from pytest_hybrideval.reporting.sentences import SIMULATED

MET, NOT_MET, INCONCLUSIVE = GateState.MET, GateState.NOT_MET, GateState.INCONCLUSIVE
EIGHT, NONE = [PASSED] * 8, [FAILED] * 8
CLOUD, LOCAL = arm("always-cloud", EIGHT), arm("always-local", NONE)
MANY = [PASSED] * 100


def gate(records: Sequence[TrialRecord], *expressions: str, **more: Any) -> GateResult:
    """Judge a run by these conditions."""
    conditions = tuple(map(parse_condition, expressions))
    return judge(conditions, studied(records), lambda margin: comparisons(records, priced, margin), **more)


def finding(records: Sequence[TrialRecord], expression: str, **more: Any) -> Finding:
    """The only finding of the only condition."""
    (found,) = gate(records, expression, **more).findings
    return found


def said(records: Sequence[TrialRecord], expression: str) -> tuple[GateState, str]:
    """The state and what is said beside the condition."""
    found = finding(records, expression)
    assert found.why.startswith(f"{expression}: ")
    return found.state, found.why.removeprefix(f"{expression}: ")


class TestParsing:
    """What may be written, and what is said of everything else."""

    @pytest.mark.parametrize("quantity", ["pass_rate", "cloud_fraction", "savings", "errors", "lift"])
    @pytest.mark.parametrize("operator", [">=", ">", "<=", "<"])
    @pytest.mark.parametrize(("number", "bound"), [("0.85", 0.85), (".5", 0.5), ("1", 1.0), ("0", 0.0), ("1e-2", 0.01)])
    def test_every_quantity_takes_every_comparison(
        self, quantity: str, operator: str, number: str, bound: float
    ) -> None:
        text = quantity + operator + number
        assert parse_condition(text) == Condition(text, quantity, operator, bound)

    @pytest.mark.parametrize("text", ["pass_rate >= 0.85", "  pass_rate>=0.85 ", "pass_rate\t>=  0.85"])
    def test_blanks_do_not_matter(self, text: str) -> None:
        assert parse_condition(text) == Condition(text.strip(), "pass_rate", ">=", 0.85)

    @pytest.mark.parametrize("text", ["non-inferior:0.05", " non-inferior : 0.05", "non-inferior: .05"])
    def test_a_margin(self, text: str) -> None:
        assert parse_condition(text) == Condition(text.strip(), NON_INFERIOR, "", 0.05)

    @pytest.mark.parametrize(("text", "bound"), [("lift>-0.1", -0.1), ("savings>=-2.5", -2.5), ("savings<=1", 1.0)])
    def test_what_may_be_below_nothing(self, text: str, bound: float) -> None:
        assert parse_condition(text).bound == bound

    @pytest.mark.parametrize(
        ("text", "meant"),
        [
            ("pas_rate>=0.85", "pass_rate"),
            ("pass-rate>=0.85", "pass_rate"),
            ("PASS_RATE>=0.85", "pass_rate"),
            ("pass rate>=0.85", "pass_rate"),
            ("error<=0.02", "errors"),
            ("saving >= 0.2", "savings"),
            ("cloud_fracton<=0.6", "cloud_fraction"),
            ("noninferior:0.05", "non-inferior"),
            ("Non-Inferior:0.05", "non-inferior"),
            ("non_inferior:0.05", "non-inferior"),
        ],
    )
    def test_a_typo(self, text: str, meant: str) -> None:
        assert f"gate '{text}' is not understood; did you mean '{meant}'? (for example: " in refused(text)

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            ("", "gate '' is not understood (for example: non-inferior:0.05, pass_rate>=0.85"),
            ("   ", "gate '' is not understood"),
            ("xyz>=1", "gate 'xyz>=1' is not understood (for example"),
            (">=0.85", "is not understood"),
            ("0.85", "is not understood"),
            ("non-inferior", "has no margin; write non-inferior:MARGIN"),
            ("non-inferior=0.05", "has no margin; write non-inferior:MARGIN"),
            ("non-inferior>=0.05", "has no margin"),
            ("pass_rate", "has no bound; quote the expression, for the shell takes < and > to itself"),
            ("pass_rate=0.85", "does not compare; use one of >=, >, <=, <"),
            ("pass_rate==0.85", "does not compare"),
            ("pass_rate=>0.85", "does not compare"),
            ("pass_rate!=0.85", "does not compare"),
            ("pass_rate:0.85", "does not compare"),
            ("pass_rate 0.85", "does not compare"),
            ("pass_rate>=", "has '' where a number should be"),
            ("pass_rate>=high", "has 'high' where a number should be"),
            ("pass_rate>=85%", "has '85%' where a number should be"),
            ("pass_rate>=nan", "has 'nan' where a number should be"),
            ("savings>=-inf", "has '-inf' where a number should be"),
            ("pass_rate>=0.8,savings>=0.2", "has '0.8,savings>=0.2' where a number should be; each condition is one"),
            ("pass_rate>=0.8 and lift>0", "has '0.8 and lift>0' where a number should be; each condition is one"),
            ("non-inferior:", "has '' where a number should be"),
            ("non-inferior:five", "has 'five' where a number should be"),
            ("non-inferior:nan", "has 'nan' where a number should be"),
            ("non-inferior:0", "has a margin that is not between 0 and 1"),
            ("non-inferior:1", "has a margin that is not between 0 and 1"),
            ("non-inferior:-0.05", "has a margin that is not between 0 and 1"),
            ("non-inferior:5", "has a margin that is not between 0 and 1"),
            ("pass_rate>=85", "decides nothing: pass_rate lies between 0 and 1, a share and no count or per cent"),
            ("errors<=2", "decides nothing: errors lies between 0 and 1"),
            ("cloud_fraction<=-0.1", "decides nothing: cloud_fraction lies between 0 and 1"),
            ("lift>2", "decides nothing: lift lies between -1 and 1"),
            ("savings>=20", "decides nothing: savings is at most 1"),
        ],
    )
    def test_refused(self, text: str, what: str) -> None:
        assert what in refused(text)


def refused(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        parse_condition(text)
    assert "(for example: non-inferior:0.05, pass_rate>=0.85, " in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestBounds:
    """A bound is met or broken by the limit of the interval that is the worst for the answer."""

    def test_a_lower_bound(self) -> None:
        records = arm("heuristic", EIGHT)  # 1.00 [.63, 1.00]
        assert said(records, "pass_rate>=0.6") == (
            MET,
            "heuristic has 1.00 [.63, 1.00], and even its lower limit is high enough",
        )
        assert said(records, "pass_rate>=0.9") == (
            INCONCLUSIVE,
            "heuristic has 1.00 [.63, 1.00], and only its upper limit is high enough",
        )
        assert said(arm("heuristic", NONE), "pass_rate>=0.9") == (
            NOT_MET,
            "heuristic has .00 [.00, .37], and not even its upper limit is high enough",
        )

    def test_an_upper_bound(self) -> None:
        none, all_ = arm("heuristic", NONE), arm("heuristic", EIGHT)
        assert said(none, "pass_rate<=0.4") == (
            MET,
            "heuristic has .00 [.00, .37], and even its upper limit is low enough",
        )
        assert said(none, "pass_rate<=0.2") == (
            INCONCLUSIVE,
            "heuristic has .00 [.00, .37], and only its lower limit is low enough",
        )
        assert said(all_, "pass_rate<=0.4") == (
            NOT_MET,
            "heuristic has 1.00 [.63, 1.00], and not even its lower limit is low enough",
        )

    @pytest.mark.parametrize(
        ("expression", "state"),
        [
            ("pass_rate>=0.5", MET),
            ("pass_rate>=0.7", INCONCLUSIVE),
            ("pass_rate<=0.5", NOT_MET),
            ("pass_rate<0.9", INCONCLUSIVE),
            ("cloud_fraction<=0.7", MET),
            ("cloud_fraction<=0.6", INCONCLUSIVE),
            ("cloud_fraction<=0.3", NOT_MET),
            ("cloud_fraction>=0.3", MET),
            ("savings>=0.3", MET),
            ("savings>=0.5", INCONCLUSIVE),
            ("savings>=0.8", NOT_MET),
            ("savings<=0.8", MET),
            ("lift>-0.5", MET),
            ("lift>0", INCONCLUSIVE),
            ("lift<=-0.5", NOT_MET),
            ("errors<=0", MET),
            ("errors<0", NOT_MET),
            ("errors>0", NOT_MET),
        ],
    )
    def test_each_quantity(self, expression: str, state: GateState) -> None:
        cloud = arm("always-cloud", EIGHT, tokens={Tier.CLOUD: TierTokens(1, 10_000, 0)})
        half = {Tier.LOCAL: TierTokens(1, 5000, 0), Tier.CLOUD: TierTokens(1, 5000, 0)}
        records = [*cloud, *LOCAL, *arm("heuristic", EIGHT, tokens=half)]
        assert finding(records, expression).state is state

    @pytest.mark.parametrize(
        ("expression", "state"),
        [("pass_rate>=0.630583", MET), ("pass_rate>=0.630584", INCONCLUSIVE), ("pass_rate>1", NOT_MET)],
    )
    def test_the_limit_itself_decides(self, expression: str, state: GateState) -> None:
        assert finding(arm("heuristic", EIGHT), expression).state is state

    def test_numbers_are_never_rounded_to_the_other_side(self) -> None:
        _, why = said(arm("heuristic", EIGHT), "pass_rate>=0.63")
        assert why == "heuristic has 1.00 [.631, 1.00], and even its lower limit is high enough"

    def test_missing_trials_take_the_worst_case(self) -> None:
        records = arm("heuristic", [ERROR, *EIGHT])
        assert finding(records, "pass_rate>=0.6").state is INCONCLUSIVE
        assert finding(records, "pass_rate<=0.9").state is INCONCLUSIVE


class TestExactValues:
    """What is counted, or fixed by design, has no interval: its value decides."""

    @pytest.mark.parametrize(
        ("errors", "expression", "state", "why"),
        [
            (0, "errors<=0", MET, "heuristic has .00 (0 of 100 trials)"),
            (1, "errors<=0", NOT_MET, "heuristic has .01 (1 of 100 trials)"),
            (2, "errors<=0.02", MET, "heuristic has .02 (2 of 100 trials)"),
            (3, "errors<=0.02", NOT_MET, "heuristic has .03 (3 of 100 trials)"),
            (3, "errors<0.03", NOT_MET, "heuristic has .03 (3 of 100 trials)"),
        ],
    )
    def test_errors(self, errors: int, expression: str, state: GateState, why: str) -> None:
        assert said(arm("heuristic", [ERROR] * errors + MANY[errors:]), expression) == (state, why)

    def test_what_the_controls_are_by_design(self) -> None:
        found = gate([*CLOUD, *LOCAL], "cloud_fraction<=0.5", "savings>=1").findings
        assert [(each.line, each.state) for each in found] == [
            ("always-cloud", NOT_MET),
            ("always-local", MET),
            ("always-cloud", NOT_MET),
            ("always-local", MET),
        ]
        assert [each.why.partition(": ")[2] for each in found] == [
            "always-cloud has 1.00 (by design)",
            "always-local has .00 (by design)",
            "always-cloud has .00 (by design)",
            "always-local has 1.00 (by design)",
        ]

    def test_a_design_needs_no_tokens(self) -> None:
        unknown = {Tier.CLOUD: TierTokens(calls=2, unknown_calls=2)}
        assert finding(arm("always-cloud", EIGHT, tokens=unknown), "cloud_fraction<=0.5").state is NOT_MET


class TestUnknowns:
    """What is not known meets nothing and breaks nothing, and says what is missing."""

    @pytest.mark.parametrize(
        ("records", "expression", "why"),
        [
            (
                arm("heuristic", EIGHT),
                "savings>=0.2",
                "heuristic needs always-cloud on the same tasks and seeds",
            ),
            (
                arm("heuristic", EIGHT),
                "lift>0",
                "heuristic needs always-cloud and always-local on the same tasks and seeds",
            ),
            (
                [*CLOUD, *arm("heuristic", EIGHT)],
                "lift>0",
                "heuristic needs always-local on the same tasks and seeds",
            ),
            (
                arm("heuristic", EIGHT),
                "non-inferior:0.05",
                "heuristic needs always-cloud on the same tasks and seeds",
            ),
            (
                arm("heuristic", EIGHT, tokens={tier: TierTokens(1, 5000, 0, unknown_calls=1) for tier in Tier}),
                "cloud_fraction<=0.9",
                "heuristic has no cloud_fraction: a model did not say all its tokens",
            ),
            (
                arm("heuristic", EIGHT, tokens={}),
                "cloud_fraction<=0.9",
                "heuristic has no cloud_fraction: no tokens were counted",
            ),
            (
                [*arm("always-cloud", EIGHT, tokens=LOCAL_ONLY), *arm("heuristic", EIGHT)],
                "savings>=0.2",
                "heuristic has no savings: the baseline cost nothing",
            ),
            (
                [
                    *arm("always-cloud", EIGHT[:4]),
                    *arm("always-cloud", EIGHT[:4], "free", tokens=LOCAL_ONLY),
                    *arm("heuristic", EIGHT[:4]),
                    *arm("heuristic", EIGHT[:4], "free"),
                ],
                "savings>=0.2",
                "heuristic has no savings: a task cost the baseline nothing: no interval",
            ),
            (
                [*arm("always-cloud", EIGHT, tokens=LOCAL_ONLY), *LOCAL, *arm("heuristic", EIGHT)],
                "lift>0",
                "heuristic has no lift: always-cloud does not cost more than always-local on these tasks",
            ),
        ],
    )
    def test_each(self, records: Sequence[TrialRecord], expression: str, why: str) -> None:
        assert said(records, expression) == (INCONCLUSIVE, why)

    def test_a_control_has_no_lift(self) -> None:
        (found,) = gate(CLOUD, "lift>0").findings
        assert (found.state, found.why) == (
            INCONCLUSIVE,
            "lift>0: always-cloud has no lift: it is a control, one side of the coin",
        )

    @pytest.mark.parametrize("expression", ["savings>=0", "cloud_fraction<=1", "lift>=-1", "non-inferior:0.9"])
    def test_too_many_errors_leave_nothing_to_judge(self, expression: str) -> None:
        records = [*CLOUD, *LOCAL, *arm("heuristic", [ERROR, *EIGHT[1:]])]
        state, why = said(records, expression)
        assert state is INCONCLUSIVE
        assert "too many trials ended in errors" in why

    @pytest.mark.parametrize("expression", ["savings>=0", "lift>=-1", "non-inferior:0.9"])
    def test_those_of_the_baseline_too(self, expression: str) -> None:
        records = [*arm("always-cloud", [ERROR, *EIGHT[1:]]), *LOCAL, *arm("heuristic", EIGHT)]
        assert finding(records, expression).state is INCONCLUSIVE


class TestNonInferior:
    """The pass rate beside always-cloud's, or an earlier run's."""

    def test_enough_tasks(self) -> None:
        records = [*arm("always-cloud", MANY), *arm("heuristic", MANY)]
        assert said(records, "non-inferior:0.05") == (
            MET,
            "heuristic can stand in for always-cloud: its pass rate is at most .05 lower "
            "(1.00 against 1.00 on 100 tasks)",
        )

    def test_the_margin_is_the_conditions_own(self) -> None:
        records = [*CLOUD, *arm("heuristic", EIGHT)]
        assert finding(records, "non-inferior:0.5").state is MET
        assert finding(records, "non-inferior:0.05").state is INCONCLUSIVE

    def test_too_few_tasks_are_inconclusive_and_say_how_many_it_takes(self) -> None:
        state, why = said([*CLOUD, *arm("heuristic", EIGHT)], "non-inferior:0.05")
        assert state is INCONCLUSIVE
        assert why.startswith("Undecided whether heuristic can stand in for always-cloud: 1.00 against 1.00 on 8 tasks")
        assert why.endswith("at a margin of .05 that takes about 239 more tasks")

    def test_better_is_not_worse(self) -> None:
        records = [*arm("always-cloud", NONE), *arm("heuristic", EIGHT)]
        state, why = said(records, "non-inferior:0.05")
        assert state is MET
        assert why == "heuristic solves more tasks than always-cloud: 1.00 against .00 on 8 tasks"

    def test_inferior_is_not_met(self) -> None:
        state, why = said([*CLOUD, *arm("heuristic", NONE)], "non-inferior:0.05")
        assert state is NOT_MET
        assert why.startswith("Do not put heuristic in place of always-cloud: its pass rate is at least .26 lower")

    def test_worse_by_an_unknown_amount_is_inconclusive(self) -> None:
        state, why = said([*CLOUD, *arm("heuristic", NONE)], "non-inferior:0.3")
        assert state is INCONCLUSIVE
        assert why.endswith("whether its pass rate is .3 lower is open")

    def test_always_cloud_is_the_baseline_itself(self) -> None:
        found = gate([*CLOUD, *LOCAL], "non-inferior:0.05").findings
        assert [(each.line, each.state) for each in found] == [("always-cloud", MET), ("always-local", NOT_MET)]
        assert found[0].why == "non-inferior:0.05: always-cloud is the baseline itself"

    def test_the_family_of_all_that_ran_is_adjusted_for(self) -> None:
        enough = [PASSED] * 75  # p = .0213: enough alone, but not as one of two
        alone = [*arm("always-cloud", enough), *arm("heuristic", enough)]
        assert finding(alone, "non-inferior:0.05").state is MET
        both = [*alone, *arm("cascade", enough)]
        assert {each.state for each in gate(both, "non-inferior:0.05").findings} == {INCONCLUSIVE}


class TestEarlierRun:
    """With an earlier run it is that one which the pass rate is measured by; everything else is as without."""

    @staticmethod
    def judged(new: Sequence[TrialRecord], old: Sequence[TrialRecord], *expressions: str) -> GateResult:
        earlier = Run(Path("results/main"), {**RUN, "run_id": "main"}, tuple(old))
        declared = Declared(0.05, 0.95, tuple(map(parse_condition, expressions)), earlier)
        found = make_report(list(new), RUN, priced, declared).gate
        assert found is not None
        return found

    def test_as_good_as_before(self) -> None:
        (found,) = self.judged(arm("heuristic", MANY), arm("heuristic", MANY), "non-inferior:0.05").findings
        assert found.state is MET
        assert found.why == (
            "non-inferior:0.05: heuristic can stand in for that of run main: its pass rate is at most .05 lower "
            "(1.00 against 1.00 on 100 tasks)"
        )

    def test_worse_than_before(self) -> None:
        result = self.judged(arm("heuristic", NONE), arm("heuristic", EIGHT), "non-inferior:0.05")
        assert result.state is NOT_MET
        assert "Do not put heuristic in place of that of run main: " in result.sentence

    def test_too_little_to_tell(self) -> None:
        assert self.judged(arm("heuristic", EIGHT), arm("heuristic", EIGHT), "non-inferior:0.05").state is INCONCLUSIVE

    def test_errors_are_not_comparable(self) -> None:
        lost = arm("heuristic", [ERROR, *EIGHT[1:]])
        assert self.judged(lost, arm("heuristic", EIGHT), "non-inferior:0.9").state is INCONCLUSIVE

    def test_always_cloud_is_measured_as_any_other(self) -> None:
        (found,) = self.judged(arm("always-cloud", NONE), CLOUD, "non-inferior:0.05").findings
        assert (found.line, found.state) == ("always-cloud", NOT_MET)

    def test_a_strategy_that_did_not_run_then(self) -> None:
        (found,) = self.judged(arm("heuristic", EIGHT), arm("cascade", EIGHT), "non-inferior:0.05").findings
        assert (found.state, found.why) == (
            INCONCLUSIVE,
            "non-inferior:0.05: heuristic has no counterpart in run main",
        )

    def test_savings_stay_those_against_always_cloud(self) -> None:
        new = [*CLOUD, *arm("heuristic", EIGHT)]
        (found,) = self.judged(new, arm("heuristic", EIGHT), "savings>=0.2").findings
        assert found.state is MET

    def test_a_simulated_earlier_run_is_said(self) -> None:
        old = arm("heuristic", MANY, simulated=True)
        assert self.judged(arm("heuristic", MANY), old, "non-inferior:0.05").sentence.endswith(SIMULATED)


class TestWhoIsJudged:
    """Every strategy under test, over everything that ran; the controls only where nothing else ran."""

    def test_routers_and_not_their_controls(self) -> None:
        found = gate(benchmark(), "errors<=0.02").findings
        assert [each.line for each in found] == ["cascade t=12.5", "cascade t=20", "heuristic t=25"]

    def test_controls_alone(self) -> None:
        assert [each.line for each in gate([*CLOUD, *LOCAL], "errors<=0").findings] == ["always-cloud", "always-local"]

    def test_suites_count_together(self) -> None:
        records = [*arm("heuristic", EIGHT, "one"), *arm("heuristic", EIGHT, "two")]
        assert finding(records, "pass_rate>=0.75").state is MET, "sixteen tasks, of which eight would not be enough"

    def test_lines_that_differ_in_models_are_named_so(self) -> None:
        records = [*arm("heuristic", EIGHT), *arm("heuristic", EIGHT, local_model="ollama/tiny")]
        found = gate(records, "non-inferior:0.05", "errors<=0").findings
        names = ["heuristic (ollama/gemma4:31b + openai/gpt-5.5)", "heuristic (ollama/tiny + openai/gpt-5.5)"]
        assert [each.line for each in found] == names * 2
        assert all(each.line in each.why for each in found)


class TestResult:
    """The gate's own word."""

    @staticmethod
    def result(*states: GateState) -> GateResult:
        return GateResult(tuple(Finding("c", "", state, f"reason {at}") for at, state in enumerate(states)), False)

    @pytest.mark.parametrize(
        ("states", "state"),
        [
            ([MET, MET], MET),
            ([MET, INCONCLUSIVE], INCONCLUSIVE),
            ([INCONCLUSIVE, NOT_MET, MET], NOT_MET),
        ],
    )
    def test_it_is_the_gravest(self, states: list[GateState], state: GateState) -> None:
        assert self.result(*states).state is state

    def test_met(self) -> None:
        assert self.result(MET, MET).sentence == "Gate met: every condition holds."

    def test_reasons_are_the_gravest_first(self) -> None:
        found = self.result(INCONCLUSIVE, INCONCLUSIVE, MET, INCONCLUSIVE, NOT_MET, INCONCLUSIVE)
        assert found.sentence == "Gate not met: reason 4; reason 0; reason 1; and 2 more."

    def test_simulated_is_said_whatever_became_of_it(self) -> None:
        records = arm("heuristic", EIGHT, simulated=True)
        for expression, state in (("errors<=0", MET), ("pass_rate>=0.9", INCONCLUSIVE), ("errors>0", NOT_MET)):
            found = gate(records, expression)
            assert found.state is state
            assert found.sentence.endswith(f". {SIMULATED}")
        assert SIMULATED not in gate(arm("heuristic", EIGHT), "errors<=0").sentence

    def test_a_run_that_did_not_end_meets_nothing(self) -> None:
        why = "the session ended early: stopping after 1 failures"
        found = gate(arm("heuristic", EIGHT), "errors<=0", "non-inferior:0.5", stopped=why)
        assert [(each.line, each.state) for each in found.findings] == [("", NOT_MET), ("", NOT_MET)]
        assert found.sentence == f"Gate not met: errors<=0: {why}; non-inferior:0.5: {why}."

    def test_a_run_without_trials_meets_nothing(self) -> None:
        assert gate([], "errors<=0").sentence == "Gate not met: errors<=0: no trial ran."
