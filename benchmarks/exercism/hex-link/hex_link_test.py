import pytest
from hex_link import good_moves, stones_needed

EXAMPLE = [
    ".N.#",
    ".NW.",
    "N..W",
]


def test_example_of_the_instructions():
    assert stones_needed(EXAMPLE, "N") == 0
    assert stones_needed(EXAMPLE, "W") is None


@pytest.mark.parametrize(
    ("board", "player", "expected"),
    [
        (["...", "...", "..."], "N", 3),
        (["....", "...."], "N", 2),
        (["....", "...."], "W", 4),
        (["N"], "N", 0),
        (["N"], "W", None),
        (["#"], "W", None),
        ([".N", "N."], "N", 0),
        (["N.", ".N"], "N", 1),
        (["W.", ".W"], "W", 1),
        (["NNN", "...", "NNN"], "N", 1),
        (["NNN"], "N", 0),
        (["NN", "##"], "N", None),
        (["...", "WWW", "..."], "N", None),
        (["...", "WW.", "..."], "N", 3),
    ],
)
def test_number_of_stones_needed(board, player, expected):
    assert stones_needed(board, player) == expected


def test_link_may_wind_up_and_down():
    board = [
        "N######",
        "N##NNN#",
        "N##N#N#",
        "NNNN#N#",
        "#####N#",
    ]
    assert stones_needed(board, "N") == 0


def test_detour_over_own_stones_is_better_than_the_direct_way():
    board = [
        "......W",
        ".W..WW.",
        "W.##..#",
        "......#",
        "W#.....",
        ".WWWW..",
    ]
    assert stones_needed(board, "W") == 2
    assert good_moves(board, "W") == [(1, 2), (1, 3)]


def test_no_stone_is_needed_for_a_chain_found_after_dearer_cells():
    assert stones_needed(["..N", "NN.", ".N.", "N.."], "N") == 0


def test_every_cell_is_good_where_one_stone_decides():
    assert good_moves(["..."], "N") == [(0, 0), (0, 1), (0, 2)]


def test_good_moves_are_sorted_and_lie_on_shortest_links():
    assert good_moves(["....", "...."], "N") == [(r, c) for r in range(2) for c in range(4)]
    assert good_moves([".N..", "....", "...."], "N") == [(1, 0), (1, 1), (2, 0), (2, 1)]


def test_only_cells_that_join_two_chains_are_good():
    board = [
        "#N#.",
        "#N..",
        "....",
        "N#..",
    ]
    assert good_moves(board, "N") == [(2, 0), (2, 1)]


def test_move_into_a_dead_end_is_not_good():
    assert good_moves(["#N#", "..#", ".##", "..."], "N") == [(1, 0), (1, 1), (2, 0), (3, 0)]


def test_no_move_is_good_if_there_is_a_link_or_can_be_none():
    assert good_moves([".N", "N."], "N") == []
    assert good_moves(["N.", "##", ".."], "N") == []


def test_moves_of_the_other_player_are_judged_by_the_other_sides():
    assert good_moves(["W.W", "..."], "W") == [(0, 1)]
    assert good_moves(["W..", "..W"], "W") == [(0, 1), (0, 2), (1, 0), (1, 1)]


@pytest.mark.parametrize("board", [[], ["", ""], ["..", "."], [".x"], ["n."]])
def test_wrong_boards_are_refused(board):
    with pytest.raises(ValueError):
        stones_needed(board, "N")
    with pytest.raises(ValueError):
        good_moves(board, "N")


def test_large_board_is_answered_in_time():
    board = ["." * 25 if row % 4 else "." * 24 + "#" if row % 8 else "#" + "." * 24 for row in range(25)]
    assert stones_needed(board, "N") == 25
    assert (0, 0) not in good_moves(board, "N")
