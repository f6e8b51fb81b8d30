import pytest
from braille_clock import read, show


def lines(*rows):
    return "\n".join(rows)


def test_a_time_is_shown_in_five_cells():
    assert show(16, 5) == lines("o. oo . .o o.", ".. o. o oo .o", ".. .. o .. ..")


def test_every_digit_has_its_cell():
    assert show(12, 34) == lines("o. o. . oo oo", ".. o. o .. .o", ".. .. o .. ..")
    assert show(9, 58) == lines(".o .o . o. o.", "oo o. o .o oo", ".. .. o .. ..")
    assert show(17, 26) == lines("o. oo . o. oo", ".. oo o o. o.", ".. .. o .. ..")


def test_there_is_no_newline_at_the_end():
    assert show(0, 0) == lines(".o .o . .o .o", "oo oo o oo oo", ".. .. o .. ..")


def test_an_early_hour_begins_with_a_zero():
    assert show(3, 7) == lines(".o oo . .o oo", "oo .. o oo oo", ".. .. o .. ..")


def test_twelve_hours_begin_anew_after_noon():
    assert show(16, 5, twelve=True) == lines(".. oo . .o o.", ".. .o o oo .o", ".. .. o .. ..")
    assert show(22, 5, True) == lines("o. .o . .o o.", ".. oo o oo .o", ".. .. o .. ..")


def test_an_hour_of_one_digit_has_a_blank_cell_only_with_twelve():
    assert show(7, 11, twelve=True) == lines(".. oo . o. o.", ".. oo o .. ..", ".. .. . .. ..")
    assert show(7, 11, twelve=False) == lines(".o oo . o. o.", "oo oo o .. ..", ".. .. o .. ..")


def test_a_minute_of_one_digit_begins_with_a_zero_in_both_modes():
    assert show(10, 1, twelve=True) == lines("o. .o . .o o.", ".. oo o oo ..", ".. .. . .. ..")
    assert show(10, 1) == lines("o. .o . .o o.", ".. oo o oo ..", ".. .. o .. ..")


def test_midnight_is_twelve_before_noon():
    assert show(0, 30, twelve=True) == lines("o. o. . oo .o", ".. o. o .. oo", ".. .. . .. ..")


def test_noon_is_twelve_from_noon_on():
    assert show(12, 0, twelve=True) == lines("o. o. . .o .o", ".. o. o oo oo", ".. .. o .. ..")
    assert show(11, 59, twelve=True) == lines("o. o. . o. .o", ".. .. o .o o.", ".. .. . .. ..")


@pytest.mark.parametrize("time", [(24, 0), (-1, 0), (0, 60), (12, -1), (99, 99)])
def test_a_time_outside_the_day_is_refused(time):
    with pytest.raises(ValueError):
        show(*time)
    with pytest.raises(ValueError):
        show(*time, twelve=True)


def test_every_time_of_the_day_can_be_read_back():
    times = [(hour, minute) for hour in range(24) for minute in range(60)]
    assert [read(show(*time)) for time in times] == times


def test_one_newline_at_the_end_may_be_read():
    assert read(show(23, 45) + "\n") == (23, 45)


@pytest.mark.parametrize(
    "text",
    [
        "",
        lines("o. o. . oo oo", ".. o. o .. .o"),
        lines("o. o. . oo oo", ".. o. o .. .o", ".. .. o .. ..", ".. .. o .. .."),
        lines("o. o. . oo oo", ".. o. o .. .o", ".. .. o .. ..", "", ""),
        lines("o. o. . oo oo o.", ".. o. o .. .o ..", ".. .. o .. .. .."),
    ],
    ids=["empty", "two lines", "four lines", "two newlines", "six cells"],
)
def test_a_text_of_the_wrong_shape_is_not_read(text):
    with pytest.raises(ValueError):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        lines("o. o. . oo .o", ".. o. o .. .o", ".. .. o .. .."),
        lines("o. o. . oo oo", ".. o. o .. .o", ".. o. o .. .."),
        lines("o. o. o oo oo", ".. o. o .. .o", ".. .. o .. .."),
        lines("o. o. . oo oo", ".. o. o .. .o", ".. .. . .. .."),
        lines(".. oo . o. o.", ".. oo o .. ..", ".. .. o .. .."),
        lines("o. o.  . oo oo", ".. o.  o .. .o", ".. ..  o .. .."),
    ],
    ids=["no digit", "third row", "colon", "colon of the morning", "blank cell", "two spaces"],
)
def test_a_text_with_a_wrong_cell_is_not_read(text):
    with pytest.raises(ValueError):
        read(text)


def test_a_time_outside_the_day_is_not_read():
    with pytest.raises(ValueError):
        read(lines("o. o. . .o .o", "o. .o o oo oo", ".. .. o .. .."))
    with pytest.raises(ValueError):
        read(lines("o. o. . oo .o", ".. o. o o. oo", ".. .. o .. .."))
