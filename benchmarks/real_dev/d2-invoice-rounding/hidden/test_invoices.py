import json
import threading
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal, getcontext, localcontext

import pytest
from invoice import main
from load import read_invoice
from money import round_cents
from totals import compute


def line(quantity, unit_price, tax_rate="0", discount=None):
    more = "" if discount is None else f', "discount": {discount}'
    return f'{{"text": "x", "quantity": {quantity}, "unit_price": {unit_price}, "tax_rate": {tax_rate}{more}}}'


def invoice_text(*lines, discount=None):
    more = "" if discount is None else f'"discount": {discount}, '
    return f'{{"number": "1", {more}"lines": [{", ".join(lines)}]}}'


def totals_of(*lines, discount=None):
    return compute(read_invoice(invoice_text(*lines, discount=discount)))


def amounts(totals):
    """All amounts of an invoice as they would be printed without further rounding."""
    groups = [(str(group.discount), str(group.net), str(group.tax)) for group in totals.groups]
    rest = [str(totals.subtotal), str(totals.discount), str(totals.tax), str(totals.total)]
    return [str(amount) for amount in totals.lines], groups, rest


def test_the_subtotal_is_the_sum_of_the_rounded_lines():
    totals = totals_of(*[line(1, "0.334")] * 3)
    assert amounts(totals) == (["0.33"] * 3, [("0.00", "0.99", "0.00")], ["0.99", "0.00", "0.00", "0.99"])


@pytest.mark.parametrize(
    ("quantity", "price", "expected"),
    [("3", "0.335", "1.01"), ("1", "0.125", "0.13"), ("1", "0.165", "0.17"), ("0.5", "0.25", "0.13")],
)
def test_half_a_cent_makes_the_amount_larger(quantity, price, expected):
    assert amounts(totals_of(line(quantity, price)))[0] == [expected]


@pytest.mark.parametrize(
    ("quantity", "price", "expected"),
    [("1", "2.675", "2.68"), ("1", "1.005", "1.01"), ("1.1", "0.35", "0.39"), ("0.145", "1", "0.15")],
)
def test_numbers_of_the_file_are_taken_as_written(quantity, price, expected):
    assert amounts(totals_of(line(quantity, price)))[0] == [expected]


def test_percentages_of_the_file_are_taken_as_written():
    totals = totals_of(line(100, 1, tax_rate="8.025"), line(100, 1, discount="0.015"), discount="0.035")
    assert amounts(totals) == (
        ["100.00", "99.99"],
        [("0.03", "99.96", "0.00"), ("0.04", "99.96", "8.02")],
        ["199.99", "0.07", "8.02", "207.94"],
    )


def test_the_discount_of_the_invoice_is_the_sum_over_the_groups():
    totals = totals_of(line(1, "10.10", 7), line(1, "10.10", 19), discount=5)
    assert amounts(totals) == (
        ["10.10", "10.10"],
        [("0.51", "9.59", "0.67"), ("0.51", "9.59", "1.82")],
        ["20.20", "1.02", "2.49", "21.67"],
    )


@pytest.mark.parametrize(
    ("price", "rate", "discount", "group", "total"),
    [
        ("9.50", 20, 5, ("0.48", "9.02", "1.80"), "10.82"),
        ("17.50", 20, 1, ("0.18", "17.32", "3.46"), "20.78"),
        ("22.30", 19, 5, ("1.12", "21.18", "4.02"), "25.20"),
    ],
)
def test_tax_is_taken_from_the_net_amount_after_the_rounded_discount(price, rate, discount, group, total):
    totals = totals_of(line(1, price, rate), discount=discount)
    assert amounts(totals) == ([price], [group], [price, group[0], group[2], total])


