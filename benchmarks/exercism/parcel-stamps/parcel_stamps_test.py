import signal

import pytest
from parcel_stamps import stamps


@pytest.mark.parametrize(
    ("price", "drawer", "expected"),
    [
        (60, {50: 2, 30: 4, 5: 10}, [30, 30]),
        (48, {25: 5, 16: 5, 1: 8}, [16, 16, 16]),
        (140, {100: 1, 70: 2, 10: 9}, [70, 70]),
    ],
)
def test_taking_the_largest_stamp_first_is_not_always_best(price, drawer, expected):
    assert stamps(price, drawer) == expected


def test_no_more_stamps_are_used_than_the_drawer_has():
    assert stamps(60, {50: 2, 30: 1, 5: 10}) == [50, 5, 5]
    assert stamps(90, {30: 2, 10: 2, 5: 2}) == [30, 30, 10, 10, 5, 5]


def test_a_stamp_of_which_none_is_left_is_not_used():
    assert stamps(80, {80: 0, 40: 2}) == [40, 40]


def test_all_stamps_of_a_value_can_be_used():
    assert stamps(28, {7: 4, 1: 8}) == [7, 7, 7, 7]


def test_the_largest_stamp_is_first():
    assert stamps(78, {3: 1, 25: 1, 50: 1}) == [50, 25, 3]


@pytest.mark.parametrize(
    ("price", "drawer", "expected"),
    [
        (40, {30: 1, 25: 1, 20: 2, 15: 1, 10: 1}, [30, 10]),
        (22, {12: 1, 11: 2, 10: 1, 1: 8}, [12, 10]),
        (60, {40: 1, 19: 1, 18: 1, 2: 1, 1: 1, 30: 1, 29: 1}, [40, 19, 1]),
        (90, {50: 1, 25: 1, 20: 2, 30: 3, 15: 1}, [50, 25, 15]),
    ],
)
def test_of_equally_short_lists_the_one_with_larger_stamps_in_front_is_taken(price, drawer, expected):
    assert stamps(price, drawer) == expected


def test_the_order_of_the_drawer_does_not_matter():
    assert stamps(40, {20: 2, 30: 1, 10: 1}) == [30, 10]
    assert stamps(40, {10: 1, 30: 1, 20: 2}) == [30, 10]
    assert stamps(41, {1: 1, 15: 2, 10: 4}) == [15, 15, 10, 1]


@pytest.mark.parametrize(
    ("price", "drawer"),
    [(35, {20: 1, 10: 1}), (30, {20: 1}), (40, {30: 5}), (7, {}), (25, {10: 9}), (5, {10: 1})],
)
def test_a_price_that_cannot_be_made_up_gives_none(price, drawer):
    assert stamps(price, {**drawer, 60: 3}) is None
    assert stamps(price + 1, {**drawer, price + 1: 1}) == [price + 1], "it can with the right stamp"


def test_a_price_of_zero_needs_no_stamp():
    assert stamps(0, {50: 2}) == []
    assert stamps(0, {}) == []


def test_a_negative_price_is_refused():
    with pytest.raises(ValueError):
        stamps(-1, {1: 5})


def test_the_drawer_stays_as_it_is():
    drawer = {50: 2, 30: 4, 5: 10, 2: 0}
    stamps(60, drawer)
    assert list(drawer.items()) == [(50, 2), (30, 4), (5, 10), (2, 0)]


@pytest.fixture
def two_seconds():
    """Gives the test two seconds of processor time."""

    def stop(signum, frame):
        raise TimeoutError("more than two seconds")

    previous = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 2)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, previous)


def test_a_large_price_and_a_full_drawer_are_no_problem(two_seconds):
    drawer = dict.fromkeys(range(5, 105, 5), 12) | {103: 3}
    assert stamps(3003, drawer) == [103] + [100] * 12 + [95] * 12 + [90] * 6 + [20]
