import pytest
from ledger_lines import ledger

RULE = "-" * 38


def lines(*entries):
    text = ledger(list(entries))
    assert text.endswith("\n")
    return text[:-1].split("\n")


def amount(cents):
    return lines((1, 1, "Glue", cents))[0][26:]


def test_an_entry_has_its_four_columns():
    assert lines((7, 11, "Nails", 1250))[0] == "07/11 Nails                     12.50 "


def test_day_and_month_have_two_digits():
    assert lines((7, 3, "Tar", 100))[0].startswith("07/03 Tar  ")
    assert lines((25, 12, "Tar", 100))[0].startswith("25/12 Tar  ")


def test_entries_keep_their_order_and_are_followed_by_rule_and_total():
    assert ledger([(9, 1, "Wax", 300), (2, 1, "Oil", 45), (9, 1, "Ale", 1000)]) == (
        "09/01 Wax                        3.00 \n"
        "02/01 Oil                        0.45 \n"
        "09/01 Ale                       10.00 \n"
        "--------------------------------------\n"
        "      Total                     13.45 \n"
    )


def test_no_entries_leave_the_rule_and_a_total_of_zero():
    assert ledger([]) == RULE + "\n" + "      Total                      0.00 \n"


def test_a_negative_amount_stands_in_brackets():
    assert amount(-1205) == "     (12.05)"
    assert amount(-99) == "      (0.99)"
    assert amount(-5) == "      (0.05)"


def test_a_negative_amount_without_cents_stands_in_brackets():
    assert amount(-500) == "      (5.00)"


def test_cents_have_two_digits():
    assert amount(5) == "       0.05 "
    assert amount(100) == "       1.00 "
    assert amount(110) == "       1.10 "


def test_large_amounts_are_grouped_by_threes():
    assert amount(99999) == "     999.99 "
    assert amount(100000) == "   1'000.00 "
    assert amount(-12345678) == "(123'456.78)"
    assert amount(12345678) == " 123'456.78 "


def test_a_negative_amount_of_three_digits_has_no_group():
    assert amount(-12345) == "    (123.45)"
    assert amount(-100005) == "  (1'000.05)"


def test_an_amount_may_fill_its_column():
    assert lines((1, 1, "a" * 19, -99999999))[0] == "01/01 " + "a" * 19 + " (999'999.99)"


def test_large_amounts_are_exact():
    assert lines((1, 1, "x", 99999999), (1, 1, "y", -99999998))[-1].endswith("       0.01 ")
    assert amount(99999997) == " 999'999.97 "
    assert amount(115) == "       1.15 "


def test_a_text_of_19_characters_is_not_cut():
    assert lines((1, 2, "Twelve copper nails", 5))[0] == "01/02 Twelve copper nails        0.05 "


def test_a_text_of_20_characters_is_cut_to_18_and_a_tilde():
    assert lines((1, 2, "Twelve copper  nails", 5))[0] == "01/02 Twelve copper  nai~        0.05 "


def test_spaces_before_the_cut_are_removed():
    assert lines((1, 2, "Eighteen letters   and more", 5))[0] == "01/02 Eighteen letters~          0.05 "


def test_spaces_at_the_end_of_a_text_count_towards_its_length():
    assert lines((1, 2, "Rope" + " " * 15, 5))[0] == "01/02 Rope                       0.05 "
    assert lines((1, 2, "Rope" + " " * 16, 5))[0] == "01/02 Rope~                      0.05 "


def test_spaces_at_the_start_of_a_text_stay():
    assert lines((1, 2, "  Rope", 5))[0] == "01/02   Rope                     0.05 "


def test_an_empty_text_leaves_its_column_blank():
    assert lines((1, 2, "", 5))[0] == "01/02" + " " * 28 + "0.05 "


@pytest.mark.parametrize(
    ("cents", "total"),
    [
        ([1250, -123405], "      Total                 (1'221.55)"),
        ([-500, 500], "      Total                      0.00 "),
        ([-1, -1], "      Total                     (0.02)"),
        ([60000, 60000], "      Total                  1'200.00 "),
    ],
)
def test_the_total_is_the_sum_of_all_amounts(cents, total):
    assert lines(*[(3, 3, "Sand", part) for part in cents])[-1] == total


def test_every_line_has_38_characters():
    entries = [(1, 1, "", 0), (31, 12, "A text that is much too long", -4), (5, 5, "Boards and beams 4 x 4", 7890123)]
    assert [len(line) for line in lines(*entries)] == [38] * 5
