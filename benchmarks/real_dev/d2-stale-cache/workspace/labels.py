"""Price labels for the shelves."""

from __future__ import annotations

from backend import Product
from catalogue import Catalogue


def labels(catalogue: Catalogue, category: str) -> str:
    """A line for each product of a category."""
    return "".join(_label(product) for product in catalogue.in_category(category))


def _label(product: Product) -> str:
    return f"{product['sku']:<12}{product['cents'] / 100:>9.2f}\n"
