import ast
import dataclasses
from importlib import import_module
from pathlib import Path

import pytest
from admin import BadRequest, patch
from bulk import BadRow, read_row
from signup import read_form

ROOT = Path(__file__).resolve().parent
CALLERS = {"signup": "read_form", "bulk": "read_row", "admin": "patch"}
TEXTS = [
    "is missing",
    "is too long",
    "is not an address",
    "is not a whole number",
    "is too low",
    "is not a phone number",
    "is not a text",
    "is not known",
]
FORM = {"name": "Ida Holm", "email": "ida@holm.example", "age": "31", "phone": ""}
MEMBER = {"name": "Ida Holm", "email": "ida@holm.example", "age": 31, "phone": "040123456"}


def form_error(field, value):
    """The error of a form that is right but for one field."""
    values, errors = read_form({**FORM, field: value})
    assert set(errors) <= {field}
    assert field not in values or field not in errors
    return errors.get(field)


def row_errors(**cells):
    with pytest.raises(BadRow) as caught:
        read_row({"name": "Ida Holm", **cells})
    return caught.value.messages


def patch_error(field, value):
    with pytest.raises(BadRequest) as caught:
        patch(dict(MEMBER), {field: value})
    assert set(caught.value.errors) == {field}
    return caught.value.errors[field]


def tree_of(module):
    return ast.parse((ROOT / f"{module}.py").read_text(encoding="utf-8"))


def docstrings_of(tree):
    nodes = (n for n in ast.walk(tree) if isinstance(n, (ast.Module, ast.ClassDef, ast.FunctionDef)))
    return [node.body[0].value for node in nodes if ast.get_docstring(node) is not None]


def strings_of(module):
    tree = tree_of(module)
    docstrings = docstrings_of(tree)
    constants = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return [node.value for node in constants if node not in docstrings]


# The form


def test_a_form_is_cleaned():
    form = {"name": "  Ida Holm ", "email": " Ida@Holm.Example ", "age": " 031 ", "phone": " +49 40/123-456 "}
    expected = {"name": "Ida Holm", "email": "ida@holm.example", "age": 31, "phone": "+4940123456"}
    assert read_form(form) == (expected, {})


def test_a_form_needs_all_but_the_phone():
    missing = dict.fromkeys(("name", "email", "age"), "is missing")
    assert read_form({}) == ({}, missing)
    assert read_form({"name": " ", "email": "", "age": "\t", "phone": "  "}) == ({}, missing)


def test_the_limits_of_a_form():
    assert [form_error("name", "x" * length) for length in (40, 41)] == [None, "is too long"]
    assert [form_error("age", age) for age in ("16", "15", "-20", "+20", "2O")] == [
        None,
        "is too low",
        *["is not a whole number"] * 3,
    ]
    assert form_error("phone", "12345") == "is not a phone number"


def test_a_form_has_no_words_for_nothing():
    assert read_form({**FORM, "name": "-"})[0]["name"] == "-"
    assert form_error("age", "n/a") == "is not a whole number"
    assert form_error("phone", "n/a") == "is not a phone number"


def test_a_form_may_not_have_unknown_fields():
    values, errors = read_form({**FORM, "club": "north", "email": "nobody"})
    assert values == {"name": "Ida Holm", "age": 31}
    assert errors == {"club": "is not known", "email": "is not an address"}


@pytest.mark.parametrize("phone", ["040.123456", "(040) 123456"])
def test_a_form_knows_fewer_separators_than_a_list(phone):
    assert form_error("phone", phone) == "is not a phone number"
    assert patch_error("phone", phone) == "is not a phone number"
    assert read_row({"name": "Ida", "phone": phone}) == {"name": "Ida", "phone": "040123456"}


# Lists of other clubs


def test_a_row_needs_only_a_name():
    assert read_row({"name": " Ida ", "email": None, "age": "", "phone": " ", "boat": "Tern"}) == {"name": "Ida"}
    assert row_errors(name=None) == ["name is missing"]
    assert row_errors(name="N/A") == ["name is missing"]


def test_dashes_in_a_row_stand_for_nothing():
    assert read_row({"name": "Ida", "email": "-", "age": " n/a ", "phone": "N/A"}) == {"name": "Ida"}


def test_a_row_keeps_the_case_before_the_at_sign():
    assert read_row({"name": "Ida", "email": " Ida.H@Holm.EXAMPLE "})["email"] == "Ida.H@holm.example"


def test_a_row_takes_any_age_that_is_not_negative():
    assert [read_row({"name": "Ida", "age": age})["age"] for age in ("0", "+7", " 15")] == [0, 7, 15]
    assert row_errors(age="-1") == ["age is too low"]
    assert row_errors(age="7.5") == ["age is not a whole number"]


