import pytest
from big_base import convert


@pytest.mark.parametrize(
    ("numeral", "source", "target", "expected"),
    [
        ("-ff.8", 16, 10, "-255.5"),
        ("1295", 10, 36, "ZZ"),
        ("-000", 10, 7, "0"),
        ("0010.500", 10, 10, "10.5"),
        ("0.1", 10, 2, "0.0(0011)"),
        ("0.1(6)", 10, 6, "0.1"),
        ("0.1", 6, 10, "0.1(6)"),
        ("0.1", 7, 10, "0.(142857)"),
        ("12.(9)", 10, 10, "13"),
        ("-0.00(1)", 2, 3, "-0.(02)"),
        ("-1.75", 10, 2, "-1.11"),
        ("3.(1212)", 10, 10, "3.(12)"),
        ("0.4(54)", 10, 10, "0.(45)"),
        ("5.(0)", 10, 8, "5"),
        ("25", -10, 10, "-15"),
        ("-15", 10, -10, "25"),
        ("0", 10, -2, "0"),
        ("7", 10, -2, "11011"),
        ("-7", 10, -2, "1001"),
        ("1Z", -36, 10, "-1"),
        ("190", -10, -3, "101"),
        ("-2.(9)", 10, -10, "17"),
    ],
)
def test_numeral_is_converted(numeral, source, target, expected):
    assert convert(numeral, source, target) == expected


def test_thousands_of_digits_are_no_problem():
    assert convert("1" + "0" * 5999, 10, 10) == "1" + "0" * 5999
    assert convert(convert("-" + "123456" * 800, 7, -10), -10, 7) == "-" + "123456" * 800


def refused(cases):
    for numeral, source, target in cases:
        with pytest.raises(ValueError):
            result = convert(numeral, source, target)
            pytest.fail(f"{numeral!r} was converted from {source} to {target}: {result!r}")


def test_bases_out_of_range_are_refused():
    refused(("0", source, target) for base in (0, 1, -1, 37, -37) for source, target in [(10, base), (base, 10)])


def test_digits_beyond_the_base_are_refused():
    refused([("8", 8, 10), ("1.9", 8, 10), ("0.1(A)", 10, 2), ("2", -2, 10), ("G", 16, 10)])


def test_malformed_numerals_are_refused():
    numerals = [
        "",
        "-",
        ".5",
        "5.",
        "+5",
        "--5",
        "1.2.3",
        "1.()",
        "1.5(",
        "1.(2)3",
        "(3)",
        "1(3)",
        "1_000",
        " 5",
        "5\n",
        "\u0663",
        "1,5",
    ]
    refused((numeral, 10, 2) for numeral in numerals)


def test_sign_and_point_are_refused_in_a_negative_base():
    refused([("-5", -10, 10), ("5.0", -10, 10), ("5.(0)", -10, -10)])


def test_negative_target_refuses_a_value_that_is_not_whole():
    refused([("0.5", 10, -10), ("0.(3)", 10, -3)])
