"""The balance sheet as text."""

from __future__ import annotations

from collections.abc import Iterable

from audit import Entry


def balance_sheet(entries: Iterable[Entry]) -> str:
    """The last balance of each account, by name."""
    balances = {entry.account: entry.balance for entry in entries}
    return "".join(f"{name:<20}{cents / 100:>12.2f}\n" for name, cents in sorted(balances.items()))
