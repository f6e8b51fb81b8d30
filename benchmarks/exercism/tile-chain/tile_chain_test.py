from collections import Counter

import pytest
from tile_chain import missing, ring


def tiles(text):
    return [tuple(tile.split("-")) for tile in text.split()]


def check_ring(given):
    before = list(given)
    result = ring(given)
    assert isinstance(result, list), f"there is a ring of {len(before)} tiles"
    assert given == before, "the list that was passed has changed"
    assert Counter(map(frozenset, result)) == Counter(map(frozenset, before)), "not the same tiles"
    for (_, end), (start, _) in zip(result, [*result[1:], *result[:1]]):
        assert end == start, "two touching ends differ"


def test_no_tiles_are_an_empty_ring():
    assert ring([]) == []
    assert missing([]) == 0


def test_a_single_tile_is_a_ring_if_its_marks_are_equal():
    assert ring(tiles("a-a")) == [("a", "a")]
    assert ring(tiles("a-b")) is None


@pytest.mark.parametrize(
    "text",
    ["a-b a-b", "sun-eel oak-eel oak-sun", "a-b b-c c-a", "a-b c-b c-d a-d", "a-a a-a", "b-b a-b b-c c-c a-c"],
)
def test_tiles_are_laid_into_a_ring_and_turned_if_need_be(text):
    check_ring(tiles(text))


@pytest.mark.parametrize(
    "text",
    ["a-b b-c c-a a-d d-e e-a", "c-d d-e e-c a-b b-c c-a a-f f-a", "a-b b-a b-c c-b b-d d-b d-d", "a-b a-b a-b a-b"],
)
def test_a_mark_can_occur_many_times_in_a_ring(text):
    check_ring(tiles(text))
    check_ring(tiles(text)[::-1])


@pytest.mark.parametrize("text", ["a-b b-c", "a-b b-c c-d", "a-b a-b a-b", "a-a a-b", "a-b b-c c-a a-d"])
def test_a_loose_end_makes_a_ring_impossible(text):
    assert ring(tiles(text)) is None
    assert missing(tiles(text)) == 1


@pytest.mark.parametrize("text", ["a-a b-b", "a-b b-c c-a d-e e-f f-d"])
def test_two_rings_are_not_one_ring(text):
    assert ring(tiles(text)) is None
    assert missing(tiles(text)) == 2


def test_nothing_is_missing_from_a_ring():
    assert missing(tiles("a-b c-b c-a")) == 0
    assert missing(tiles("b-b")) == 0
    assert missing(tiles("a-b b-a a-c c-a")) == 0


def test_two_loose_ends_within_one_group_need_one_tile():
    assert missing(tiles("a-b b-c a-c c-d d-e")) == 1
    assert missing(tiles("a-b a-c a-d a-e a-f")) == 3


def test_separate_chains_are_joined_by_one_tile_each():
    assert missing(tiles("a-b c-d")) == 2
    assert missing(tiles("a-b c-d e-f")) == 3
    assert missing(tiles("a-b a-c a-d e-f")) == 3


def test_a_separate_ring_needs_an_end_on_either_side():
    assert missing(tiles("sun-eel oak-oak")) == 2
    assert missing(tiles("a-a b-b c-c")) == 3
    assert missing(tiles("a-b a-c a-d e-e")) == 3


def test_marks_are_compared_as_whole_strings():
    assert ring([("1", "10"), ("10", "01"), ("01", "1")]) is not None
    assert missing([("a", "A"), ("A", "a ")]) == 1
    assert ring([("", "x"), ("x", "")]) is not None


def test_a_long_ring_is_laid_in_time():
    check_ring([(str(number), str((number + 1) % 3000)) for number in range(3000)])


def test_many_tiles_with_one_mark_are_laid_in_time():
    check_ring([("hub", str(number // 2)) for number in range(3000)])


def test_many_equal_tiles_are_laid_in_time():
    check_ring([("a", "a"), ("a", "b")] * 1500)


def test_many_separate_tiles_are_counted_in_time():
    assert missing([(f"a{number}", f"b{number}") for number in range(3000)]) == 3000
    assert missing([(f"a{number}", f"b{number // 2}") for number in range(3000)]) == 1500


def test_many_tiles_with_one_loose_end_are_counted_in_time():
    star = [("hub", str(number)) for number in range(2999)]
    assert missing(star) == 1500
    assert ring(star) is None
