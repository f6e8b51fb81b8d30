"""Keys of the cache."""

from __future__ import annotations


def product_key(sku: str) -> str:
    return f"{sku}:product"


def category_key(category: str) -> str:
    return f"{category}:category"
