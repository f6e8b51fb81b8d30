import copy

import pytest
from book_bundles import lowest_price

PRICES = {"Atlas": 900, "Birds": 500, "Chess": 700, "Drama": 300}


def check(bundles, order, expected, prices=None):
    prices = PRICES if prices is None else prices
    titles = {title[0]: title for title in ["Atlas", "Birds", "Chess", "Drama", "Echo"]}
    bundles = [([titles[letter] for letter in letters], price, limit) for letters, price, limit in bundles]
    assert lowest_price(prices, bundles, [titles[letter] for letter in order]) == expected


def test_empty_order_costs_nothing():
    check([("AB", 1000, None)], "", 0)


def test_single_books_are_added_up():
    check([], "ABBD", 2200)


def test_bundle_is_cheaper_than_its_books():
    check([("AB", 1000, None)], "BA", 1000)


def test_dear_bundle_is_not_bought():
    check([("AB", 1500, None)], "AB", 1400)


def test_bundle_without_limit_is_bought_again():
    check([("AB", 1000, None)], "ABABABC", 3700)


def test_bundle_is_bought_no_more_often_than_its_limit():
    check([("AB", 1000, 2)], "ABABAB", 3400)


def test_bundle_with_limit_nought_is_not_sold():
    check([("AB", 1000, 0)], "AB", 1400)


def test_two_equal_bundles_have_a_limit_each():
    check([("AB", 1000, 1), ("AB", 1000, 1)], "ABABAB", 3400)


def test_cheaper_of_two_prices_for_the_same_books_is_used_first():
    check([("AB", 1100, None), ("AB", 1000, 1)], "ABAB", 2100)


def test_title_may_stand_several_times_in_a_bundle():
    check([("BBB", 900, None)], "BBB", 900)
    check([("ADD", 1200, None)], "ADAD", 2100)


def test_more_copies_than_wanted_are_bought_if_that_is_cheaper():
    check([("BBB", 900, None)], "BB", 900)


def test_wanted_book_is_bought_in_a_bundle_with_others_if_that_is_cheaper():
    check([("AC", 800, None)], "A", 800)


def test_bundle_may_hold_titles_without_a_price():
    check([("AE", 800, None)], "AB", 1300)


def test_title_sold_in_bundles_only_is_bought_there():
    check([("EAB", 2000, None)], "EE", 4000)


def test_largest_bundle_is_not_always_the_best_start():
    check([("ABCD", 1900, None), ("ABC", 1300, None), ("AD", 800, None)], "ABCAD", 2100)


def test_largest_saving_is_not_always_the_best_start():
    check([("AC", 1000, None), ("AB", 950, None), ("CD", 600, None)], "ABCD", 1550)


def test_overlapping_bundles_are_bought_if_that_is_cheaper():
    check([("AB", 850, None), ("BC", 600, None)], "ABC", 1450)
    check([("ABB", 900, None), ("BBC", 600, None)], "ABBBC", 1500)


def test_free_bundle_is_bought():
    check([("BD", 0, 1)], "BBDD", 800)


def test_title_that_is_not_sold_at_all_is_refused():
    with pytest.raises(ValueError):
        lowest_price(PRICES, [(["Atlas", "Birds"], 1000, None)], ["Atlas", "Echo"])


def test_order_beyond_the_limit_of_its_only_bundle_is_refused():
    with pytest.raises(ValueError):
        lowest_price(PRICES, [(["Echo"], 100, 2)], ["Echo", "Echo", "Echo"])


def test_limits_of_several_bundles_together_can_meet_the_order():
    check([("E", 100, 2), ("EA", 150, 1)], "EEE", 350)


def test_large_order_is_answered_in_time():
    bundles = [
        ("ABCD", 1700, None),
        ("ABC", 1450, 3),
        ("BCD", 1050, None),
        ("AAD", 1500, 2),
        ("BB", 780, None),
        ("CCDD", 1490, None),
        ("AC", 1200, None),
        ("ABBCCD", 2400, 1),
        ("DDDD", 900, None),
        ("AB", 1090, None),
    ]
    check(bundles, "A" * 5 + "B" * 5 + "C" * 5 + "D" * 5, 8350)


def test_arguments_are_not_changed():
    arguments = ({"Atlas": 900}, [(["Atlas", "Atlas"], 1500, 1)], ["Atlas", "Atlas", "Atlas"])
    before = copy.deepcopy(arguments)
    assert lowest_price(*arguments) == 2400
    assert arguments == before
