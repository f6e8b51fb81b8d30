"""The product catalogue."""

from __future__ import annotations

import time
from collections.abc import Callable

from backend import Backend, Product
from cache import TtlCache
from keys import category_key, product_key


class NotFound(Exception):
    """There is no such product."""


class Catalogue:
    """Products, read through a cache."""

    def __init__(self, backend: Backend, ttl: float = 300, clock: Callable[[], float] = time.monotonic) -> None:
        self._backend = backend
        self._cache = TtlCache(ttl, clock)

    def get(self, sku: str) -> Product | None:
        return self._cache.get_or_load(product_key(sku), lambda: self._backend.fetch(sku))

    def in_category(self, category: str) -> list[Product]:
        return self._cache.get_or_load(
            category_key(category),
            lambda: sorted(self._backend.fetch_category(category), key=lambda product: product["sku"]),
        )

    def save(self, product: Product) -> None:
        self._cache.put(product_key(product["sku"]), product)
        self._backend.write(product)
        self._cache.drop(category_key(product["category"]))

    def change_price(self, sku: str, cents: int) -> None:
        product = self.get(sku)
        if product is None:
            raise NotFound(sku)
        product["cents"] = cents
        self._backend.write(product)

    def delete(self, sku: str) -> bool:
        existed = self._backend.remove(sku)
        if existed:
            self._cache.drop(product_key(sku))
        return existed
