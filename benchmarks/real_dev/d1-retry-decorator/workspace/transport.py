"""HTTP transport of the inventory client."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any, NamedTuple

from errors import ConnectionLost


class Response(NamedTuple):
    status: int
    data: Any = None


class HttpTransport:
    """Send JSON requests to the inventory server.

    `send` returns a Response for every answer of the server, error statuses included, and raises
    ConnectionLost if there is no answer.
    """

    def __init__(self, base_url: str, timeout: float = 10.0) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout

    def send(self, method: str, path: str, payload: Any = None) -> Response:
        body = None if payload is None else json.dumps(payload).encode("utf-8")
        request = urllib.request.Request(self._base_url + path, data=body, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:
                return Response(answer.status, json.loads(answer.read() or b"null"))
        except urllib.error.HTTPError as error:
            return Response(error.code)
        except OSError as error:
            raise ConnectionLost(str(error)) from error
