import json
import os
import time
from datetime import date, datetime, timedelta, timezone

import pytest
from main import main
from report import daily_totals
from sales import read_sales
from stores import load_stores
from timestamps import parse_time

STORES = {
    "harbour": {"utc_offset": "+01:00", "day_start": "04:30"},
    "bengaluru": {"utc_offset": "+05:30", "day_start": "05:00"},
    "signal-hill": {"utc_offset": "-03:30", "day_start": "04:00"},
    "marquesas": {"utc_offset": "-09:30", "day_start": "00:00"},
    "shore": {"utc_offset": "-00:30", "day_start": "00:00"},
    "line": {"utc_offset": "+14:00", "day_start": "03:00"},
}


def day(number):
    return date(2024, 3, number)


@pytest.fixture
def stores(tmp_path):
    path = tmp_path / "stores.json"
    path.write_text(json.dumps(STORES))
    return load_stores(path)


def sales_of(store, *times):
    """Sales of one store; the n-th one is worth 10 ** n cents, so that a sum tells which ones are in it."""
    lines = [json.dumps({"store": store, "at": at, "cents": 10**n}) for n, at in enumerate(times)]
    return list(read_sales(lines))


def nonzero(totals):
    return {day: cents for day, cents in totals.items() if cents}


@pytest.mark.parametrize(
    ("store", "at", "expected"),
    [
        ("bengaluru", "2024-03-08T23:50:00+01:00", 8),
        ("bengaluru", "2024-03-09T00:30:00+01:00", 9),
        ("bengaluru", "2024-03-08T15:40:00-08:00", 9),
        ("harbour", "2024-03-09T05:59:00+03:00", 8),
    ],
)
def test_the_offset_of_the_till_is_taken_into_account(stores, store, at, expected):
    assert nonzero(daily_totals(sales_of(store, at), stores[store])) == {day(expected): 1}


@pytest.mark.parametrize(
    ("store", "last_of_the_8th", "first_of_the_9th"),
    [
        ("signal-hill", "2024-03-09T07:10:00Z", "2024-03-09T07:30:00Z"),
        ("marquesas", "2024-03-09T09:29:00Z", "2024-03-09T09:30:00Z"),
        ("shore", "2024-03-09T00:29:59Z", "2024-03-09T00:30:00Z"),
    ],
)
def test_stores_west_of_utc_with_half_hours(stores, store, last_of_the_8th, first_of_the_9th):
    sales = sales_of(store, last_of_the_8th, first_of_the_9th)
    assert daily_totals(sales, stores[store]) == {day(8): 1, day(9): 10}


@pytest.mark.parametrize(
    ("before", "after"),
    [("03:29:59", "03:45:00"), ("03:05:00", "03:30:00"), ("03:29:59.999999", "04:10:00")],
)
def test_the_day_begins_at_the_day_start_with_its_minutes(stores, before, after):
    sales = sales_of("harbour", f"2024-03-09T{before}+00:00", f"2024-03-09T{after}Z")
    assert daily_totals(sales, stores["harbour"]) == {day(8): 1, day(9): 10}


def test_a_single_day_contains_the_sales_after_midnight(stores):
    sales = sales_of(
        "harbour",
        "2024-03-08T03:29:00Z",  # 04:29 on the 8th, belongs to the 7th
        "2024-03-08T03:30:00Z",
        "2024-03-08T22:30:00Z",
        "2024-03-09T03:20:00Z",  # 04:20 on the 9th
        "2024-03-09T08:00:00Z",
    )
    sales += sales_of("bengaluru", "2024-03-08T10:00:00Z")
    assert daily_totals(sales, stores["harbour"], day(8), day(8)) == {day(8): 1110}


@pytest.mark.parametrize("store", sorted(STORES))
def test_a_day_has_the_same_total_in_every_range(stores, store):
    start = datetime(2024, 3, 5, tzinfo=timezone.utc)
    times = [(start + timedelta(minutes=75 * step)).isoformat() for step in range(100)]
    lines = [json.dumps({"store": store, "at": at, "cents": 100 + n}) for n, at in enumerate(times)]
    sales = list(read_sales(lines))
    whole = daily_totals(sales, stores[store])
    assert sum(whole.values()) == sum(sale.cents for sale in sales)
    for single, cents in whole.items():
        assert daily_totals(sales, stores[store], single, single) == {single: cents}


def test_a_range_that_is_open_on_one_side_has_no_days_beyond_the_other(stores):
    sales = sales_of("bengaluru", "2024-03-06T10:00:00Z", "2024-03-07T23:00:00Z", "2024-03-08T10:00:00Z")
    store = stores["bengaluru"]
    assert daily_totals(sales, store, first=day(7)) == {day(7): 10, day(8): 100}
    assert daily_totals(sales, store, last=day(7)) == {day(6): 1, day(7): 10}


def test_days_without_sales_are_listed(stores):
    sales = sales_of("harbour", "2024-03-05T10:00:00Z", "2024-03-08T01:00:00Z")
    totals = daily_totals(sales, stores["harbour"], day(4), day(8))
    assert list(totals.items()) == [(day(4), 0), (day(5), 1), (day(6), 0), (day(7), 10), (day(8), 0)]


@pytest.mark.parametrize("zone", ["EAST-14", "WEST+11"])
def test_times_without_an_offset_are_utc_on_every_machine(monkeypatch, stores, zone):
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        sales = sales_of("harbour", "2024-03-09T03:29:00", "2024-03-09T03:31:00")
        totals = daily_totals(sales, stores["harbour"])
    finally:
        if before is None:
            monkeypatch.delenv("TZ")
        else:
            monkeypatch.setenv("TZ", before)
        time.tzset()
    assert totals == {day(8): 1, day(9): 10}


@pytest.mark.parametrize("text", ["2024-03-09T01:30:00+05:30", "2024-03-08T16:30:00-03:30"])
def test_times_are_read_as_aware_utc(text):
    moment = parse_time(text)
    assert moment == datetime(2024, 3, 8, 20, tzinfo=timezone.utc)
    assert moment.utcoffset() == timedelta(0)


def test_the_command_prints_the_day_with_its_late_sales(tmp_path, capsys):
    (tmp_path / "stores.json").write_text(json.dumps(STORES))
    lines = [
        {"store": "harbour", "at": "2024-03-08T12:00:00+01:00", "cents": 123400},
        {"store": "harbour", "at": "2024-03-09T04:10:00+01:00", "cents": 56},
        {"store": "harbour", "at": "2024-03-09T04:40:00+01:00", "cents": 9},
    ]
    (tmp_path / "sales.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    names = [str(tmp_path / "stores.json"), str(tmp_path / "sales.jsonl")]
    assert main([*names, "--store", "harbour", "--from", "2024-03-08", "--to", "2024-03-08"]) == 0
    assert capsys.readouterr().out == "2024-03-08  1,234.56\n"
