"""Free shipping for a limited time. Leave the block and the old threshold applies again."""

from collections.abc import Iterator
from contextlib import contextmanager

import orders


@contextmanager
def free_shipping(from_cents: int = 0) -> Iterator[None]:
    before = orders.free_shipping_from
    orders.set_free_shipping_from(from_cents)
    try:
        yield
    finally:
        orders.set_free_shipping_from(before)


def banner() -> str:
    return f"Free shipping from {orders.format_cents(orders.free_shipping_from)}"
