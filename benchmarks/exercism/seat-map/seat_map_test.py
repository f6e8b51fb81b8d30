import pytest
from seat_map import seat, seat_all


def places(row, first, last):
    return [(row, place) for place in range(first, last + 1)]


def test_a_group_sits_side_by_side_from_the_left():
    assert seat(["....."], 3) == places(0, 0, 2)
    assert seat(["....."], 5) == places(0, 0, 4)


def test_a_group_too_large_for_the_row_gets_nothing():
    assert seat(["....", "...."], 5) is None
    assert seat([], 1) is None
    assert seat(["...", "......", "..."], 4) == places(1, 0, 3)


@pytest.mark.parametrize(
    ("plan", "row"),
    [
        (["..", "..", ".."], 1),
        (["..", "..", "..", ".."], 1),
        (["..", "  ", ".."], 0),
        (["..", "  ", "  ", ".."], 0),
        ([" ", " ", " ", "..", ".."], 3),
        (["..", "  ", "  ", ".."], 0),
        (["..", "  ", "  ", "..", "  "], 3),
    ],
)
def test_the_row_nearest_to_the_middle_is_best_and_then_that_nearer_to_the_stage(plan, row):
    assert seat(plan, 2) == places(row, 0, 1)


def test_a_distance_is_kept_from_taken_seats():
    assert seat(["#....#..."], 2) == places(0, 2, 3)
    assert seat(["#...#...."], 2) == places(0, 6, 7)
    assert seat([".#."], 1) is None


def test_a_distance_is_kept_on_the_right_side_too():
    assert seat(["..#...."], 2) == places(0, 4, 5)
    assert seat(["...#"], 2) == places(0, 0, 1)
    assert seat(["...#"], 3) is None


def test_a_space_separates_seats():
    assert seat([".. ..."], 3) == places(0, 3, 5)
    assert seat([".. .. .."], 3) is None


def test_no_distance_is_kept_across_a_space():
    assert seat(["# .. #"], 2) == places(0, 2, 3)


def test_taken_seats_in_other_rows_do_not_matter():
    assert seat(["##", "..", "##"], 2) == places(1, 0, 1)


def test_rows_may_have_different_lengths():
    assert seat([".", "", "...."], 2) == places(2, 0, 1)
    assert seat(["....", "..", "....."], 3) == places(0, 0, 2)


def test_persons_without_wheelchair_do_not_get_wheelchair_places():
    assert seat(["w...."], 2) == places(0, 1, 2)
    assert seat([".w.w."], 2) is None


def test_wheelchairs_get_only_wheelchair_places():
    assert seat(["..ww.."], 1, 1) == places(0, 2, 2)
    assert seat(["..ww.."], 2, 2) == places(0, 2, 3)
    assert seat(["..w.."], 2, 2) is None


def test_a_group_with_wheelchairs_sits_together():
    assert seat(["...w.."], 3, 1) == places(0, 1, 3)
    assert seat(["w.. ..w."], 4, 1) == places(0, 4, 7)
    assert seat(["w.w."], 3, 2) == places(0, 0, 2)
    assert seat(["w...", "...w"], 4, 2) is None


def test_exactly_as_many_wheelchair_places_as_needed_are_used():
    assert seat(["ww.."], 2, 1) == places(0, 1, 2)
    assert seat(["ww", "w."], 2, 1) == places(1, 0, 1)


def test_a_group_keeps_distance_from_a_taken_wheelchair_place_but_not_from_a_free_one():
    assert seat(["w..w"], 2) == places(0, 1, 2)
    assert seat(["#..w"], 2, 1) == places(0, 2, 3)


def test_groups_are_seated_one_after_the_other():
    given, plan = seat_all(["......."], [("Auk", 2, 0), ("Tern", 3, 0)])
    assert given == {"Auk": places(0, 0, 1), "Tern": places(0, 3, 5)}
    assert plan == ["##.###."]


def test_a_group_without_places_does_not_stop_the_others():
    given, plan = seat_all(["....", ".."], [("Auk", 2, 0), ("Tern", 5, 0), ("Gull", 2, 0), ("Kite", 1, 0)])
    assert given == {"Auk": places(0, 0, 1), "Tern": None, "Gull": places(1, 0, 1), "Kite": places(0, 3, 3)}
    assert list(given) == ["Auk", "Tern", "Gull", "Kite"]
    assert plan == ["##.#", "##"]


def test_groups_move_to_rows_further_from_the_middle():
    given, plan = seat_all(["...", "...", "..."], [(name, 2, 0) for name in ("b", "a", "d", "c")])
    assert given == {"b": places(1, 0, 1), "a": places(0, 0, 1), "d": places(2, 0, 1), "c": None}
    assert list(given) == ["b", "a", "d", "c"]
    assert plan == ["##.", "##.", "##."]


def test_taken_wheelchair_places_are_taken():
    given, plan = seat_all(["w.w ."], [("Auk", 2, 1), ("Tern", 1, 1), ("Gull", 1, 0)])
    assert given == {"Auk": places(0, 0, 1), "Tern": None, "Gull": places(0, 4, 4)}
    assert plan == ["##w #"]


def test_no_groups_leave_the_plan_as_it_is():
    assert seat_all(["..", "w#"], []) == ({}, ["..", "w#"])


def test_the_list_that_is_passed_stays_as_it_is():
    plan = ["...", "..."]
    seat(plan, 2)
    _, after = seat_all(plan, [("Auk", 2, 0)])
    assert plan == ["...", "..."]
    assert after == ["##.", "..."]


def test_the_example_plan_is_filled_by_the_rules():
    plan = ["...w", ".....", "#...."]
    assert seat(plan, 3) == places(1, 0, 2)
    assert seat(plan, 2, 1) == places(0, 2, 3)
    assert seat(plan, 4) == places(1, 0, 3)
    assert seat(["#....", ". .."], 4) is None
