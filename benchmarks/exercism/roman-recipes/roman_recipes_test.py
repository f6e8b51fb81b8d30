import pytest
from roman_recipes import convert, total


@pytest.mark.parametrize(
    ("quantity", "unit", "expected"),
    [
        ("20 cups", "jug", "3 1/3 jugs"),
        ("2 1/2 jugs", "cup", "15 cups"),
        ("3/4 amphora", "jug", "6 jugs"),
        ("10/4 cups", "cup", "2 1/2 cups"),
        ("6 cups", "jug", "1 jug"),
        ("9 jugs", "amphora", "1 1/8 amphorae"),
        ("3 cups", "jug", "1/2 jug"),
        ("0 jugs", "spoon", "0 spoons"),
        ("0/3 cup", "amphora", "0 amphorae"),
        ("1 0/3 cups", "cup", "1 cup"),
        ("100000000000000000 1/7 spoons", "spoon", "100000000000000000 1/7 spoons"),
        ("1 jugs", "cup", "6 cups"),
        ("12 spoon", "cup", "1 cup"),
    ],
)
def test_quantity_is_converted(quantity, unit, expected):
    assert convert(quantity, unit) == expected


@pytest.mark.parametrize(
    "quantity",
    ["cups", "-1 cup", "1.5 cups", "1/0 cup", "2 3/3 cups", "1  cup", "1 cup ", "1 1 cups", "1 pint", "\u0663 cups"],
)
def test_anything_else_is_no_quantity(quantity):
    with pytest.raises(ValueError):
        convert(quantity, "cup")
    with pytest.raises(ValueError):
        total(["1 cup", quantity])


@pytest.mark.parametrize("unit", ["pint", "cups"])
def test_unit_of_the_result_is_one_of_the_four_singulars(unit):
    with pytest.raises(ValueError):
        convert("3 cups", unit)


def test_total_uses_the_largest_units_possible():
    assert total(["5 jugs", "3 1/2 jugs", "1/24 cup"]) == "1 amphora, 3 cups, 1/2 spoon"
    assert total(["2000 spoons"]) == "3 amphorae, 3 jugs, 4 cups, 8 spoons"


def test_total_has_a_fraction_in_spoons_only():
    assert total(["1 1/2 amphorae"]) == "1 amphora, 4 jugs"
    assert total(["1/7 cup"]) == "1 5/7 spoons"


def test_total_is_exact():
    assert total(["1/3 spoon", "1/3 spoon", "1/3 spoon"]) == "1 spoon"
    assert total(["1/10 cup"] * 10) == "1 cup"


def test_total_of_nothing_is_no_spoons():
    assert total([]) == "0 spoons"
    assert total(["0 jugs", "0/5 amphora"]) == "0 spoons"
