import pytest
from regex_lite import matches


def check(pattern, accepted=(), refused=()):
    for text in accepted:
        assert matches(pattern, text) is True, f"{pattern!r} matches {text!r}"
    for text in refused:
        assert matches(pattern, text) is False, f"{pattern!r} does not match {text!r}"


def test_ordinary_characters_match_themselves_and_the_whole_text():
    check("pier 7+[a]?^$", ["pier 7+[a]?^$"], ["pier 7", "a pier 7+[a]?^$", "pier 7+[a]?^$\n", ""])


def test_dot_matches_any_one_character():
    check("a.c", ["abc", "a.c", "a\nc", "a\u00e9c"], ["ac", "abbc"])


def test_backslash_takes_the_meaning_from_a_character():
    check(r"\(\.\*\\\|\&\{2\}", [r"(.*\|&{2}"], ["(x"])
    check(r"\n\d", ["nd"], ["\n5"])


def test_star_repeats_one_character_only():
    check("ab*", ["a", "ab", "abbb"], ["", "abab", "b"])
    check(r".\**", ["x", "x**"], ["", "x*x"])


def test_star_repeats_a_group():
    check("(ab)*", ["", "ab", "abab"], ["aba", "abb"])


def test_repeated_texts_may_differ():
    check("(a.|b)*", ["axb", "bbay", "abab"], ["a", "xb"])
    check("(a|b){2}", ["ab", "ba", "aa"], ["a", "abb"])


def test_numbers_limit_the_repetition():
    check("a{3}", ["aaa"], ["aa", "aaaa"])
    check("a{2,4}", ["aa", "aaa", "aaaa"], ["a", "aaaaa"])
    check("a{2,}", ["aa", "aaaaaaa"], ["", "a"])
    check("a{0}b{0,1}", ["", "b"], ["a", "bb"])
    check("a{10}", ["a" * 10], ["a", "a" * 9])


def test_repetition_gives_back_what_the_rest_needs():
    check("a*ab", ["ab", "aaab"], ["b"])
    check(".*x.{2}", ["xab", "axbxcd", "xxxx"], ["xa", "axb"])


def test_alternative_that_matches_first_need_not_be_the_right_one():
    check("(a|ab)(c|bcd)", ["ac", "abc", "abcd", "abbcd"], ["ab", "acd"])
    check("a|ab|abc", ["a", "ab", "abc"], ["abcd"])


def test_alternatives_reach_to_the_ends_of_their_group():
    check("ab|cd", ["ab", "cd"], ["abd", "acd"])
    check("x(ab|cd)y", ["xaby", "xcdy"], ["xab", "cdy"])


def test_conjunction_wants_both_sides():
    check(".*a.*&.*b.*", ["ab", "xbya", "aabb"], ["a", "bbb", ""])
    check(".{3}&.*b&a.*", ["aab", "abb"], ["ab", "aac", "bab"])


def test_conjunction_wants_the_same_text_for_both_sides_within_a_group():
    check("(a*&.{2})b", ["aab"], ["ab", "aaab"])
    check("((a|ab)&(ab|abc))c", ["abc"], ["ac", "abcc"])


def test_repeated_conjunction_starts_anew_each_time():
    check("(.{2}&.*a.*)*", ["", "ab", "abba", "aaxa"], ["a", "abxx", "aba"])


def test_conjunction_binds_less_than_sequence_and_more_than_alternatives():
    check("ab&a.", ["ab"], ["a", "abb"])
    check("a|b&c", ["a"], ["b", "c"])
    check("b&c|a", ["a"], ["b", "c"])


def test_parts_may_be_empty():
    check("", [""], ["a"])
    check("a(|b)()c", ["ac", "abc"], ["ab"])
    check("|a", ["", "a"], ["aa"])
    check("&a*", [""], ["a"])
    check("a&", [], ["", "a"])


def test_repetition_of_something_empty_ends():
    check("()*", [""], ["a"])
    check("(a*)*(|b)*", ["", "aab", "b"], ["aba"])
    check("(a*){3}", ["", "a", "aaaaa"], ["b"])
    check("(|a){2,3}b", ["b", "aaab"], ["aaaab"])


@pytest.mark.parametrize("pattern", ["(a", "a)(b"])
def test_parenthesis_without_partner_is_refused(pattern):
    with pytest.raises(ValueError):
        matches(pattern, "zzz")


def test_backslash_at_the_end_is_refused():
    with pytest.raises(ValueError):
        matches("a\\", "a")


@pytest.mark.parametrize("pattern", ["*a", "a**"])
def test_misplaced_repetition_is_refused(pattern):
    with pytest.raises(ValueError):
        matches(pattern, "zzz")


@pytest.mark.parametrize("pattern", ["a{,3}", "a{2", "a{4,2}", "a{\u0663}", "a}"])
def test_malformed_repetition_is_refused(pattern):
    with pytest.raises(ValueError):
        matches(pattern, "zzz")


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("(a*)*b", "a" * 200, False),
        ("((a|aa)*)*&.*b", "a" * 150, False),
        ("(a{0,1}){40}a{40}", "a" * 40, True),
        ("(ab|a|b)*", "aab" * 330, True),
    ],
    ids=["nested stars", "nested stars and conjunction", "optional parts", "long text"],
)
def test_answer_comes_in_time(pattern, text, expected):
    assert matches(pattern, text) is expected
