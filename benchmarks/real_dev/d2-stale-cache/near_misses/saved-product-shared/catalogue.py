"""The product catalogue."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy

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
        return deepcopy(self._cache.get_or_load(product_key(sku), lambda: self._backend.fetch(sku)))

    def in_category(self, category: str) -> list[Product]:
        products = self._cache.get_or_load(
            category_key(category),
            lambda: sorted(self._backend.fetch_category(category), key=lambda product: product["sku"]),
        )
        return deepcopy(products)

    def save(self, product: Product) -> None:
        try:
            self._backend.write(deepcopy(product))
        finally:
            self._forget(product["sku"])
            self._cache.drop(category_key(product["category"]))
        self._cache.put(product_key(product["sku"]), product)

    def change_price(self, sku: str, cents: int) -> None:
        product = self.get(sku)
        if product is None:
            raise NotFound(sku)
        self.save({**product, "cents": cents})

    def delete(self, sku: str) -> bool:
        try:
            return self._backend.remove(sku)
        finally:
            self._forget(sku)

    def _forget(self, sku: str) -> None:
        """Drop a product and the categories that it was in."""
        self._cache.drop(product_key(sku))
        self._cache.drop_if(lambda value: isinstance(value, list) and any(product["sku"] == sku for product in value))
