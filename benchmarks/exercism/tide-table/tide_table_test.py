import pytest
from tide_table import depth_at, next_passage

TABLE = [("05:30", "08:00", 420), ("13:00", "16:20", 510), ("22:45", "01:15", 380)]


def depths(table, *times):
    return [depth_at(table, time) for time in times]


def test_a_window_holds_from_its_start_until_just_before_its_end():
    assert depths(TABLE, "05:29", "05:30", "06:59", "07:59", "08:00") == [None, 420, 420, 420, None]
    assert depths(TABLE, "12:59", "13:00", "16:19", "16:20") == [None, 510, 510, None]


def test_a_window_can_run_past_midnight():
    assert depths(TABLE, "22:44", "22:45", "23:59", "00:00", "01:14") == [None, 380, 380, 380, 380]
    assert depth_at(TABLE, "01:15") is None


@pytest.mark.parametrize("time", ["09:10", "09:09", "00:00", "23:59"])
def test_a_window_that_ends_at_its_start_lasts_the_whole_day(time):
    assert depth_at([("09:10", "09:10", 250)], time) == 250


def test_a_later_window_counts_though_it_is_shallower():
    table = [("10:00", "14:00", 500), ("11:00", "12:00", 300)]
    assert depths(table, "10:59", "11:00", "11:59", "12:00") == [500, 300, 300, 500]


def test_a_later_window_counts_though_it_begins_earlier():
    table = [("11:00", "12:00", 300), ("10:00", "14:00", 200)]
    assert depth_at(table, "11:30") == 200


def test_a_ship_can_pass_at_once():
    assert next_passage(TABLE, "13:47", 510) == "13:47"


def test_a_ship_waits_for_the_first_window_that_is_deep_enough():
    assert next_passage(TABLE, "04:00", 400) == "05:30"
    assert next_passage(TABLE, "04:00", 421) == "13:00"


def test_a_draught_equal_to_the_depth_is_fine_and_a_greater_one_is_not():
    assert next_passage(TABLE, "09:00", 510) == "13:00"
    assert next_passage(TABLE, "09:00", 511) is None


def test_the_end_of_a_window_is_too_late():
    assert next_passage(TABLE, "07:59", 420) == "07:59"
    assert next_passage(TABLE, "08:00", 420) == "13:00"


def test_the_search_goes_on_the_next_day():
    assert next_passage(TABLE, "16:20", 400) == "05:30"


def test_the_next_day_is_searched_up_to_the_time_itself():
    assert next_passage([("07:00", "07:01", 300)], "07:01", 300) == "07:00"


def test_a_passage_can_begin_at_midnight():
    table = [("22:00", "02:00", 400), ("22:00", "00:00", 100)]
    assert next_passage(table, "21:00", 300) == "00:00"


def test_a_passage_can_begin_when_a_correction_ends():
    table = [("10:00", "14:00", 500), ("09:30", "11:05", 300)]
    assert next_passage(table, "09:00", 400) == "11:05"


def test_no_ship_passes_where_no_window_holds():
    assert next_passage([("18:00", "19:00", 200)], "12:00", 0) == "18:00"
    assert next_passage([], "12:00", 0) is None


@pytest.mark.parametrize(
    "time", ["7:30", "24:00", "12:60", "07.30", "07:30 ", "07:30\n", "0730", "\u0660\u0667:30", ""]
)
def test_an_invalid_time_is_refused(time):
    with pytest.raises(ValueError):
        depth_at(TABLE, time)
    with pytest.raises(ValueError):
        next_passage(TABLE, time, 100)


@pytest.mark.parametrize("window", [("07:00", "24:00", 300), ("7:00", "08:00", 300)])
def test_an_invalid_time_in_the_table_is_refused_wherever_it_stands(window):
    with pytest.raises(ValueError):
        depth_at([*TABLE, window], "14:00")
    with pytest.raises(ValueError):
        next_passage([window, *TABLE], "14:00", 100)