def test_a_row_has_all_messages_in_order():
    row = {"phone": "1", "age": "x", "email": "a@b", "name": "y" * 61}
    messages = ["name is too long", "email is not an address"]
    messages += ["age is not a whole number", "phone is not a phone number"]
    assert row_errors(**row) == messages
    with pytest.raises(BadRow, match="; ".join(messages)):
        read_row(row)
    assert read_row({"name": "y" * 60}) == {"name": "y" * 60}


# Changes by the office


def test_a_patch_changes_what_it_mentions():
    member, changes = dict(MEMBER), {"email": "Ida@Lund.Example", "phone": "040/99-88 77"}
    assert patch(member, changes) == {**MEMBER, "email": "ida@lund.example", "phone": "040998877"}
    assert patch(member, {}) == MEMBER
    assert member == MEMBER, "the member that was handed in stays as it is"
    assert changes == {"email": "Ida@Lund.Example", "phone": "040/99-88 77"}


def test_a_patch_takes_texts_as_they_are():
    assert patch(dict(MEMBER), {"name": " Ida "})["name"] == " Ida "
    assert patch_error("email", " ida@holm.example") == "is not an address"
    assert patch_error("name", "  ") == "is missing"
    assert patch(dict(MEMBER), {"name": "n/a"})["name"] == "n/a"


def test_null_in_a_patch_removes_what_is_not_required():
    assert patch(dict(MEMBER), {"age": None, "phone": None}) == {"name": "Ida Holm", "email": "ida@holm.example"}
    assert patch({"name": "Ida", "club": None}, {"phone": None}) == {"name": "Ida", "club": None}
    assert [patch_error(field, None) for field in ("name", "email")] == ["is missing"] * 2


def test_an_empty_text_in_a_patch_is_not_null():
    assert patch_error("phone", "") == "is not a phone number"
    assert patch_error("email", "") == "is not an address"
    assert patch_error("age", "") == "is not a whole number"


@pytest.mark.parametrize("age", ["31", 31.0, True, False, [31]])
def test_an_age_in_a_patch_is_a_whole_number(age):
    assert patch_error("age", age) == "is not a whole number"


def test_the_limits_of_a_patch():
    assert patch(dict(MEMBER), {"age": 16, "name": "x" * 60}) == {**MEMBER, "age": 16, "name": "x" * 60}
    assert patch_error("age", 15) == "is too low"
    assert patch_error("name", "x" * 61) == "is too long"
    assert [patch_error(field, 7) for field in ("name", "email", "phone")] == ["is not a text"] * 3


def test_a_patch_has_all_errors_at_once():
    with pytest.raises(BadRequest) as caught:
        patch(dict(MEMBER), {"boat": None, "email": "x", "age": 3, "phone": "1"})
    assert caught.value.errors == {
        "boat": "is not known",
        "email": "is not an address",
        "age": "is too low",
        "phone": "is not a phone number",
    }
    assert str(caught.value) == "4 errors"


# Structure


def test_each_text_stands_once_and_only_in_the_validation():
    strings = strings_of("validation")
    assert {text: strings.count(text) for text in TEXTS} == dict.fromkeys(TEXTS, 1)
    for module in CALLERS:
        assert [string for string in strings_of(module) if any(text in string for text in TEXTS)] == [], module


def test_the_validation_does_not_know_its_callers():
    tree = tree_of("validation")
    words = strings_of("validation")
    for node in ast.walk(tree):
        words += [getattr(node, attribute, None) for attribute in ("id", "attr", "arg", "name", "module")]
    words = [word.lower() for word in words if isinstance(word, str)]
    assert [word for word in words if any(caller in word for caller in CALLERS)] == []


def test_rules_are_three_different_frozen_objects():
    from validation import Rules

    assert dataclasses.is_dataclass(Rules)
    assert Rules.__dataclass_params__.frozen
    found = []
    for module in CALLERS:
        found.append([value for value in vars(import_module(module)).values() if isinstance(value, Rules)])
    assert [len(rules) for rules in found] == [1, 1, 1]
    first, second, third = (rules[0] for rules in found)
    assert first != second != third != first
    assert not [value for value in vars(import_module("validation")).values() if isinstance(value, Rules)]


@pytest.mark.parametrize("module", CALLERS)
def test_callers_validate_once_and_check_nothing_themselves(module):
    methods = {"strip", "lower", "partition", "rpartition", "split", "replace", "isdigit", "isascii"}
    calls = []
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            assert "re" not in {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.module != "re"
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            assert name not in methods | {"isinstance", "int"}, ast.unparse(node)
            calls.append(name)
    assert calls.count("validate") == 1
