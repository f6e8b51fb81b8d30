import pytest
from stack_forge import Forge, ForgeError


def run(text):
    return Forge().run(text)


def failure(text, forge=None):
    with pytest.raises(ForgeError) as caught:
        (forge or Forge()).run(text)
    return caught.value.kind, caught.value.token


@pytest.mark.parametrize(
    ("text", "stack"),
    [
        ("3 -4\n\t+ 10 4 - 6 -7 *", [-1, 6, -42]),
        ("7 2 / -7 2 / 7 -2 / -7 -2 / 1 3 /", [3, -3, -3, 3, 0]),
        ("900000000000000000021 3 /", [300000000000000000007]),
    ],
    ids=["sums", "division", "large numbers"],
)
def test_integers_are_calculated_with(text, stack):
    assert run(text) == stack


def test_comparisons_give_one_or_zero():
    assert run("1 2 < 2 2 < 3 2 < 2 2 = 2 3 =") == [1, 0, 0, 1, 0]


def test_values_of_both_types_are_shuffled():
    assert run("1 dup 2 drop [ 3 ] 4 swap 5 [ 6 ] over") == [1, 1, 4, "[ 3 ]", 5, "[ 6 ]", 5]


def test_a_block_is_shown_with_all_that_is_in_it():
    assert run("[ 2 * ] [   1 [ drop\n[ ] ] as   clear ]") == ["[ 2 * ]", "[ 1 [ drop [ ] ] as clear ]"]


def test_pick_executes_the_first_block_unless_the_number_is_zero():
    assert run("1 [ 10 ] [ 20 ] pick 0 [ 10 ] [ 20 ] pick -3 [ 10 ] [ 20 ] pick") == [10, 20, 10]


def test_do_and_repeat_execute_the_block_so_many_times():
    assert run("5 [ dup [ 1 + ] do ] do") == [5, 6]
    assert run("1 [ 2 * ] 10 repeat 7 [ drop ] 0 repeat 8 [ drop ] -2 repeat") == [1024, 7, 8]


def test_any_token_but_an_integer_can_be_a_name():
    assert run("[ dup * ] as sq 3 sq [ 1 ] as x:y! x:y! [ 2 ] as 3rd 3rd [ 4 ] as +5 +5") == [9, 1, 2, 4]


def test_case_of_words_matters():
    assert run("[ 1 ] as Dup 5 dup Dup") == [5, 5, 1]


def test_words_of_the_table_can_be_redefined():
    assert run("[ 100 * ] as dup [ drop ] as + 2 dup 3 +") == [200]


def test_a_word_is_looked_up_when_it_is_executed():
    assert run("[ sq 1 + ] as up [ dup * ] as sq 3 up [ drop 0 ] as sq 3 up") == [10, 1]
    assert run("[ 1 ] as a [ a ] as b [ a ] [ 2 ] as a do b") == [2, 2]


def test_a_definition_in_a_block_takes_effect_when_it_is_executed():
    assert failure("[ [ 1 ] as one ] as setup one") == ("unknown word", "one")
    assert run("[ [ 1 ] as one ] as setup setup one") == [1]


def test_a_word_can_use_and_redefine_itself():
    assert run("[ [ 2 ] as w 1 ] as w w w") == [1, 2]
    assert run("[ dup 1 < [ drop 1 ] [ dup 1 - fact * ] pick ] as fact 20 fact") == [2432902008176640000]


def test_words_can_call_each_other_very_deep():
    program = "[ dup [ 1 - odd 1 + ] [ ] pick ] as even [ dup [ 1 - even 1 + ] [ ] pick ] as odd 50000 even"
    assert run(program) == [50000]


def test_stack_and_definitions_stay_for_the_next_run():
    forge = Forge()
    assert forge.run("[ 3 * ] as triple 2") == [2]
    assert forge.run("triple") == [6]
    assert Forge().run("4") == [4], "another interpreter has a stack of its own"


def test_the_returned_list_is_not_the_stack_itself():
    forge = Forge()
    forge.run("1 2").clear()
    assert forge.run("") == [1, 2]


def test_an_unknown_word_is_reported_where_it_is_executed():
    assert failure("1 foo") == ("unknown word", "foo")
    assert failure("[ 1 foo ] as bar bar") == ("unknown word", "foo")


def test_only_digits_with_an_optional_minus_are_an_integer():
    assert run("-0 007") == [0, 7]
    assert failure("+5") == ("unknown word", "+5")
    assert failure("1_000") == ("unknown word", "1_000")


def test_a_word_without_enough_values_is_reported():
    assert failure("1 [ 2 + ] do [ + ] do") == ("too few values", "+")
    assert failure("[ ] [ ] pick") == ("too few values", "pick")
    assert failure("as sq") == ("too few values", "as")


def test_a_value_of_the_wrong_type_is_reported():
    cases = {"+": "1 [ ] +", "=": "[ ] [ ] =", "do": "1 do", "repeat": "3 [ ] repeat", "pick": "[ 1 ] [ 2 ] 1 pick"}
    for token, text in cases.items():
        assert failure(text) == ("wrong type", token)


def test_an_integer_cannot_be_made_a_word():
    assert failure("5 as five") == ("wrong type", "as")


def test_division_by_zero_is_reported():
    assert failure("[ 5 0 / ] as half half") == ("division by zero", "/")
    assert failure("[ ] 0 /") == ("wrong type", "/")


def test_too_few_values_goes_before_a_wrong_type():
    assert failure("[ ] *") == ("too few values", "*")


def test_brackets_are_checked_before_anything_is_executed():
    assert failure("1 0 / [ 2") == ("bad block", "[")
    assert failure("foo ] [ 2") == ("bad block", "]")
    assert failure("[ 1 ]as") == ("bad block", "[")


def test_names_are_checked_before_anything_is_executed():
    assert failure("[ [ 1 ] as ] 2") == ("bad name", "as")
    assert failure("1 0 / [ 1 ] as") == ("bad name", "as")
    assert failure("foo [ 1 ] as -3") == ("bad name", "as")
    assert failure("[ 1 ] as as") == ("bad name", "as")


def test_brackets_are_checked_before_names():
    assert failure("[ 1 ] as as [") == ("bad block", "[")


def test_an_unknown_word_that_is_never_executed_does_no_harm():
    assert run("[ foo ] as bar 1 [ 2 ] [ foo ] pick") == [2]


def test_an_error_restores_the_stack():
    forge = Forge()
    forge.run("1 2")
    assert failure("+ 7 8 drop drop drop drop", forge) == ("too few values", "drop")
    assert forge.run("") == [1, 2]


def test_an_error_restores_the_definitions():
    forge = Forge()
    forge.run("[ 1 ] as w")
    assert failure("[ 2 ] as w [ 3 ] as new 1 0 /", forge) == ("division by zero", "/")
    assert forge.run("w") == [1]
    assert failure("new", forge) == ("unknown word", "new")
