import pytest
from canal_locks import simulate


def up(name, arrival, length=10):
    return (name, arrival, "up", length)


def down(name, arrival, length=10):
    return (name, arrival, "down", length)


def test_example_of_the_instructions():
    boats = [up("Otter", 3, 12), up("Heron", 3, 9)]
    assert simulate([10, 5], 20, boats) == ({"Otter": 18, "Heron": 43}, [3, 3])


def test_no_boats_no_runs():
    assert simulate([5, 5], 20, []) == ({}, [0, 0])


def test_boat_that_goes_up_finds_the_lock_ready():
    assert simulate([7], 20, [up("Otter", 4)]) == ({"Otter": 11}, [1])


def test_boat_that_goes_down_waits_for_an_empty_run_first():
    assert simulate([7], 20, [down("Otter", 4)]) == ({"Otter": 18}, [2])


def test_lock_stays_where_it_is_after_a_run():
    assert simulate([7], 20, [up("Otter", 0), down("Heron", 50)]) == ({"Otter": 7, "Heron": 57}, [2])


def test_two_boats_share_a_chamber_if_they_fit():
    assert simulate([7], 20, [up("Otter", 4), up("Heron", 4)]) == ({"Otter": 11, "Heron": 11}, [1])


def test_boat_that_does_not_fit_waits_for_the_next_run_up():
    assert simulate([7], 20, [up("Otter", 4), up("Heron", 4, 11)]) == ({"Otter": 11, "Heron": 25}, [3])


def test_no_boat_is_overtaken_by_a_shorter_one():
    boats = [up("Otter", 4, 15), up("Heron", 4, 6), up("Newt", 4, 5)]
    assert simulate([7], 20, boats) == ({"Otter": 11, "Heron": 25, "Newt": 25}, [3])


def test_boat_that_comes_while_the_lock_runs_waits():
    assert simulate([7], 20, [up("Otter", 4), up("Heron", 5)]) == ({"Otter": 11, "Heron": 25}, [3])


def test_boat_that_comes_when_a_run_ends_is_taken_at_once():
    assert simulate([7], 20, [up("Otter", 4), down("Heron", 11)]) == ({"Otter": 11, "Heron": 18}, [2])


def test_boat_that_comes_when_a_run_ends_is_there_before_the_decision():
    boats = [up("Otter", 4), down("Heron", 11), up("Newt", 5)]
    assert simulate([7], 20, boats) == ({"Otter": 11, "Heron": 18, "Newt": 25}, [3])


def test_boat_that_leaves_another_lock_is_there_before_the_decision():
    boats = [up("Otter", 0), down("Heron", 0), up("Newt", 1)]
    assert simulate([8, 4], 20, boats) == ({"Otter": 12, "Heron": 16, "Newt": 32}, [3, 5])


def test_boat_that_comes_during_an_empty_run_is_taken_with_the_others():
    boats = [down("Otter", 4), down("Heron", 11)]
    assert simulate([7], 20, boats) == ({"Otter": 18, "Heron": 18}, [2])


def test_boat_on_the_present_level_goes_before_one_that_came_earlier_on_the_other():
    boats = [down("Heron", 5), up("Otter", 0), down("Newt", 3), up("Stoat", 1)]
    assert simulate([7], 10, boats) == ({"Otter": 7, "Newt": 14, "Stoat": 21, "Heron": 28}, [4])


def test_boats_of_both_sides_in_the_same_minute_start_from_the_present_level():
    boats = [down("Heron", 2), up("Otter", 2)]
    assert simulate([7], 20, boats) == ({"Otter": 9, "Heron": 16}, [2])


def test_order_of_the_list_does_not_matter_but_in_the_same_minute():
    boats = [up("Heron", 9), up("Otter", 2), up("Newt", 9)]
    assert simulate([3], 10, boats) == ({"Otter": 5, "Heron": 15, "Newt": 21}, [5])


def test_each_lock_takes_its_own_time():
    assert simulate([7, 3, 5], 20, [up("Otter", 1)]) == ({"Otter": 16}, [1, 1, 1])


def test_each_lock_on_the_way_down_must_come_up_first():
    assert simulate([7, 3, 5], 20, [down("Otter", 1)]) == ({"Otter": 31}, [2, 2, 2])


def test_boats_that_left_together_keep_their_order():
    boats = [up("Otter", 0, 9), up("Heron", 0, 4), up("Newt", 0, 7), up("Stoat", 7, 2)]
    left, runs = simulate([7, 20], 20, boats)
    assert left == {"Otter": 27, "Heron": 27, "Newt": 27, "Stoat": 67}
    assert runs == [3, 3]


def test_boats_of_two_runs_wait_together_for_the_next_lock():
    boats = [up("Otter", 0, 12), up("Heron", 0, 12), up("Newt", 0, 8)]
    left, runs = simulate([2, 30], 20, boats)
    assert left == {"Otter": 32, "Heron": 92, "Newt": 92}
    assert runs == [3, 3]


def test_boats_that_leave_two_locks_in_the_same_minute_are_seen_by_both():
    boats = [up("Otter", 0), down("Heron", 0)]
    assert simulate([4, 2], 20, boats) == ({"Otter": 6, "Heron": 8}, [2, 3])


def test_boats_meet_in_the_middle_of_the_flight():
    boats = [up("Otter", 0), down("Heron", 3), up("Newt", 8), down("Stoat", 20)]
    assert simulate([5, 4, 6], 20, boats) == (
        {"Otter": 21, "Heron": 24, "Newt": 33, "Stoat": 41},
        [6, 4, 5],
    )


def test_long_pauses_do_not_take_long():
    boats = [up("Otter", 5), down("Heron", 999_999_000), up("Newt", 500_000_000)]
    assert simulate([7, 7], 20, boats) == (
        {"Otter": 19, "Newt": 500_000_028, "Heron": 999_999_014},
        [4, 4],
    )


def test_many_boats_are_all_taken():
    boats = [up(f"U{n}", n * 3, 4 + n % 5) for n in range(60)] + [down(f"D{n}", n * 4, 3 + n % 7) for n in range(60)]
    left, runs = simulate([6, 9, 4, 7], 20, boats)
    assert (len(left), sum(left.values()), max(left.values()), runs) == (120, 29050, 472, [62, 49, 59, 61])


def test_boat_longer_than_the_chambers_is_refused():
    with pytest.raises(ValueError):
        simulate([5], 20, [up("Otter", 0), down("Whale", 9, 21)])
    assert simulate([5], 20, [up("Otter", 0, 20)]) == ({"Otter": 5}, [1])
