import random

import pytest
from catalogue import SHOP
from schedule import CycleError, DuplicateStepError, ScheduleError, UnknownStepError, schedule
from steps import Step


def steps_of(text):
    """Read steps such as `a: b c ?d`, separated by semicolons; a question mark makes a soft dependency."""
    steps = []
    for part in text.split(";"):
        name, _, words = part.partition(":")
        hard = tuple(word for word in words.split() if not word.startswith("?"))
        soft = tuple(word[1:] for word in words.split() if word.startswith("?"))
        steps.append(Step(name.strip(), hard, soft))
    return steps


def plan(text):
    return schedule(steps_of(text))


def order(text):
    return " ".join(plan(text).order)


def batches(text):
    return " | ".join(" ".join(batch) for batch in plan(text).batches)


def cycles(text):
    with pytest.raises(CycleError) as caught:
        plan(text)
    return [" ".join(group) for group in caught.value.groups], " ".join(caught.value.blocked)


# Order


def test_the_order_respects_dependencies():
    assert order("a: b; b: c; c: d; d") == "d c b a"


def test_without_dependencies_steps_stay_in_place():
    assert order("z; b; x; a") == "z b x a"


def test_of_the_ready_steps_the_one_with_the_lowest_position_comes_next():
    assert order("a: e; b; c: b; d; e") == "b c d e a"
    assert order("d; a: c; c: d; b") == "d c a b"
    assert order("q: p; p; b: p; a: b; c: q") == "p q b a c"


def test_the_order_is_the_first_of_all_valid_ones():
    rng = random.Random(11)
    for _ in range(40):
        names = [f"s{number}" for number in range(12)]
        rank = rng.sample(range(12), 12)
        after = {
            name: [names[j] for j in range(12) if rank[j] < rank[i] and rng.random() < 0.2]
            for i, name in enumerate(names)
        }
        placed = []
        while len(placed) < 12:
            placed.append(next(n for n in names if n not in placed and all(d in placed for d in after[n])))
        assert schedule(Step(name, tuple(after[name])) for name in names).order == placed


def test_a_dependency_written_twice_counts_once():
    assert order("a: b b; b: c c ?c; c") == "c b a"
    assert batches("a: b b ?b; b ; c: ?b ?b") == "b | a c"


def test_no_steps_give_an_empty_plan():
    result = schedule([])
    assert (list(result.order), list(result.batches), list(result.dropped)) == ([], [], [])


def test_any_iterable_of_steps_will_do():
    assert schedule(step for step in steps_of("a: b; b")).order == ["b", "a"]


# Batches


def test_each_step_is_in_the_earliest_batch_possible():
    assert batches("a; b: a; c: b; d") == "a d | b | c"
    assert batches("e: c d; d: a; c: b; b: a; a; f: d") == "a | d b | c f | e"
    assert batches("x: a; a; y; b: a; z: b y") == "a y | x b | z"


# Soft dependencies


def test_soft_dependencies_count_like_hard_ones_if_possible():
    assert order("a: ?b; b: ?c; c") == "c b a"
    assert batches("a: ?b; b; c: ?a") == "b | a | c"
    assert plan("a: ?b; b").dropped == []


def test_unknown_soft_dependencies_are_ignored():
    assert order("a: ?nowhere; b: ?a ?gone") == "a b"
    assert plan("a: ?nowhere").dropped == []


def test_a_soft_dependency_against_hard_ones_is_dropped():
    result = plan("a: ?c; b: a; c: b; d: ?c ?a")
    assert (result.order, result.dropped) == (["a", "b", "c", "d"], [("a", "c")])
    assert result.batches == [["a"], ["b"], ["c"], ["d"]]


def test_soft_dependencies_are_decided_in_order():
    result = plan("a: ?b; b: ?c ?a; c: ?a")
    assert (result.order, result.dropped) == (["c", "b", "a"], [("b", "a"), ("c", "a")])
    result = plan("c: ?a; b: ?c ?a; a: ?b")
    assert (result.order, result.dropped) == (["a", "c", "b"], [("a", "b")])


