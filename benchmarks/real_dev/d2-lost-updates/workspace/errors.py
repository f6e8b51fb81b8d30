"""What can be wrong with a request."""

from __future__ import annotations


class StockError(Exception):
    """Base class of the errors of this package."""


class UnknownSku(StockError):
    """There has never been such an article."""


class OutOfStock(StockError):
    """Too few pieces are left."""


class UnknownOrder(StockError):
    """There has never been such an order."""


class DuplicateOrder(StockError):
    """The order id has been used before."""
