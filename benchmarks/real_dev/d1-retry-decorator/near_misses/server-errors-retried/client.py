"""Client of the inventory API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from errors import ApiError, ConnectionLost, NotFound, ServerBusy
from retry import retry


class InventoryClient:
    """Read and change the stock of the warehouse.

    `transport` has a method `send(method, path, payload=None)`, see transport.HttpTransport.
    """

    def __init__(
        self,
        transport: Any,
        attempts: int = 4,
        base_delay: float = 0.2,
        max_delay: float = 2.0,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._transport = transport
        settings = {"attempts": attempts, "base_delay": base_delay, "max_delay": max_delay, "sleep": sleep}
        self._request = retry(exceptions=(ConnectionLost, ApiError), **settings)(self._request_once)
        self._request_if_busy = retry(exceptions=ServerBusy, **settings)(self._request_once)

    def get_item(self, sku: str) -> dict:
        """Return one item."""
        return self._request("GET", f"/items/{sku}")

    def set_stock(self, sku: str, quantity: int) -> dict:
        """Set the stock of an item and return the item."""
        return self._request("PUT", f"/items/{sku}/stock", {"quantity": quantity})

    def create_order(self, sku: str, quantity: int) -> dict:
        """Order more of an item and return the new order."""
        return self._request_if_busy("POST", "/orders", {"sku": sku, "quantity": quantity})

    def iter_items(self) -> Iterator[dict]:
        """Yield all items, fetching page after page."""
        page: int | None = 1
        while page is not None:
            data = self._request("GET", f"/items?page={page}")
            yield from data["items"]
            page = data["next_page"]

    def _request_once(self, method: str, path: str, payload: Any = None) -> Any:
        response = self._transport.send(method, path, payload)
        if response.status == 404:
            raise NotFound(404, path)
        if response.status == 503:
            raise ServerBusy(503, path)
        if response.status >= 400:
            raise ApiError(response.status, path)
        return response.data
