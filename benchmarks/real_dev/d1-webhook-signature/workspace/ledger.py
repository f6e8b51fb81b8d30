"""Payments in memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Payment:
    order: str
    cents: int


class Ledger:
    def __init__(self) -> None:
        self.payments: list[Payment] = []

    def book(self, payment: Payment) -> None:
        self.payments.append(payment)

    def balance(self, order: str) -> int:
        return sum(payment.cents for payment in self.payments if payment.order == order)