def test_tax_is_rounded_per_group_and_not_per_line():
    totals = totals_of(*[line(1, "0.33", 7)] * 3, line(1, "0.33", 19))
    assert amounts(totals) == (
        ["0.33"] * 4,
        [("0.00", "0.99", "0.07"), ("0.00", "0.33", "0.06")],
        ["1.32", "0.00", "0.13", "1.45"],
    )
    totals = totals_of(*[line(1, "0.08", 7)] * 4)
    assert str(totals.tax) == "0.02", "7 % of 0.32"


def test_tax_of_lines_with_parts_of_cents_is_taken_from_the_rounded_lines():
    totals = totals_of(*[line(1, "0.014", 50)] * 4)
    assert amounts(totals) == (["0.01"] * 4, [("0.00", "0.04", "0.02")], ["0.04", "0.00", "0.02", "0.06"])


@pytest.mark.parametrize(
    ("quantity", "price", "discount", "expected"),
    [("1", "2.265", "20", "1.81"), ("3", "0.335", "10", "0.90"), ("1", "0.995", "0.5", "0.99")],
)
def test_a_line_with_discount_is_rounded_once(quantity, price, discount, expected):
    assert amounts(totals_of(line(quantity, price, discount=discount)))[0] == [expected]


def test_the_same_rate_written_differently_is_one_group():
    totals = totals_of(line(1, "0.08", "7"), line(1, "0.08", "7.0"), line(1, "1", "19"), line(1, "1", "0"))
    assert [group.tax_rate for group in totals.groups] == [0, 7, 19]
    assert [str(group.tax) for group in totals.groups] == ["0.00", "0.01", "0.19"]


def test_a_credit_note_is_the_mirror_of_its_invoice():
    def lines(sign):
        return line(f"{sign}3", "0.335", 7), line(f"{sign}1", "0.125", 19, discount=4), line(f"{sign}1", "1.30", 19)

    invoice, note = totals_of(*lines(""), discount=5), totals_of(*lines("-"), discount=5)
    assert amounts(invoice)[0] == ["1.01", "0.12", "1.30"]
    assert [-amount for amount in note.lines] == list(invoice.lines)
    assert (note.subtotal, note.discount) == (-invoice.subtotal, -invoice.discount)
    assert (note.tax, note.total) == (-invoice.tax, -invoice.total)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("1.005", "1.01"), ("-1.005", "-1.01"), ("-0.125", "-0.13")],
)
def test_round_cents_rounds_half_a_cent_away_from_zero(amount, expected):
    assert str(round_cents(Decimal(amount))) == expected


def test_the_thread_makes_no_difference():
    results = []
    text = invoice_text(line(3, "0.335", 7), line(1, "0.125", 19), discount=5)
    thread = threading.Thread(target=lambda: results.append(amounts(compute(read_invoice(text)))), daemon=True)
    thread.start()
    thread.join(5)
    assert results == [amounts(compute(read_invoice(text)))]
    assert results[0][0] == ["1.01", "0.13"]


@pytest.mark.parametrize("rounding", [ROUND_DOWN, ROUND_CEILING])
def test_the_rounding_mode_of_the_caller_makes_no_difference_and_stays(rounding):
    lines = line(3, "0.335", 7), line(1, "0.122", 19)
    with localcontext() as context:
        context.rounding = rounding
        assert amounts(totals_of(*lines, discount=5))[0] == ["1.01", "0.12"]
        assert getcontext().rounding == rounding


def test_the_printed_invoice_shows_the_computed_amounts(tmp_path, capsys):
    entries = [
        {"text": "Discs", "quantity": 3, "unit_price": 0.335, "tax_rate": 19},
        {"text": "Handbook", "quantity": 1, "unit_price": 10.10, "tax_rate": 7},
    ]
    path = tmp_path / "invoice.json"
    path.write_text(json.dumps({"number": "7", "discount": 5, "lines": entries}))
    assert main([str(path)]) == 0
    printed = [row.split()[-1] for row in capsys.readouterr().out.splitlines() if row]
    assert printed == ["7", "1.01", "10.10", "11.11", "-0.56", "0.67", "0.18", "11.40"]
