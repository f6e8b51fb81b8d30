"""Invoices for boats that leave."""

from berths import Stay
from tariffs import fee, label


def invoice(boat: str, tariff: str, stay: Stay) -> str:
    cents = fee(tariff, stay)
    return f"{boat}, {stay.nights} nights, {label(tariff)}: {cents // 100}.{cents % 100:02}"
