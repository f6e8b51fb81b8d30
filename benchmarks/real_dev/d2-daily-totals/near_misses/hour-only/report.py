"""Totals per business day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from sales import Sale
from stores import Store


def daily_totals(
    sales: Iterable[Sale], store: Store, first: date | None = None, last: date | None = None
) -> dict[date, int]:
    """Cents per business day of `store`, in order, from `first` to `last`."""
    totals: dict[date, int] = defaultdict(int)
    for sale in select(sales, store, first, last):
        totals[store.business_day(sale.at)] += sale.cents
    if not totals and (first is None or last is None):
        return {}
    begin = first or min(totals)
    end = last or max(totals)
    return {day: totals.get(day, 0) for day in days_between(begin, end)}


def select(sales: Iterable[Sale], store: Store, first: date | None, last: date | None) -> Iterator[Sale]:
    """The sales of a store in a range of business days; None leaves the range open on that side."""
    for sale in sales:
        if sale.store != store.name:
            continue
        day = store.business_day(sale.at)
        if (first is None or day >= first) and (last is None or day <= last):
            yield sale


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included."""
    day = first
    while day <= last:
        yield day
        day += timedelta(days=1)
