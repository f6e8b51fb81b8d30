import copy
import random

import pytest
from diff_lines import PatchError, diff, invert, patch


def script(old, new):
    """The whole edit script for texts with one character in each line."""
    steps = diff(list(old), list(new), 1000)
    assert steps[:1] == (["@ 1 1"] if old != new else [])
    return " ".join(step.replace(" ", "=") for step in steps[1:])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "ab", "+a +b"),
        ("abc", "axc", "=a -b +x =c"),
        ("abcdef", "bcdefa", "-a =b =c =d =e =f +a"),
        ("ab", "xy", "-a -b +x +y"),
        ("aab", "ab", "-a =a =b"),
        ("ab", "aab", "=a +a =b"),
        ("ab", "ba", "-a =b +a"),
        ("abcabba", "cbabac", "-a -b =c -a =b +a =b =a +c"),
    ],
)
def test_script_is_the_preferred_one_of_the_shortest(old, new, expected):
    assert script(old, new) == expected


def test_example_of_the_instructions():
    assert diff(list("abcde"), list("axcdef"), 1) == ["@ 1 1", " a", "-b", "+x", " c", "@ 5 5", " e", "+f"]


def test_equal_texts_have_no_difference():
    assert diff(["a", "b"], ["a", "b"]) == []
    assert diff([], []) == []
    assert patch(["a", "b"], []) == ["a", "b"]


def test_two_lines_of_context_are_the_default():
    assert diff(list("abcdefg"), list("abcxefg")) == ["@ 2 2", " b", " c", "-d", "+x", " e", " f"]


def test_without_context_only_changes_are_shown():
    assert diff(list("abcde"), list("xbcdey"), 0) == ["@ 1 1", "-a", "+x", "@ 6 6", "+y"]
    assert diff(list("abc"), list("abxc"), 0) == ["@ 3 3", "+x"]
    assert diff(list("ab"), list("xy"), 0) == ["@ 1 1", "-a", "-b", "+x", "+y"]


def test_hunks_whose_contexts_touch_are_one():
    assert diff(list("abcdef"), list("xbcdey"), 2) == ["@ 1 1", "-a", "+x", " b", " c", " d", " e", "-f", "+y"]


def test_hunks_are_two_if_a_kept_line_is_left_out():
    expected = ["@ 1 1", "-a", "+x", " b", " c", "@ 5 5", " e", " f", "-g", "+y"]
    assert diff(list("abcdefg"), list("xbcdefy"), 2) == expected


def test_numbers_follow_the_lines_added_and_removed_before():
    difference = diff(list("abcdefghi"), list("bcdexxghi") + ["j"], 1)
    assert difference == ["@ 1 1", "-a", " b", "@ 5 4", " e", "-f", "+x", "+x", " g", "@ 9 9", " i", "+j"]


def test_lines_that_look_like_signs_are_lines():
    old, new = ["@ 1 1", "-x", "+y", "", " z"], ["@ 2 2", "-x", "", "", " z", "+y"]
    difference = diff(old, new, 1)
    assert difference[:4] == ["@ 1 1", "-@ 1 1", "+@ 2 2", " -x"]
    assert patch(old, difference) == new
    assert patch(new, invert(difference)) == old


def test_patch_and_inverted_patch_lead_there_and_back():
    chance = random.Random(7)
    for _ in range(150):
        old, new = (chance.choices("abc", k=chance.randrange(12)) for _ in range(2))
        for context in range(4):
            difference = diff(old, new, context)
            assert patch(old, difference) == new
            assert patch(new, invert(difference)) == old


def test_invert_exchanges_signs_and_numbers_in_place():
    difference = ["@ 1 1", "-a", " b", "@ 5 4", " e", "-f", "+x", "+y", " g"]
    assert invert(difference) == ["@ 1 1", "+a", " b", "@ 4 5", " e", "+f", "-x", "-y", " g"]


def check_refused(difference, old="abcde"):
    with pytest.raises(PatchError):
        result = patch(list(old), difference)
        pytest.fail(f"{difference} was applied: {result}")


def test_lines_that_old_does_not_have_there_are_refused():
    check_refused(["@ 2 2", " b", "-x", " d"])
    check_refused(["@ 2 2", " x", "-c", " d"])
    check_refused(["@ 2 2", " b", "-c", " x"])
    check_refused(["@ 1 1", "-b"])


def test_hunks_in_the_wrong_order_are_refused():
    check_refused(["@ 3 3", "-c", "@ 1 3", "+x"])
    check_refused(["@ 2 2", " b", "+x", " c", "@ 3 5", " c", "-d"])


def test_hunks_beyond_the_end_are_refused():
    check_refused(["@ 7 7", "+x"])
    check_refused(["@ 5 5", "-e", "-f"])
    check_refused(["@ 5 5", " e", "+x", " f"])
    assert patch(list("abcde"), ["@ 6 6", "+x"]) == list("abcdex")


def test_wrong_second_numbers_are_refused():
    check_refused(["@ 2 3", "-b"])
    check_refused(["@ 2 2", "-b", "@ 4 4", "-d"])


@pytest.mark.parametrize("header", ["@ 1", "@1 1", "@ 1  1", "@ 0 0"])
def test_malformed_headers_are_refused(header):
    check_refused([header, "-a"])


def test_other_lines_are_refused():
    check_refused(["@ 1 1", "-a", "", "+x"])
    check_refused(["@ 1 1", "-a", "?x"])
    check_refused(["-a"])


def test_arguments_are_not_changed():
    old, new = list("abcde"), list("axcdef")
    difference = diff(old, new)
    kept = copy.deepcopy(difference)
    assert patch(old, difference) == new
    assert invert(difference) != difference
    assert (old, new, difference) == (list("abcde"), list("axcdef"), kept)


def test_long_texts_are_compared_in_time():
    old = [str(number * number % 17) for number in range(400)]
    new = [str(number * 7 % 19) for number in range(400)]
    assert patch(old, diff(old, new)) == new
