"""The amounts of an invoice."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from model import Invoice
from money import percent_of, round_cents


@dataclass(frozen=True)
class Group:
    """The lines of one tax rate together."""

    tax_rate: Decimal
    discount: Decimal
    net: Decimal
    tax: Decimal


@dataclass(frozen=True)
class Totals:
    """All amounts of an invoice, in cents; the groups are in ascending order of their tax rates."""

    lines: tuple[Decimal, ...]
    subtotal: Decimal
    discount: Decimal
    groups: tuple[Group, ...]
    tax: Decimal
    total: Decimal


def compute(invoice: Invoice) -> Totals:
    """Compute the amounts of an invoice."""
    sums: dict[Decimal, Decimal] = {}
    for line in invoice.lines:
        sums[line.tax_rate] = sums.get(line.tax_rate, Decimal(0)) + line.net

    groups = []
    for rate, amount in sorted(sums.items()):
        discount = round_cents(percent_of(amount, invoice.discount))
        net = amount - discount
        groups.append(Group(rate, discount, net, round_cents(percent_of(net, rate))))

    zero = Decimal("0.00")
    subtotal = sum(sums.values(), zero)
    discount = sum((group.discount for group in groups), zero)
    tax = sum((group.tax for group in groups), zero)
    return Totals(
        lines=tuple(line.net for line in invoice.lines),
        subtotal=subtotal,
        discount=discount,
        groups=tuple(groups),
        tax=tax,
        total=subtotal - discount + tax,
    )
