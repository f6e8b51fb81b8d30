"""Totals per business day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from sales import Sale
from stores import Store


def daily_totals(
    sales: Iterable[Sale], store: Store, first: date | None = None, last: date | None = None
) -> dict[date, int]:
    """Cents per business day of `store`, in order, from `first` to `last`."""
    totals: dict[date, int] = defaultdict(int)
    for sale in sales:
        if sale.store == store.name:
            totals[store.business_day(sale.at)] += sale.cents
    first = first or date.min
    last = last or date.max
    return {day: totals[day] for day in sorted(totals) if first <= day <= last}
