import pytest
from stone_territory import cleaned, owner, score

BOARD = [
    "..B.W.",
    "BBB.W~",
    "....WW",
    "WWBB..",
    ".WB.B.",
]


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        (0, 0, "B"),
        (0, 5, None),
        (4, 3, "B"),
    ],
)
def test_owner_of_a_point(row, column, expected):
    assert owner(BOARD, row, column) == expected


def test_stones_and_water_and_contested_areas_have_no_owner():
    owners = [owner(BOARD, row, column) for row, column in [(0, 2), (1, 5), (3, 4), (4, 3)]]
    assert owners == [None, None, None, "B"]


@pytest.mark.parametrize(("row", "column"), [(5, 0), (0, 6), (0, -1)])
def test_points_off_the_board_are_refused(row, column):
    with pytest.raises(IndexError):
        owner(BOARD, row, column)


def test_score_counts_areas_and_stones():
    assert score(BOARD) == {"B": 11, "W": 8}


def test_empty_board_belongs_to_nobody():
    assert owner(["...", "..."], 1, 1) is None
    assert score(["...", "..."]) == {"B": 0, "W": 0}


def test_single_stone_owns_the_rest_of_the_board():
    assert owner(["...", ".W.", "..."], 0, 0) == "W"
    assert score(["...", ".W.", "..."]) == {"B": 0, "W": 9}


def test_area_that_touches_water_belongs_to_nobody():
    assert owner(["B.~", "BBB"], 0, 1) is None
    assert score(["B.~", "BBB", "..."]) == {"B": 7, "W": 0}


def test_area_that_touches_water_only_belongs_to_nobody():
    assert owner([".~B"], 0, 0) is None


def test_areas_do_not_join_diagonally():
    board = [".B.", "BW.", "..."]
    assert owner(board, 0, 0) == "B"
    assert owner(board, 2, 2) is None
    assert score(board) == {"B": 3, "W": 1}


def test_far_side_of_a_winding_area_counts():
    board = [
        ".BBBB",
        ".B..B",
        ".B.BB",
        "...BW",
        "BBB..",
    ]
    assert owner(board, 0, 0) == "B"
    assert owner(board, 4, 4) is None
    assert score([*board[:3], "....W", "BBBBB"]) == {"B": 14, "W": 1}


def test_score_counts_dead_stones_too():
    assert score(["WB.", "BB."]) == {"B": 5, "W": 1}


def test_surrounded_group_is_taken_away():
    assert cleaned([".BB..", "BWWB.", ".BB.."]) == [".BB..", "B..B.", ".BB.."]


def test_group_with_one_empty_point_stays():
    board = [".BB..", "BW.B.", ".BB.."]
    assert cleaned(board) == board


def test_group_lives_or_dies_as_a_whole():
    board = ["WWWB", "BBWB", ".BW."]
    assert cleaned(board) == board
    assert cleaned(["WWWB", "BBWB", ".BWB"]) == ["....", "BB..", ".B.."]


def test_edge_does_not_keep_a_group_alive():
    assert cleaned(["WB.", "B.."]) == [".B.", "B.."]


def test_water_keeps_a_group_alive():
    assert cleaned(["~WB", "BB."]) == ["~WB", "BB."]


def test_stones_do_not_join_diagonally():
    assert cleaned(["WB.", "BW.", ".B."]) == [".B.", "BW.", ".B."]


def test_all_dead_groups_are_taken_away_at_once():
    assert cleaned(["WB", "BW"]) == ["..", ".."]
    assert cleaned(["BWB~", "WWWB"]) == ["..B~", "...B"]


def test_full_board_of_one_colour_is_taken_away():
    assert cleaned(["BB", "BB"]) == ["..", ".."]


def test_given_board_is_not_changed():
    board = ["WB.", "B.."]
    assert cleaned(board) is not board
    assert board == ["WB.", "B.."]
    alive = ["B."]
    assert cleaned(alive) == alive
    assert cleaned(alive) is not alive


@pytest.mark.parametrize("board", [[], ["", ""]])
def test_board_without_points(board):
    assert score(board) == {"B": 0, "W": 0}
    assert cleaned(board) == board


def test_large_boards_are_no_problem():
    board = ["." * 100] * 99 + ["." * 99 + "B"]
    assert score(board) == {"B": 10000, "W": 0}
    assert cleaned(["W" * 100] * 100) == ["." * 100] * 100
