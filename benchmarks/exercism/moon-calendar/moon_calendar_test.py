import pytest
from moon_calendar import add_months, date_of, day_number, weekday


def test_the_first_day_has_number_zero():
    assert day_number((1, 1, 1)) == 0
    assert date_of(0) == (1, 1, 1)


@pytest.mark.parametrize(
    ("date", "number"),
    [((1, 1, 30), 29), ((1, 2, 1), 30), ((1, 2, 29), 58), ((1, 3, 1), 59), ((1, 12, 29), 353), ((2, 1, 1), 354)],
)
def test_months_have_30_and_29_days_in_turn(date, number):
    assert day_number(date) == number
    assert date_of(number) == date


def test_a_long_year_has_a_thirteenth_month():
    assert day_number((4, 13, 1)) == 4 * 354
    assert day_number((4, 13, 27)) + 1 == day_number((5, 1, 1)) == 4 * 354 + 27
    assert date_of(4 * 354 + 26) == (4, 13, 27)
    assert date_of(4 * 354 + 27) == (5, 1, 1)


@pytest.mark.parametrize(
    ("year", "days"),
    [(3, 354), (4, 381), (36, 354), (72, 354), (108, 354), (180, 381), (360, 381), (40, 381), (90, 354)],
)
def test_the_length_of_a_year_follows_the_rule_of_long_years(year, days):
    assert day_number((year + 1, 1, 1)) - day_number((year, 1, 1)) == days


def test_later_years_count_all_long_years_before_them():
    assert day_number((37, 1, 1)) == 36 * 354 + 8 * 27
    assert day_number((181, 1, 1)) == 180 * 354 + 41 * 27
    assert day_number((20000, 1, 1)) == 19999 * 354 + (4999 - 555 + 111) * 27


def test_every_date_and_its_number_belong_together():
    numbers = [*range(0, 3000), *range(63700, 65000), *range(7200000, 7200400, 13)]
    dates = [date_of(number) for number in numbers]
    assert [day_number(date) for date in dates] == numbers
    assert dates == sorted(dates)
    assert (180, 13, 27) in dates


def test_the_weekday_of_the_first_day_is_3():
    assert [weekday((1, 1, day)) for day in range(1, 10)] == [3, 4, 5, 6, 7, 8, 1, 2, 3]


def test_weeks_run_through_months_and_years():
    assert weekday((1, 2, 1)) == 1
    assert [weekday((3, 12, 29)), weekday((4, 1, 1))] == [8, 1]
    assert [weekday((4, 13, 27)), weekday((5, 1, 1))] == [5, 6]


def test_months_are_added_within_a_year():
    assert add_months((2, 3, 14), 5) == (2, 8, 14)
    assert add_months((2, 3, 14), 0) == (2, 3, 14)
    assert add_months((2, 8, 14), -7) == (2, 1, 14)


def test_a_day_that_the_month_does_not_have_becomes_its_last():
    assert add_months((1, 1, 30), 1) == (1, 2, 29)
    assert add_months((4, 12, 29), 1) == (4, 13, 27)
    assert add_months((5, 1, 30), -1) == (4, 13, 27)
    assert add_months((1, 1, 30), 2) == (1, 3, 30)


def test_a_year_that_is_not_long_has_twelve_months_to_count():
    assert add_months((1, 1, 30), 13) == (2, 2, 29)
    assert add_months((1, 12, 5), 1) == (2, 1, 5)
    assert add_months((2, 1, 5), -1) == (1, 12, 5)


def test_the_thirteenth_month_counts():
    assert add_months((4, 12, 5), 2) == (5, 1, 5)
    assert add_months((4, 13, 5), 1) == (5, 1, 5)
    assert add_months((3, 6, 5), 25) == (5, 6, 5)
    assert add_months((5, 1, 5), -13) == (4, 1, 5)
    assert add_months((36, 12, 5), 1) == (37, 1, 5)
    assert add_months((7, 12, 5), 13) == (8, 13, 5)


def test_many_months_are_added():
    assert add_months((1, 1, 1), 180 * 12 + 41) == (181, 1, 1)
    assert add_months((181, 1, 1), -180 * 12 - 41) == (1, 1, 1)


@pytest.mark.parametrize("function", [day_number, weekday, lambda date: add_months(date, 30)])
def test_a_date_that_does_not_exist_is_refused(function):
    dates = [(0, 1, 1), (-4, 1, 1), (1, 0, 1), (1, 13, 1), (4, 14, 1), (1, 2, 30), (1, 1, 31), (4, 13, 28), (1, 1, 0)]
    for date in dates:
        with pytest.raises(ValueError):
            function(date)


def test_a_negative_day_number_has_no_date():
    with pytest.raises(ValueError):
        date_of(-1)


def test_no_month_lies_before_the_first():
    with pytest.raises(ValueError):
        add_months((1, 1, 1), -1)
    with pytest.raises(ValueError):
        add_months((2, 5, 1), -17)
    assert add_months((2, 5, 1), -16) == (1, 1, 1)
