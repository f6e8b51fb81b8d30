"""The payments of a ledger as text, for the monthly statement."""

from __future__ import annotations

from ledger import Ledger


def statement(ledger: Ledger) -> str:
    lines = [f"{payment.order:<12}{payment.cents / 100:>10.2f}" for payment in ledger.payments]
    total = sum(payment.cents for payment in ledger.payments)
    return "\n".join([*lines, f"{'total':<12}{total / 100:>10.2f}", ""])
