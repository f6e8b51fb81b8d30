"""WSGI application that receives messages of Ferrypay.

POST /hooks/ferrypay      {"order": "...", "cents": 1250}; 200, {"status": "booked"}; 400
GET  /orders/<id>/balance 200, {"order": "...", "cents": 1250}
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus

from ledger import Ledger, Payment

WSGIApp = Callable[[dict, Callable], Iterable[bytes]]


class HookApp:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        status, payload = self._route(environ)
        body = json.dumps(payload).encode("utf-8")
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]

    def _route(self, environ: dict) -> tuple[HTTPStatus, dict]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if (method, path) == ("POST", "/hooks/ferrypay"):
            return self._receive(environ)
        if method == "GET" and (match := re.fullmatch(r"/orders/([\w-]+)/balance", path)):
            return HTTPStatus.OK, {"order": match[1], "cents": self._ledger.balance(match[1])}
        return HTTPStatus.NOT_FOUND, {"error": "not found"}

    def _receive(self, environ: dict) -> tuple[HTTPStatus, dict]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            data = json.loads(body)
            payment = Payment(str(data["order"]), int(data["cents"]))
        except (ValueError, KeyError, TypeError):
            return HTTPStatus.BAD_REQUEST, {"error": "malformed message"}
        self._ledger.book(payment)
        return HTTPStatus.OK, {"status": "booked"}


def create_app(ledger: Ledger) -> WSGIApp:
    return HookApp(ledger)
