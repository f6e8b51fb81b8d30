import pytest
from card_duel import winners

KINDS = {
    "beacon": "1K 2K 3K 4K 5K",
    "four": "1S 1F 1K 1L 2S",
    "flood": "1F 2F 3F 4F 6F",
    "house": "1S 1F 1K 2S 2F",
    "stair": "1S 2F 3K 4L 5S",
    "three": "1S 1F 1K 2S 3F",
    "pairs": "1S 1F 2K 2L 3S",
    "parity": "1S 3F 5K 7L 9S",
    "pair": "1S 1F 2K 3L 4S",
    "nothing": "12S 11F 10K 9L 7S",
}


def check_order(*hands):
    """Each of these hands beats the next one, whichever of them is given first."""
    for better, worse in zip(hands, hands[1:]):
        assert winners([better, worse]) == [better]
        assert winners([worse, better]) == [better]


def check_equal(*hands):
    assert winners(list(hands)) == list(hands)


@pytest.mark.parametrize(("better", "worse"), list(zip(KINDS, list(KINDS)[1:])))
def test_kinds_rank_in_the_order_of_the_list(better, worse):
    check_order(KINDS[better], KINDS[worse])


def test_a_single_hand_wins():
    assert winners(["3S 5F 8K 9L 12S"]) == ["3S 5F 8K 9L 12S"]


def test_winners_are_returned_as_written_and_in_their_order():
    hands = ["2S 1F 9K 7L 4S", "7F 9S 1K 2L 4K", "2K 1L 9S 7S 3S", "9L 7K 4F 2F 1S"]
    assert winners(hands) == [hands[0], hands[1], hands[3]]
    same = "10L 2S 4F 7L 9K"
    assert winners([same, same]) == [same, same]


def test_the_order_of_the_cards_does_not_matter():
    check_order("5S 1S 4F 2K 3L", "12S 1F 12F 1S 7K")
    check_equal("12S 1F 12F 1S 7K", "7L 12K 12L 1K 1L")


def test_ranks_that_occur_more_often_are_compared_first():
    check_order("3S 3F 3K 1L 2S", "2F 2K 2L 12S 11S")
    check_order("4S 4F 1K 2L 3S", "3F 3K 12S 11L 9S")
    check_order("5S 5F 5K 1L 1S", "4S 4F 4K 12L 12S")


def test_the_ranks_of_pairs_are_compared_from_the_higher_one():
    check_order("9S 9F 2K 2L 3S", "8S 8F 7K 7L 12S", "8K 8L 6S 6F 12F", "8K 8L 6K 6L 11F")


def test_the_other_cards_are_compared_one_after_the_other():
    check_order("12S 9F 7K 4L 2S", "12F 9K 7L 4S 1F", "12K 8L 7S 6F 5K")
    check_order("6S 6F 12K 5L 2S", "6K 6L 12F 4S 3K")
    check_equal("6S 6F 12K 5L 2S", "6K 6L 12F 5S 2K")


def test_a_stair_may_run_from_12_to_1():
    check_order("10S 11F 12K 1L 2S", "12S 12F 12K 1F 2K")
    check_order("9S 10F 11K 12L 1S", "12S 12F 12K 1F 2K")
    check_order("12S 1F 2K 3L 4S", "12S 12F 12K 1F 2K")


def test_stairs_are_compared_by_their_heads():
    stairs = ["8S 9F 10K 11L 12S", "7S 8F 9K 10L 11S", "1S 2F 3K 4L 5S", "12S 1F 2K 3L 4S"]
    check_order(*stairs, "11S 12F 1K 2L 3S", "10S 11F 12K 1L 2S", "9S 10F 11K 12L 1S")
    check_equal("1S 2F 3K 4L 5S", "1K 2K 3L 4L 5L")


def test_beacons_are_compared_by_their_heads():
    check_order("8S 9S 10S 11S 12S", "1K 2K 3K 4K 5K", "10L 11L 12L 1L 2L", "1S 1F 1K 1L 12S")
    check_equal("1S 2S 3S 4S 5S", "1L 2L 3L 4L 5L")


def test_parity_counts_odd_and_even_ranks_and_beats_a_pair():
    check_order("2S 4F 6K 8L 10S", "12S 12F 11K 9L 8S")
    check_order("3S 3F 5K 7L 9S", "12S 12F 11K 9L 8S")
    check_order("12S 8F 6K 4L 2S", "11S 9F 7K 5L 3S")


def test_a_parity_with_a_pair_is_compared_by_the_pair_first():
    check_order("11S 11F 1K 3L 5S", "9S 9F 11K 7L 5S")
    check_order("12S 10F 8K 6L 2S", "4S 4F 12K 10L 8S")


def test_a_better_kind_hides_parity():
    check_order("2S 2F 2K 4L 6S", "1S 1F 3K 3L 5S", "12S 10F 8K 6L 4S")


def test_floods_are_compared_card_by_card():
    check_order("12S 3S 4S 5S 6S", "11F 10F 9F 8F 6F", "11K 10K 9K 8K 4K")
    check_equal("12S 3S 4S 5S 6S", "12L 3L 4L 5L 6L")


def test_a_joker_completes_four_cards_of_a_rank():
    check_equal("7S 7F 7K * 2S", "7S 7F 7K 7L 2F")


def test_a_joker_makes_the_best_kind_that_it_can():
    check_equal("* 2K 3K 4K 5K", "2S 3S 4S 5S 6S")
    check_equal("7S 7F 2K * 2S", "7S 7F 7K 2L 2F")
    check_equal("7S 7F 3K * 2S", "7S 7F 7L 3L 2F")
    check_order("7S 7F 2K * 2S", "1S 2S 3F 4K *")


def test_a_joker_takes_the_highest_card_that_helps():
    check_equal("2K * 3S 4L 5F", "2S 3F 4K 5L 6S")
    check_equal("11S 12F * 1L 2S", "11S 12F 1K 2L 3S")
    check_equal("9S 7S 4S 2S *", "9F 7F 4F 2F 12F")
    check_equal("10S 11S 12S * 9S", "8F 9F 10F 11F 12F")


def test_a_joker_is_a_card_that_is_not_in_the_hand():
    check_equal("12S 9S 6S 3S *", "12F 11F 9F 6F 3F")
    check_equal("1S 1F 1K 1L *", "1S 1F 1K 1L 12S")
    check_equal("12S 12F 12K 12L *", "12S 12F 12K 12L 11S")


def test_a_joker_makes_three_rather_than_parity_and_parity_rather_than_a_pair():
    check_equal("* 2S 2F 6K 10L", "2K 2F 2L 10S 6F")
    check_equal("* 1S 5F 7K 11L", "11S 11F 1K 5L 7S")


def test_two_jokers_work_together():
    check_equal("* * 7S 7F 2K", "7S 7F 7K 7L 2S")
    check_equal("* * 3S 4S 6S", "3F 4F 5F 6F 7F")
    check_equal("* * 3S 4F 6S", "3F 4S 5F 6F 7F")
    check_equal("* 12S 12F 12K *", "12S 12F 12K 12L 11S")


def test_two_jokers_are_two_different_cards():
    check_equal("* * 3S 7S 9S", "12F 11F 9F 7F 3F")
    check_equal("8S 8F 8K * *", "8S 8F 8K 8L 12F")


def test_a_hand_with_a_joker_is_as_good_as_one_without():
    check_equal("* 3S 4S 5S 6S", "7K 3K 4K 5K 6K", "3L 4L * 6L 7L")
    check_order("9S 9F 9K 9L 2S", "9S 9F 9K * 1S")