def test_soft_dependencies_of_one_step_are_decided_as_written():
    text = "x: ?{} ?{}; m: n; n: ?x"
    assert plan("x: ?n ?m; n: ?x; m: ?x").dropped == [("n", "x"), ("m", "x")]
    assert plan(text.format("m", "n")).dropped == [("n", "x")]
    assert plan("a: ?a ?b ?a; b: a").dropped == [("a", "a"), ("a", "b")]


def test_only_the_soft_dependencies_that_close_a_cycle_are_dropped():
    result = plan("a: ?d ?e; b: ?a ?f; d: a; e; f")
    assert result.dropped == [("a", "d")]
    assert result.order == ["e", "a", "d", "f", "b"]


def test_a_step_that_softly_depends_on_itself_drops_that():
    result = plan("a: ?a; b: ?b a")
    assert (result.order, result.dropped) == (["a", "b"], [("a", "a"), ("b", "b")])


def test_a_dependency_that_is_also_hard_is_never_dropped():
    result = plan("a: ?b b; b: ?a")
    assert (result.order, result.dropped) == (["b", "a"], [("b", "a")])


def test_the_shop():
    result = schedule(SHOP)
    assert result.order == ["announce", "unpack", "backup", "migrate", "start-web", "warm-cache"]
    assert result.batches == [["announce", "unpack"], ["backup"], ["migrate"], ["start-web"], ["warm-cache"]]


# Errors


def test_several_steps_with_one_name_are_an_error():
    with pytest.raises(DuplicateStepError) as caught:
        plan("c; a; b; a; c: nowhere; a; d")
    assert caught.value.names == ["c", "a"]
    assert isinstance(caught.value, ScheduleError)
    assert issubclass(ScheduleError, ValueError)


def test_all_unknown_hard_dependencies_are_reported():
    with pytest.raises(UnknownStepError) as caught:
        plan("b: z a y z; a: b ?q; c: z")
    assert caught.value.missing == [("b", "z"), ("b", "y"), ("c", "z")]
    assert isinstance(caught.value, ScheduleError)


def test_a_cycle_is_reported_with_all_its_steps():
    assert cycles("x; a: c; b: a; c: b") == (["a b c"], "")
    with pytest.raises(ScheduleError):
        plan("a: b; b: a")


def test_all_groups_are_reported():
    assert cycles("z: y; a: b; y: z; b: a; c: c; d") == (["z y", "a b", "c"], "")


def test_cycles_that_share_steps_are_one_group():
    assert cycles("a: b; b: a c; c: d; d: b; e: f; f: e") == (["a b c d", "e f"], "")


def test_groups_that_depend_on_each_other_are_told_apart():
    assert cycles("a: b; b: a c; c: d; d: c e; e") == (["a b", "c d"], "")


def test_a_step_that_depends_on_itself_is_a_group():
    assert cycles("b; a: a b") == (["a"], "")
    assert cycles("a: b; b: a b; c: c") == (["a b", "c"], "")


def test_steps_that_wait_for_a_cycle_are_blocked_and_in_no_group():
    assert cycles("w: v; a: b; v: a x; b: a; x; y: x; u: w") == (["a b"], "w v u")
    assert cycles("m: a; a: b; b: a; p: m; q: p; p2: c; c: c; n") == (["a b", "c"], "m p q p2")


def test_steps_on_which_a_cycle_depends_are_neither_blocked_nor_in_a_group():
    assert cycles("r; s: r; a: b s; b: a; t: s") == (["a b"], "")


def test_soft_dependencies_play_no_part_in_cycles():
    assert cycles("a: b; b: a; c: ?a; a2: ?b c; d: a ?c") == (["a b"], "d")


# Size


def test_a_long_chain_is_no_problem():
    count = 20_000
    steps = [
        Step(f"s{number}", (f"s{number - 1}",) if number else (), ("s0",) if number == 9 else ())
        for number in range(count)
    ]
    for result in (schedule(steps), schedule(reversed(steps))):
        assert result.order == [f"s{number}" for number in range(count)]
        assert result.batches == [[name] for name in result.order]


def test_a_long_cycle_is_no_problem():
    count = 20_000
    with pytest.raises(CycleError) as caught:
        schedule(Step(f"s{number}", (f"s{(number + 1) % count}",)) for number in range(count))
    assert caught.value.groups == [[f"s{number}" for number in range(count)]]
