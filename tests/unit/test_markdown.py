"""Any text in a line or a table of Markdown: what it says stays what is read."""

from __future__ import annotations

import pytest

from pytest_hybrideval.reporting.markdown import code, markdown_table, one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain: 1 of 3 (AssertionError: 'a' != 'b')", "plain: 1 of 3 (AssertionError: 'a' != 'b')"),
        ("a | b", r"a \| b"),
        (r"a \| b", r"a \\\| b"),
        ("`x`", r"\`x\`"),
        ("a * b * c", r"a \* b \* c"),
        ("<Response 500>", r"\<Response 500>"),
        ("~~gone~~", r"\~\~gone\~\~"),
        ("test_of_slugs", "test_of_slugs"),
        ("__init__ and _x_", r"\_\_init\_\_ and \_x\_"),
        ("two\nlines\r\n\tand more ", "two lines and more"),
        ("\x1b[31mred\x00", "[31mred"),
        ("été, 数", "été, 数"),
        ("", ""),
    ],
)
def test_markup_is_escaped_and_the_rest_left_as_it_is(text: str, shown: str) -> None:
    assert one_line(text, 160) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("x" * 10, "x" * 10), ("x" * 11, "x" * 9 + "…"), ("12345678 90123", "12345678…"), ("||||||||||", r"\|" * 10)],
)
def test_long_text_is_cut_before_it_is_escaped(text: str, shown: str) -> None:
    assert one_line(text, 10) == shown


def test_code_cannot_end_early_or_break_a_table() -> None:
    assert code("suite/a`b|c[x_y]") == r"`suite/a'b\|c[x_y]`"


def test_names_stand_to_the_left_and_numbers_to_the_right() -> None:
    lines = markdown_table(["name", "number", "text"], [["a", "1", "x"], ["b", "1000000", "long"]], left=(0, 2))
    assert lines.splitlines()[2:] == ["| a      |        1 | x      |", "| b      |  1000000 | long   |"]
    assert markdown_table(["a"], [["007"]]).endswith("| 007 |")
