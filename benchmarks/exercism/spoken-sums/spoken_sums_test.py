from fractions import Fraction

import pytest
from spoken_sums import answer


def check(cases):
    for expression, expected in cases.items():
        result = answer(f"How much is {expression}?")
        assert result == expected, expression
        assert type(result) is (int if expected == int(expected) else Fraction), expression


def refused(questions):
    for question in questions:
        with pytest.raises(ValueError):
            result = answer(question)
            pytest.fail(f"{question!r} was answered with {result}")


def test_numbers_in_words():
    check({"zero": 0, "one": 1, "twelve": 12, "fifteen": 15, "nineteen": 19, "forty": 40, "eighty": 80})


def test_numbers_with_a_hyphen():
    check({"twenty-one": 21, "forty-two": 42, "ninety-nine": 99})


def test_numbers_in_digits():
    check({"0": 0, "250": 250, "007": 7, "12 plus twelve": 24})


def test_negative_numbers():
    check({"negative two": -2, "negative 30": -30, "four minus negative forty-two": 46, "negative zero": 0})


def test_product_and_quotient_bind_more_strongly_than_sum_and_difference():
    check({"three times twenty-one plus four": 67, "two plus three times four": 14})
    check({"twenty minus eight divided by four minus one": 17})


def test_equal_operations_go_from_left_to_right():
    check(
        {
            "ten minus four minus three": 3,
            "sixty divided by six divided by two": 5,
            "eight divided by two times four": 16,
        }
    )


def test_answer_is_exact():
    check({"one divided by three": Fraction(1, 3), "one divided by ten times three": Fraction(3, 10)})
    check({"2 times 99999999999999999999": 199999999999999999998})


def test_whole_answer_of_a_division_is_an_int():
    check({"ten divided by five": 2, "half of three plus half of one": 2})


def test_parentheses_come_first():
    check(
        {
            "open two plus three close times four": 20,
            "twenty minus open eight minus open three minus one close close": 14,
        }
    )


def test_powers_bind_more_strongly_than_products():
    check({"two times three squared": 18, "two cubed times two": 16, "one plus two squared": 5})


def test_powers_follow_each_other():
    check({"two squared cubed": 64, "two cubed squared squared": 4096})


def test_power_of_parentheses():
    check({"open one plus two close squared": 9, "open negative two close cubed": -8})


def test_negative_belongs_to_its_number_before_a_power():
    check({"negative three squared": 9, "negative two cubed": -8})


def test_half_and_double_apply_to_a_power():
    check({"double three squared": 18, "half of two cubed": 4, "double open one plus two close squared": 18})


def test_half_and_double_end_before_other_operations():
    check({"double three plus one": 7, "half of six times five": 15, "ten divided by double five": 1})
    check({"ten divided by double five times two": 2, "ten divided by half of four divided by five": 1})


def test_half_and_double_combine():
    check({"half of double three": 3, "half of half of ten": Fraction(5, 2), "double double negative one": -4})


def test_sum_and_product_of_two_numbers():
    check({"the sum of one and two": 3, "the product of four and five": 20})


def test_first_expression_of_a_sum_reaches_to_its_and():
    check({"the product of one plus two and four": 12, "the sum of two times three and one": 7})


def test_second_expression_of_a_sum_reaches_to_the_end():
    check({"the sum of one and two times three": 7, "the product of two and three plus four": 14})
    check({"double the sum of one and two plus three": 12, "ten minus the sum of one and two minus three": 10})


def test_second_expression_of_a_sum_ends_with_the_parentheses_around_it():
    check({"open the product of two and three plus four close times two": 28})


def test_power_at_the_end_of_a_sum_belongs_to_the_last_number():
    check({"the sum of one and two squared": 5, "open the sum of one and two close squared": 9})


def test_sums_of_sums():
    check({"the product of the sum of one and two and the sum of three and four": 21})
    check({"the sum of one and the product of two and three plus four": 15})
    check({"the product of the sum of one and two times three and two": 14})


def test_case_and_spaces_do_not_matter():
    assert answer("hOW MUCH IS Twenty-One   PLUS one?") == 22
    assert answer("How   much  is  the SUM of  one and two?") == 3


def test_question_without_its_frame_is_refused():
    refused(
        [
            "two plus two?",
            "How much is two plus two",
            "How much is two ?",
            "How much two?",
            "How much is two??",
            "How much is?",
            "How much is ?",
        ]
    )
    refused(["", "Howmuch is two?", "How much istwo?", "How much is two? How much is three?"])


def test_unknown_numbers_are_refused():
    numbers = ["hundred", "twenty one", "twenty-zero", "twenty-eleven", "ten-one", "fourty", "-5", "1.5", "+5", "1_000"]
    refused(f"How much is {number}?" for number in [*numbers, "\u0663", "negative negative two", "negative"])
    refused(["How much is negative open two close?", "How much is negative double two?"])


def test_malformed_expressions_are_refused():
    expressions = [
        "two plus",
        "plus two",
        "two two",
        "two plus times three",
        "squared",
        "two divided three",
        "half two",
    ]
    expressions += [
        "open two",
        "two close",
        "open close",
        "two open three close",
        "two double",
        "double",
        "two half of three",
    ]
    expressions += [
        "the sum of two",
        "sum of one and two",
        "the sum of one and two and three",
        "one and two",
        "the one",
    ]
    expressions += ["the sum of open one and two close", "open the sum of one close and two", "two minus minus two"]
    refused(f"How much is {expression}?" for expression in expressions)


def test_division_by_zero():
    for expression in [
        "one divided by zero",
        "one divided by open two minus two close",
        "zero divided by half of zero",
    ]:
        with pytest.raises(ZeroDivisionError):
            answer(f"How much is {expression}?")


def test_malformed_question_with_a_division_by_zero_is_refused_as_malformed():
    refused(["How much is one divided by zero plus?", "How much is one divided by zero"])


def test_long_questions_are_answered():
    check({"one" + " plus one" * 490: 491, "open " * 50 + "seven" + " close" * 50: 7})
