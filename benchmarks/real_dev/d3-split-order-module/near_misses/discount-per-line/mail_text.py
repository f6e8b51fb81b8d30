"""The texts of mails to customers."""

from __future__ import annotations

from order_types import Order
from pricing import discount_cents, line_cents, shipping_cents, total_cents


def format_cents(cents: int) -> str:
    return f"EUR {cents // 100}.{cents % 100:02}"


def confirmation_mail(order: Order, number: int) -> str:
    rows = [f"{line.packs} x {line.tea}: {format_cents(line_cents(line))}" for line in order.lines]
    if discount := discount_cents(order):
        rows.append(f"Discount: -{format_cents(discount)}")
    rows.append(f"Shipping: {format_cents(shipping_cents(order))}")
    rows.append(f"Total: {format_cents(total_cents(order))}")
    return "\n".join([f"Dear {order.customer},", f"thank you for order {number}.", *rows])


def regret_mail(order: Order, missing: dict[str, int]) -> str:
    rows = [f"{packs} x {tea} too few" for tea, packs in sorted(missing.items())]
    return "\n".join([f"Dear {order.customer},", "we cannot fill your order yet:", *rows])
