"""WSGI application of the box office."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus

from idempotency import IdempotencyMiddleware
from office import AlreadyRefunded, BoxOffice, SoldOut

WSGIApp = Callable[[dict, Callable], Iterable[bytes]]
Answer = tuple[HTTPStatus, dict]


class BoxOfficeApp:
    def __init__(self, office: BoxOffice) -> None:
        self._office = office

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        status, payload = self._route(environ)
        body = json.dumps(payload).encode("utf-8")
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        if status is HTTPStatus.CREATED:
            headers.append(("Location", f"/bookings/{payload['id']}"))
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]

    def _route(self, environ: dict) -> Answer:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if method == "GET" and (match := re.fullmatch(r"/shows/([\w-]+)", path)):
            free = self._office.free(match[1])
            return not_found() if free is None else (HTTPStatus.OK, {"show": match[1], "free": free})
        if method == "POST" and (match := re.fullmatch(r"/shows/([\w-]+)/bookings", path)):
            return self._book(match[1], environ)
        if method == "GET" and (match := re.fullmatch(r"/bookings/([0-9]{1,9})", path)):
            booking = self._office.booking(int(match[1]))
            return (HTTPStatus.OK, booking) if booking else not_found()
        if method == "POST" and (match := re.fullmatch(r"/bookings/([0-9]{1,9})/refund", path)):
            return self._refund(int(match[1]))
        return not_found()

    def _book(self, show: str, environ: dict) -> Answer:
        try:
            seats = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))["seats"]
        except (ValueError, KeyError, TypeError):
            return HTTPStatus.BAD_REQUEST, {"error": "body is not understood"}
        if type(seats) is not int or seats < 1:
            return HTTPStatus.BAD_REQUEST, {"error": "seats must be a positive integer"}
        if self._office.free(show) is None:
            return not_found()
        try:
            return HTTPStatus.CREATED, self._office.book(show, seats)
        except SoldOut:
            return HTTPStatus.CONFLICT, {"error": "not enough free seats"}

    def _refund(self, number: int) -> Answer:
        if self._office.booking(number) is None:
            return not_found()
        try:
            return HTTPStatus.OK, self._office.refund(number)
        except AlreadyRefunded:
            return HTTPStatus.CONFLICT, {"error": "was refunded before"}


def not_found() -> Answer:
    return HTTPStatus.NOT_FOUND, {"error": "not found"}


def create_app(office: BoxOffice, ttl: float = 86400.0, clock: Callable[[], float] = time.time) -> WSGIApp:
    return IdempotencyMiddleware(BoxOfficeApp(office), ttl, clock)
