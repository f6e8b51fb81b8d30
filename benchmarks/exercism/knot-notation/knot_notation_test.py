import pytest
from knot_notation import expand, knot_at, length


def test_a_notation_is_expanded_with_its_groups():
    cases = {
        "": "",
        "abca": "abca",
        "3a2(b2c)": "aaabccbcc",
        "12x": "x" * 12,
        "2(a2(b2(c)d)e)": "abccdbccdeabccdbccde",
        "2((a)3(b))c": "abbbabbbc",
        "((((z))))": "z",
    }
    for notation, pattern in cases.items():
        assert expand(notation) == pattern
        assert length(notation) == len(pattern)


def test_a_blank_or_a_line_end_is_a_knot():
    assert expand("2 a3( b)\n2\n") == "  a b b b\n\n\n"


def test_a_backslash_makes_any_character_a_knot():
    assert expand(r"\3\(2\)\\4\\\a") == r"3())" + "\\" * 5 + "a"
    assert knot_at(r"2\\\9", 2) == "9"


def test_a_digit_after_an_escaped_digit_is_a_count():
    assert expand(r"2\32a") == "33aa"


def test_only_the_ten_ascii_digits_form_a_count():
    assert expand("2\u0663\u00b2") == "\u0663\u0663\u00b2"


def test_an_escaped_bracket_neither_opens_nor_closes_a_group():
    assert expand(r"2(a\)b)") == "a)ba)b"


@pytest.mark.parametrize(
    "notation",
    [
        "(",
        "(ab",
        "ab)",
        "2(a(b)",
        ")(",
        "()",
        "a3()b",
        "(a())",
        "3",
        "a3",
        "(a3)",
        "0a",
        "a0(b)",
        "03a",
        "00",
        "ab\\",
        "2\\",
    ],
)
def test_a_wrong_notation_is_refused_by_every_function(notation):
    with pytest.raises(ValueError):
        expand(notation)
    with pytest.raises(ValueError):
        length(notation)
    with pytest.raises(ValueError):
        knot_at(notation, 0)


def test_each_knot_is_found_at_its_index():
    notation = r"3a2(b2(c\4)3d)e2(f)"
    pattern = "aaabc4c4dddbc4c4dddeff"
    assert "".join(knot_at(notation, index) for index in range(len(pattern))) == pattern


def test_an_index_outside_the_pattern_is_refused():
    for notation, index in [("3a", 3), ("3a", -1), ("", 0), ("2(ab)", 4), ("ab", -2)]:
        with pytest.raises(IndexError):
            knot_at(notation, index)


def test_the_length_of_a_huge_pattern_is_exact():
    assert length("900000000000(8a7(bc))d") == 900000000000 * 22 + 1
    assert length("3" + "0" * 200 + "x") == 3 * 10**200


def test_a_knot_of_a_huge_pattern_is_found():
    notation = "900000000000(8a7(bc))d"
    assert [knot_at(notation, 22 * 123456789012 + rest) for rest in (7, 8, 9, 21, 22)] == list("abcca")
    assert knot_at(notation, 900000000000 * 22 - 1) == "c"
    assert knot_at(notation, 900000000000 * 22) == "d"
    with pytest.raises(IndexError):
        knot_at(notation, 900000000000 * 22 + 1)


def test_nested_counts_multiply_without_being_tied():
    notation = "a"
    for _ in range(50):
        notation = f"99({notation}b)"
    assert length(notation) == sum(99**power for power in range(1, 51)) + 99**50
    assert knot_at(notation, 0) == "a"
    assert knot_at(notation, length(notation) - 1) == "b"
    assert knot_at(notation, 2) == "a"
    assert knot_at(notation, 198) == "b"
