"""WSGI application of the sightings service."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from urllib.parse import parse_qs

from cursors import BadCursor, CursorCodec
from store import SightingStore

DEFAULT_LIMIT = 20
MAX_LIMIT = 100

WSGIApp = Callable[[dict, Callable], Iterable[bytes]]


class SightingsApp:
    def __init__(self, store: SightingStore, secret: bytes) -> None:
        self._store = store
        self._cursors = CursorCodec(secret)

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
            return self._list(parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        if path.startswith("/sightings/"):
            return self._show(path.removeprefix("/sightings/"))
        return HTTPStatus.NOT_FOUND, {"error": "not found"}

    def _list(self, query: dict[str, list[str]]) -> tuple[HTTPStatus, dict]:
        species = query.get("species", [""])[0] or None
        limit = _parse_limit(query.get("limit", [str(DEFAULT_LIMIT)])[0])
        if limit is None:
            return HTTPStatus.BAD_REQUEST, {"error": "bad limit"}
        offset = 0
        if "cursor" in query:
            try:
                (offset,) = self._cursors.decode(query["cursor"][0], species)
            except BadCursor:
                return HTTPStatus.BAD_REQUEST, {"error": "bad cursor"}
        found = self._store.page(limit + 1, species, offset)
        sightings = found[:limit]
        following = None
        if len(found) > limit:
            following = self._cursors.encode([offset + limit], species)
        return HTTPStatus.OK, {"sightings": sightings, "next": following}

    def _show(self, sighting_id: str) -> tuple[HTTPStatus, dict]:
        sighting = self._store.get(int(sighting_id)) if sighting_id.isdecimal() else None
        if sighting is None:
            return HTTPStatus.NOT_FOUND, {"error": "no such sighting"}
        return HTTPStatus.OK, sighting


def _parse_limit(text: str) -> int | None:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        return None
    limit = int(text)
    return limit if 1 <= limit <= MAX_LIMIT else None


def create_app(store: SightingStore, secret: bytes) -> WSGIApp:
    return SightingsApp(store, secret)
