from tournament_ladder import ladder


def order(games):
    return [name for _, name, *_ in ladder(games)]


def ranks(games):
    return {name: rank for rank, name, *_ in ladder(games)}


def test_one_game_makes_a_ladder_of_two():
    assert ladder([("Gulls", "Terns", 1, 4)]) == [(1, "Terns", 1, 3, 3), (2, "Gulls", 1, 0, -3)]


def test_a_draw_gives_each_team_a_point_and_a_shared_rank():
    assert ladder([("Terns", "Gulls", 2, 2)]) == [(1, "Gulls", 1, 1, 0), (1, "Terns", 1, 1, 0)]


def test_no_games_make_an_empty_ladder():
    assert ladder([]) == []


def test_all_games_of_a_team_are_added_up():
    games = [("Auks", "Gulls", 3, 0), ("Gulls", "Auks", 1, 1), ("Auks", "Terns", 0, 2), ("Terns", "Gulls", 1, 0)]
    assert ladder(games) == [(1, "Terns", 2, 6, 3), (2, "Auks", 3, 4, 1), (3, "Gulls", 3, 1, -4)]


def test_a_game_not_played_counts_for_nothing():
    games = [("Auks", "Gulls", 0, 1), ("Gulls", "Auks", None, None)]
    assert ladder(games) == [(1, "Gulls", 1, 3, 1), (2, "Auks", 1, 0, -1)]


def test_a_team_that_has_not_played_yet_is_in_the_ladder():
    games = [("Auks", "Gulls", 0, 1), ("Terns", "Puffins", None, None), ("Auks", "Terns", None, None)]
    assert ladder(games) == [
        (1, "Gulls", 1, 3, 1),
        (2, "Puffins", 0, 0, 0),
        (2, "Terns", 0, 0, 0),
        (4, "Auks", 1, 0, -1),
    ]


def test_a_win_counts_more_than_two_draws():
    games = [("Auks", "Gulls", 1, 1), ("Auks", "Gulls", 1, 1), ("Terns", "Puffins", 1, 0)]
    assert ranks(games) == {"Terns": 1, "Auks": 2, "Gulls": 2, "Puffins": 4}


def test_the_inner_game_goes_before_the_difference_of_all_games():
    games = [("Gulls", "Auks", 1, 0), ("Auks", "Terns", 9, 0)]
    assert ladder(games) == [(1, "Gulls", 1, 3, 1), (2, "Auks", 2, 3, 8), (3, "Terns", 1, 0, -9)]


def test_three_teams_that_are_level_are_ordered_by_all_their_inner_games():
    games = [("Terns", "Gulls", 1, 0), ("Auks", "Terns", 0, 1), ("Gulls", "Auks", 1, 0)]
    games += [("Gulls", "Skuas", 5, 0), ("Auks", "Skuas", 5, 0), ("Skuas", "Auks", 0, 5)]
    assert ladder(games) == [
        (1, "Terns", 2, 6, 2),
        (2, "Gulls", 3, 6, 5),
        (3, "Auks", 4, 6, 8),
        (4, "Skuas", 3, 0, -15),
    ]


def test_the_difference_of_inner_games_goes_before_that_of_all_games():
    games = [("Auks", "Gulls", 1, 0), ("Gulls", "Terns", 3, 0), ("Terns", "Auks", 2, 0)]
    games += [("Auks", "Skuas", 6, 0), ("Gulls", "Skuas", 1, 0), ("Terns", "Skuas", 1, 0)]
    assert order(games) == ["Gulls", "Auks", "Terns", "Skuas"]


def test_inner_games_stay_the_same_when_some_teams_have_been_separated():
    games = [("Auks", "Gulls", 1, 0), ("Terns", "Auks", 3, 0), ("Gulls", "Terns", 1, 0)]
    games += [("Terns", "Auks", 0, 0), ("Terns", "Gulls", 0, 0), ("Auks", "Skuas", 4, 4), ("Gulls", "Skuas", 2, 2)]
    assert [row[3] for row in ladder(games)] == [5, 5, 5, 2]
    assert order(games) == ["Terns", "Gulls", "Auks", "Skuas"]


def test_the_difference_of_all_games_decides_after_a_drawn_inner_game():
    games = [("Auks", "Gulls", 1, 1), ("Skuas", "Auks", 0, 2), ("Gulls", "Skuas", 5, 1)]
    assert order(games) == ["Gulls", "Auks", "Skuas"]


def test_more_goals_decide_when_all_differences_are_equal():
    games = [("Auks", "Gulls", 1, 1), ("Skuas", "Auks", 0, 2), ("Gulls", "Skuas", 5, 3)]
    assert ranks(games) == {"Gulls": 1, "Auks": 2, "Skuas": 3}
    assert order([("Auks", "Gulls", 1, 0), ("Gulls", "Terns", 3, 0), ("Terns", "Auks", 2, 0)])[1:] == ["Terns", "Auks"]


def test_goals_of_a_home_game_and_an_away_game_count_alike():
    games = [("Auks", "Gulls", 1, 1), ("Gulls", "Auks", 2, 2), ("Terns", "Puffins", 0, 3), ("Puffins", "Terns", 0, 3)]
    assert ranks(games) == {"Puffins": 1, "Terns": 1, "Auks": 3, "Gulls": 3}


def test_teams_that_share_a_rank_stand_in_the_order_of_their_names():
    games = [("terns", "Puffins", 2, 2), ("Skuas", "Auks", 2, 2)]
    assert [(rank, name) for rank, name, *_ in ladder(games)] == [
        (1, "Auks"),
        (1, "Puffins"),
        (1, "Skuas"),
        (1, "terns"),
    ]
    games = [("auks", "Puffins", 2, 2), ("Terns", "Skuas", 0, 1)]
    assert order(games) == ["Skuas", "Puffins", "auks", "Terns"]


def test_the_rank_after_shared_ranks_counts_all_better_teams():
    games = [("Auks", "Gulls", 1, 0), ("Terns", "Puffins", 1, 0), ("Skuas", "Kites", 0, 0), ("Kites", "Skuas", 0, 0)]
    assert ranks(games) == {"Auks": 1, "Terns": 1, "Kites": 3, "Skuas": 3, "Gulls": 5, "Puffins": 5}


def test_the_order_of_the_games_does_not_matter():
    games = [("Terns", "Gulls", 1, 0), ("Auks", "Terns", 0, 1), ("Gulls", "Auks", 1, 0), ("Skuas", "Kites", None, None)]
    games += [("Gulls", "Skuas", 5, 0), ("Auks", "Skuas", 5, 0), ("Skuas", "Auks", 0, 5)]
    expected = ["Terns", "Gulls", "Auks", "Kites", "Skuas"]
    assert order(games) == order(games[::-1]) == order(games[3:] + games[:3]) == expected


def test_the_list_of_games_stays_as_it_is():
    games = [("Terns", "Gulls", 1, 0), ("Auks", "Terns", None, None), ("Auks", "Gulls", 0, 0)]
    before = list(games)
    assert order(games) == ["Terns", "Auks", "Gulls"]
    assert games == before
