import pytest
from skittles_score import Game, GameError


def play(*throws):
    game = Game()
    for pins in throws:
        game.throw(pins)
    return game


PLAIN = (1, 2, 3) * 5


def test_a_new_game_has_no_rounds_and_no_score():
    game = Game()
    assert (game.rounds(), game.score(), game.standing(), game.is_over()) == ([], 0, 9, False)


def test_a_round_of_three_throws_is_worth_its_pins():
    assert play(1, 2, 3, 0, 0, 8).rounds() == [6, 8]
    assert play(1, 2, 3, 0, 0, 8).score() == 14


def test_a_round_that_has_not_ended_is_worth_nothing_yet():
    assert play(1, 2, 3, 4, 4).rounds() == [6]


def test_nine_pins_in_three_throws_add_nothing():
    assert play(3, 3, 3, 5, 0, 0).rounds() == [9, 5]
    assert play(0, 0, 9, 5, 1).rounds() == [9]


def test_thunder_adds_the_next_three_throws():
    assert play(9, 1, 2, 3).rounds() == [15, 6]


def test_lightning_adds_the_next_throw():
    assert play(4, 5, 6, 1, 0).rounds() == [15, 7]


def test_nine_pins_with_the_second_throw_are_lightning():
    assert play(0, 9, 6, 1, 0).rounds() == [15, 7]


def test_thunder_can_add_throws_of_several_rounds():
    assert play(9, 4, 5, 7, 0, 0).rounds() == [9 + 16, 9 + 7, 7]
    assert play(9, 9, 9, 9, 1, 2, 3).rounds() == [36, 28, 21, 15, 6]


def test_a_round_is_known_when_all_added_throws_have_been_thrown():
    assert play(9, 1, 2).rounds() == []
    assert play(4, 5).rounds() == []
    assert play(4, 5, 0).rounds() == [9]
    assert play(0, 0, 0, 9, 9, 9).rounds() == [0]
    assert play(0, 0, 0, 9, 9, 9, 2).rounds() == [0, 29]


def test_two_thunders_wait_for_enough_throws():
    game = play(9, 9, 1)
    assert (game.rounds(), game.score()) == ([], 0)
    game.throw(1)
    assert (game.rounds(), game.score()) == ([20], 20)


def test_standing_pins_get_fewer_and_are_set_up_for_each_round():
    game = Game()
    seen = []
    for pins in (2, 3, 0, 9, 5, 4, 0):
        game.throw(pins)
        seen.append(game.standing())
    assert seen == [7, 4, 9, 9, 4, 9, 9]


@pytest.mark.parametrize(
    ("before", "pins"), [((), 10), ((), -1), ((4,), 6), ((4, 3), 3), ((9, 1), 9), ((1, 1, 1, 8), 2)]
)
def test_an_impossible_throw_is_refused_and_changes_nothing(before, pins):
    game = play(*before)
    state = game.standing(), game.rounds(), game.score()
    with pytest.raises(GameError):
        game.throw(pins)
    assert (game.standing(), game.rounds(), game.score()) == state
    rest = (game.standing(), 0, 0, 1, 0, 0, 2)
    for throw in rest:
        game.throw(throw)
    assert game.rounds() == play(*before, *rest).rounds()


def test_a_game_without_bonus_throws_is_over_after_six_rounds():
    game = play(*PLAIN, 3, 3)
    assert (game.is_over(), game.standing()) == (False, 3)
    game.throw(2)
    assert (game.is_over(), game.standing(), game.score()) == (True, 0, 38)


def test_nine_pins_with_the_last_throw_of_the_sixth_round_give_no_bonus_throw():
    game = play(*PLAIN, 3, 3, 3)
    assert (game.is_over(), game.rounds()[-1]) == (True, 9)


def test_lightning_in_the_sixth_round_is_followed_by_one_bonus_throw():
    game = play(*PLAIN, 3, 6)
    assert (game.is_over(), game.standing(), len(game.rounds())) == (False, 9, 5)
    game.throw(9)
    assert (game.is_over(), game.standing(), game.rounds()) == (True, 0, [6, 6, 6, 6, 6, 18])


def test_thunder_in_the_sixth_round_is_followed_by_three_bonus_throws():
    game = play(*PLAIN, 9, 1, 2)
    assert (game.is_over(), len(game.rounds())) == (False, 5)
    game.throw(3)
    assert (game.is_over(), game.rounds()) == (True, [6, 6, 6, 6, 6, 15])


def test_pins_stay_down_between_bonus_throws_until_all_have_fallen():
    game = play(*PLAIN, 9, 4)
    assert game.standing() == 5
    with pytest.raises(GameError):
        game.throw(6)
    game.throw(5)
    assert game.standing() == 9
    game.throw(9)
    assert (game.is_over(), game.rounds()[-1]) == (True, 27)


def test_bonus_throws_earn_nothing_more():
    game = play(*[9] * 9)
    assert (game.is_over(), game.standing()) == (True, 0)
    assert game.rounds() == [36] * 6


def test_a_bonus_throw_counts_for_earlier_rounds_that_wait_for_it():
    assert play(*PLAIN[:12], 9, 9, 1, 2).rounds() == [6, 6, 6, 6, 9 + 9 + 1 + 2]
    assert play(*PLAIN[:12], 9, 9, 1, 2, 3).rounds()[4:] == [21, 15]


@pytest.mark.parametrize("last", [(1, 2, 3), (3, 3, 3), (4, 5, 6), (9, 9, 9, 9)])
def test_no_throw_is_possible_after_the_end(last):
    game = play(*PLAIN, *last)
    score = game.score()
    for pins in (0, 1, 9):
        with pytest.raises(GameError):
            game.throw(pins)
    assert (game.is_over(), game.score()) == (True, score)


def test_a_game_of_misses_is_over_after_eighteen_throws():
    game = play(*[0] * 17)
    assert game.is_over() is False
    game.throw(0)
    assert game.is_over() is True
    assert game.rounds() == [0] * 6


def test_the_returned_list_is_a_copy():
    game = play(1, 2, 3)
    game.rounds().append(50)
    assert (game.rounds(), game.score()) == ([6], 6)
    assert issubclass(GameError, ValueError)
