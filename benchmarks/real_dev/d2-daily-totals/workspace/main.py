"""Print the daily totals of a store."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from money import format_cents
from report import daily_totals
from sales import read_sales
from stores import load_stores


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stores", type=Path)
    parser.add_argument("sales", type=Path)
    parser.add_argument("--store", required=True)
    parser.add_argument("--from", dest="first", type=date.fromisoformat)
    parser.add_argument("--to", dest="last", type=date.fromisoformat)
    options = parser.parse_args(argv)

    store = load_stores(options.stores)[options.store]
    with options.sales.open(encoding="utf-8") as lines:
        totals = daily_totals(read_sales(lines), store, options.first, options.last)
    for day, cents in totals.items():
        print(f"{day}  {format_cents(cents)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
