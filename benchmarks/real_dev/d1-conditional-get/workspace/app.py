"""WSGI application of the recipe service."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus

import config
from render import as_json, as_text, encode_json
from store import Recipe, RecipeStore

WSGIApp = Callable[[dict, Callable], Iterable[bytes]]


@dataclass(frozen=True)
class Response:
    status: HTTPStatus
    body: bytes
    content_type: str = "application/json"


def json_response(payload: dict, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(status, encode_json(payload))


def error(status: HTTPStatus) -> Response:
    return json_response({"error": status.phrase.lower()}, status)


class RecipeApp:
    def __init__(self, store: RecipeStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        response = self._route(environ)
        headers = [("Content-Type", response.content_type), ("Content-Length", str(len(response.body)))]
        start_response(f"{response.status.value} {response.status.phrase}", headers)
        return [response.body]

    def _route(self, environ: dict) -> Response:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path == "/health":
            return json_response({"status": "ok"}) if method == "GET" else error(HTTPStatus.METHOD_NOT_ALLOWED)
        if path == "/recipes":
            return self._list() if method == "GET" else error(HTTPStatus.METHOD_NOT_ALLOWED)
        if path.startswith("/recipes/"):
            name = path.removeprefix("/recipes/")
            if method == "GET":
                return self._show(name, environ.get("HTTP_ACCEPT", ""))
            if method == "PUT":
                return self._put(name, environ)
            return error(HTTPStatus.METHOD_NOT_ALLOWED)
        return error(HTTPStatus.NOT_FOUND)

    def _list(self) -> Response:
        return json_response({"recipes": self._store.names(), "generated_at": self._clock()})

    def _show(self, name: str, accept: str) -> Response:
        recipe = self._store.get(name)
        if recipe is None:
            return error(HTTPStatus.NOT_FOUND)
        if "text/plain" in accept:
            return Response(HTTPStatus.OK, as_text(recipe).encode("utf-8"), "text/plain; charset=utf-8")
        return json_response(as_json(recipe))

    def _put(self, name: str, environ: dict) -> Response:
        try:
            data = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
            recipe = Recipe(name, int(data["serves"]), tuple(str(step) for step in data["steps"]))
        except (ValueError, KeyError, TypeError):
            return error(HTTPStatus.BAD_REQUEST)
        if len(recipe.steps) > config.MAX_STEPS:
            return error(HTTPStatus.BAD_REQUEST)
        self._store.put(recipe)
        return json_response(as_json(recipe))


def create_app(store: RecipeStore, clock: Callable[[], float] = time.time) -> WSGIApp:
    return RecipeApp(store, clock)
