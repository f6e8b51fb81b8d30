"""Requests to the ticket API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Transport = Callable[[str, Mapping[str, str]], tuple[int, Any]]

ATTEMPTS = 3


class ApiError(Exception):
    """An answer that is not the one we need."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the API answered with status {status}")
        self.status = status


class Client:
    """Sends requests by way of a transport, which takes path and parameters and returns status and decoded body."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, path: str, **params: object) -> Any:
        """The body of the answer; parameters that are None are left out."""
        texts = {name: str(value) for name, value in params.items() if value is not None}
        status = 0
        for _ in range(ATTEMPTS):
            status, body = self._transport(path, texts)
            if status == 200:
                return body
            if status not in (429, 503):
                break
        raise ApiError(status)
