"""Errors raised by the inventory client."""

from __future__ import annotations


class InventoryError(Exception):
    """Base class of everything that can go wrong with a request."""


class ConnectionLost(InventoryError):
    """The connection broke; nobody knows whether the server handled the request."""


class ApiError(InventoryError):
    """The server answered with an error status."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(f"{status} {message}".strip())
        self.status = status


class NotFound(ApiError):
    """Status 404."""


class ServerBusy(ApiError):
    """Status 503; the server did not handle the request."""
