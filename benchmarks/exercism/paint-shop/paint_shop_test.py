import copy

import pytest
from paint_shop import mix

POTS = {"teal": 5, "rust": 9, "plum": 7}


def least(colour, strength):
    return (colour, "min", strength)


def most(colour, strength):
    return (colour, "max", strength)


def check(customers, expected, strongest=POTS):
    if expected is not None:
        expected = {**dict.fromkeys(strongest, 0), **expected}
    assert mix(strongest, customers) == expected


def test_example_of_the_instructions():
    customers = [[most("teal", 2), least("rust", 4)], [least("teal", 3)]]
    assert mix({"teal": 5, "rust": 9}, customers) == {"teal": 3, "rust": 4}


def test_without_customers_nothing_needs_pigment():
    check([], {})
    assert mix({}, []) == {}


def test_single_wish_is_met_with_as_little_as_possible():
    check([[least("plum", 6)]], {"plum": 6})
    check([[most("plum", 6)]], {})


def test_largest_of_several_wishes_for_a_colour_counts():
    check([[least("plum", 6)], [least("plum", 2)]], {"plum": 6})
    check([[least("plum", 2)], [least("plum", 6)], [least("plum", 4)]], {"plum": 6})


def test_customer_who_is_content_needs_no_pigment():
    check([[least("plum", 6), most("teal", 0)], [least("rust", 1), most("rust", 0)]], {})


def test_strength_equal_to_the_wish_meets_it():
    check([[least("teal", 3)], [most("teal", 3), least("rust", 9)]], {"teal": 3})


def test_customer_becomes_discontent_later():
    check([[most("teal", 2), least("rust", 4)], [least("teal", 3)]], {"teal": 3, "rust": 4})
    check([[least("teal", 3)], [most("teal", 2), least("rust", 4)]], {"teal": 3, "rust": 4})


def test_one_change_leads_to_another():
    customers = [
        [most("rust", 7), least("plum", 5)],
        [most("teal", 1), least("rust", 8)],
        [most("plum", 4), least("teal", 5)],
        [least("teal", 2)],
    ]
    check(customers, {"teal": 5, "rust": 8, "plum": 5})
    check(customers[::-1], {"teal": 5, "rust": 8, "plum": 5})


def test_any_max_wish_is_enough():
    check(
        [[most("teal", 0), most("rust", 3), least("plum", 7)], [least("teal", 4)], [least("rust", 3)]],
        {"teal": 4, "rust": 3},
    )


def test_wishes_for_the_same_colour_leave_a_gap():
    check([[most("teal", 1), least("teal", 4)], [least("teal", 1)]], {"teal": 1})
    check([[most("teal", 1), least("teal", 4)], [least("teal", 2)]], {"teal": 4})


def test_strongest_possible_strength_can_be_used():
    check([[least("teal", 5)]], {"teal": 5})


def test_more_than_the_strongest_is_impossible():
    check([[least("teal", 6)]], None)
    check([[least("teal", 6), most("rust", 2)], [least("rust", 3)]], None)


def test_wish_that_can_not_be_met_does_no_harm_if_another_is_met():
    check([[least("teal", 6), most("rust", 2)], [least("rust", 2)]], {"rust": 2})


def test_strengths_below_zero():
    check([[least("teal", -3)]], {})
    check([[most("teal", -1)]], None)
    check([[most("teal", -1), least("plum", 2)]], {"plum": 2})


def test_contradiction_is_impossible():
    check([[least("teal", 3)], [most("teal", 2)]], None)
    check([[most("teal", 2)], [least("teal", 3)]], None)
    check([[most("teal", 2), most("rust", 2)], [least("teal", 3)], [least("rust", 3)]], None)


def test_customer_without_wishes_is_never_content():
    check([[]], None)
    check([[most("teal", 3)], []], None)


@pytest.mark.parametrize(
    "customer",
    [
        [("pink", "min", 1)],
        [("teal", "max", 1), ("pink", "max", 1)],
        [("teal", "exactly", 1)],
        [("teal", "max", 1), ("rust", "Min", 1)],
        [("teal", "min", 1), ("rust", "min", 1)],
        [("teal", "min", 1), ("plum", "max", 4), ("teal", "min", 1)],
    ],
)
def test_wrong_wishes_are_refused(customer):
    for customers in ([customer], [[most("plum", 3)], customer], [[least("teal", 99)], customer]):
        with pytest.raises(ValueError):
            mix(POTS, customers)


def test_arguments_are_not_changed():
    arguments = (dict(POTS), [[most("teal", 2), least("rust", 4)], [least("teal", 3)]])
    before = copy.deepcopy(arguments)
    first = mix(*arguments)
    assert first == mix(*arguments) == {"teal": 3, "rust": 4, "plum": 0}
    assert arguments == before


def test_long_chain_in_the_worst_order():
    pots = {f"colour {n}": 1_000_000 for n in range(300)}
    chain = [[most(f"colour {n}", 0), least(f"colour {n + 1}", 1_000_000 - n)] for n in range(299)]
    customers = [*reversed(chain), [least("colour 0", 7)]]
    expected = {"colour 0": 7, **{f"colour {n + 1}": 1_000_000 - n for n in range(299)}}
    check(customers, expected, pots)
    check(chain, {}, pots)
