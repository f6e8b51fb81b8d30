import copy

import pytest
from paint_shop import mix

POTS = {"teal": 5, "rust": 9, "plum": 7}


def check(rules, expected, strongest=POTS):
    if expected is not None:
        expected = {**dict.fromkeys(strongest, 0), **expected}
    assert mix(strongest, rules) == expected


def test_example_of_the_instructions():
    rules = [([("teal", 2)], ("rust", 1, "teal")), ([], ("teal", 3))]
    assert mix({"teal": 5, "rust": 9}, rules) == {"teal": 3, "rust": 4}


def test_without_rules_nothing_needs_pigment():
    check([], {})
    assert mix({}, []) == {}


def test_rule_without_conditions_is_always_in_force():
    check([([], ("plum", 6))], {"plum": 6})


def test_largest_demand_for_a_colour_counts():
    check([([], ("plum", 6)), ([], ("plum", 2))], {"plum": 6})
    check([([], ("plum", 2)), ([], ("plum", 6)), ([], ("plum", 4))], {"plum": 6})


def test_rule_is_not_in_force_below_its_condition():
    check([([("teal", 1)], ("plum", 6))], {})
    check([([], ("teal", 2)), ([("teal", 3)], ("plum", 6))], {"teal": 2})


def test_strength_equal_to_the_condition_meets_it():
    check([([], ("teal", 3)), ([("teal", 3)], ("plum", 6))], {"teal": 3, "plum": 6})


def test_all_conditions_must_be_met():
    rules = [([("teal", 2), ("rust", 3)], ("plum", 7)), ([], ("teal", 4))]
    check(rules, {"teal": 4})
    check([*rules, ([], ("rust", 2))], {"teal": 4, "rust": 2})
    check([*rules, ([], ("rust", 3))], {"teal": 4, "rust": 3, "plum": 7})


def test_one_colour_may_be_in_several_conditions():
    rules = [([("teal", 2), ("teal", 4)], ("plum", 1))]
    check([*rules, ([], ("teal", 3))], {"teal": 3})
    check([*rules, ([], ("teal", 4))], {"teal": 4, "plum": 1})


def test_one_demand_leads_to_another():
    rules = [
        ([("rust", 8)], ("plum", 5)),
        ([("teal", 2)], ("rust", 8)),
        ([("plum", 5)], ("teal", 5)),
        ([], ("teal", 2)),
    ]
    check(rules, {"teal": 5, "rust": 8, "plum": 5})
    check(rules[::-1], {"teal": 5, "rust": 8, "plum": 5})


def test_surplus_is_added_to_the_other_colour():
    check([([], ("teal", 3)), ([], ("plum", 2, "teal"))], {"teal": 3, "plum": 5})
    check([([], ("plum", 2, "teal"))], {"plum": 2})
    check([([], ("teal", 3)), ([], ("plum", 0, "teal"))], {"teal": 3, "plum": 3})


def test_surplus_follows_a_colour_that_gets_stronger():
    check([([], ("plum", 2, "teal")), ([], ("teal", 3))], {"teal": 3, "plum": 5})
    rules = [([], ("teal", 1)), ([], ("plum", 2, "teal")), ([("plum", 3)], ("teal", 4))]
    check(rules, {"teal": 4, "plum": 6})


def test_negative_surplus():
    check([([], ("rust", 8)), ([], ("plum", -3, "rust"))], {"rust": 8, "plum": 5})
    check([([], ("rust", 2)), ([], ("plum", -3, "rust"))], {"rust": 2})


def test_surplus_only_counts_if_the_rule_is_in_force():
    check([([], ("teal", 2)), ([("teal", 3)], ("plum", 2, "teal"))], {"teal": 2})
    check([([], ("teal", 3)), ([("rust", 1)], ("plum", 2, "teal"))], {"teal": 3})


def test_colours_that_must_follow_each_other():
    check([([], ("teal", 0, "rust")), ([], ("rust", 0, "teal")), ([], ("rust", 4))], {"teal": 4, "rust": 4})
    check([([], ("teal", 1, "rust")), ([], ("rust", -1, "teal")), ([], ("rust", 4))], {"teal": 5, "rust": 4})
    check([([], ("teal", 1, "rust")), ([], ("rust", 0, "teal"))], None)


def test_surplus_over_the_colour_itself():
    check([([], ("teal", 0, "teal")), ([], ("plum", -1, "plum")), ([], ("plum", 2))], {"plum": 2})
    check([([], ("teal", 1, "teal"))], None)


def test_strongest_possible_strength_can_be_used():
    check([([], ("teal", 5)), ([], ("plum", 2, "teal"))], {"teal": 5, "plum": 7})


def test_more_than_the_strongest_is_impossible():
    check([([], ("teal", 6))], None)
    check([([], ("teal", 5)), ([], ("plum", 3, "teal"))], None)
    check([([("rust", 3)], ("teal", 6)), ([], ("rust", 3))], None)


def test_demand_that_can_not_be_met_does_no_harm_if_the_rule_is_not_in_force():
    check([([("rust", 3)], ("teal", 6)), ([], ("rust", 2))], {"rust": 2})
    check([([("rust", 10)], ("teal", 6)), ([], ("rust", 9))], {"rust": 9})


def test_strengths_below_zero():
    check([([], ("teal", -3))], {})
    check([([("teal", -1)], ("plum", 2))], {"plum": 2})
    check([([("teal", 0)], ("plum", 2))], {"plum": 2})


def test_rule_that_must_not_be_in_force():
    quarrel = ([("teal", 3), ("rust", 3)], None)
    check([quarrel], {})
    check([quarrel, ([], ("teal", 5)), ([], ("rust", 2))], {"teal": 5, "rust": 2})
    check([quarrel, ([], ("teal", 3)), ([], ("rust", 3))], None)
    check([([], ("teal", 3)), ([], ("rust", 3)), quarrel], None)
    check([([], None)], None)


def test_rule_that_comes_into_force_late_but_must_not():
    check([([("plum", 4)], None), ([("rust", 2)], ("plum", 2, "rust")), ([], ("rust", 2))], None)
    check([([("plum", 5)], None), ([("rust", 2)], ("plum", 2, "rust")), ([], ("rust", 2))], {"rust": 2, "plum": 4})


@pytest.mark.parametrize(
    "rule",
    [
        ([], ("pink", 1)),
        ([], ("teal", 1, "pink")),
        ([("teal", 5), ("pink", 1)], ("teal", 1)),
        ([("teal", 5), ("pink", 1)], None),
    ],
)
def test_unknown_colours_are_refused(rule):
    for rules in ([rule], [([], ("plum", 3)), rule], [([], None), rule], [rule, ([], ("teal", 99))]):
        with pytest.raises(ValueError):
            mix(POTS, rules)


def test_arguments_are_not_changed():
    arguments = (dict(POTS), [([("teal", 2)], ("rust", 1, "teal")), ([], ("teal", 3))])
    before = copy.deepcopy(arguments)
    first = mix(*arguments)
    assert first == mix(*arguments) == {"teal": 3, "rust": 4, "plum": 0}
    assert arguments == before


def test_long_chain_in_the_worst_order():
    pots = {f"colour {n}": 100 for n in range(100)}
    chain = [([(f"colour {n}", 1)], (f"colour {n + 1}", n % 2, f"colour {n}")) for n in range(99)]
    expected = {f"colour {n}": 7 + n // 2 for n in range(100)}
    check([*reversed(chain), ([], ("colour 0", 7))], expected, pots)
    check(chain, {}, pots)
