"""WSGI application of the sightings service."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from urllib.parse import parse_qs

from store import SightingStore

WSGIApp = Callable[[dict, Callable], Iterable[bytes]]


class SightingsApp:
    def __init__(self, store: SightingStore) -> None:
        self._store = store

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        status, payload = self._route(environ)
        body = json.dumps(payload).encode("utf-8")
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]

    def _route(self, environ: dict) -> tuple[HTTPStatus, dict]:
        if environ["REQUEST_METHOD"] != "GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, {"error": "method not allowed"}
        path = environ["PATH_INFO"]
        if path == "/sightings":
            return self._list(parse_qs(environ.get("QUERY_STRING", "")))
        if path.startswith("/sightings/"):
            return self._show(path.removeprefix("/sightings/"))
        return HTTPStatus.NOT_FOUND, {"error": "not found"}

    def _list(self, query: dict[str, list[str]]) -> tuple[HTTPStatus, dict]:
        species = query.get("species", [None])[0]
        return HTTPStatus.OK, {"sightings": self._store.all(species)}

    def _show(self, sighting_id: str) -> tuple[HTTPStatus, dict]:
        sighting = self._store.get(int(sighting_id)) if sighting_id.isdecimal() else None
        if sighting is None:
            return HTTPStatus.NOT_FOUND, {"error": "no such sighting"}
        return HTTPStatus.OK, sighting


def create_app(store: SightingStore) -> WSGIApp:
    return SightingsApp(store)
