"""The product database, as the catalogue sees it."""

from __future__ import annotations

from typing import Any, Protocol

Product = dict[str, Any]


class BackendError(Exception):
    """The database could not be reached, or the connection broke while it worked."""


class Backend(Protocol):
    """Every call can raise `BackendError`."""

    def fetch(self, sku: str) -> Product | None:
        """The product with a SKU."""
        ...

    def fetch_category(self, category: str) -> list[Product]:
        """The products of a category, in no particular order."""
        ...

    def write(self, product: Product) -> None:
        """Create or replace a product, which has at least `sku`, `category`, `cents` and `tags`, a list of texts."""
        ...

    def remove(self, sku: str) -> bool:
        """Remove a product; whether there was one."""
        ...
