"""Price tags in several currencies."""

from __future__ import annotations

from collections.abc import Iterable

from rates import RateService


def price_tag(name: str, cents: int, currencies: Iterable[str], service: RateService) -> str:
    amounts = [f"{currency} {service.in_currency(cents, currency)}" for currency in currencies]
    return f"{name}: {' / '.join(amounts)}"
