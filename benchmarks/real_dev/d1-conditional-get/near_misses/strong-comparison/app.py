"""WSGI application of the recipe service."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus

import config
from conditional import none_match_fails, strong_tag, weak_tag
from render import as_json, as_text, encode_json
from store import Recipe, RecipeStore

WSGIApp = Callable[[dict, Callable], Iterable[bytes]]


@dataclass(frozen=True)
class Response:
    status: HTTPStatus
    body: bytes
    content_type: str | None = "application/json"
    cache_control: str = "no-store"
    tag: str | None = None
    vary: str | None = None

    def headers(self) -> list[tuple[str, str]]:
        headers = {
            "Content-Type": self.content_type,
            "Content-Length": str(len(self.body)) if self.content_type else None,
            "Cache-Control": self.cache_control,
            "ETag": self.tag,
            "Vary": self.vary,
        }
        return [(name, value) for name, value in headers.items() if value is not None]

    def not_modified(self) -> Response:
        return replace(self, status=HTTPStatus.NOT_MODIFIED, body=b"", content_type=None)


def json_response(payload: dict, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(status, encode_json(payload))


def error(status: HTTPStatus) -> Response:
    return json_response({"error": status.phrase.lower()}, status)


class RecipeApp:
    def __init__(self, store: RecipeStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        response = self._route("GET" if method == "HEAD" else method, environ)
        if response.tag and none_match_fails(environ.get("HTTP_IF_NONE_MATCH", ""), response.tag):
            response = response.not_modified()
        start_response(f"{response.status.value} {response.status.phrase}", response.headers())
        return [] if method == "HEAD" else [response.body]

    def _route(self, method: str, environ: dict) -> Response:
        path = environ["PATH_INFO"]
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
        names = self._store.names()
        response = json_response({"recipes": names, "generated_at": self._clock()})
        return replace(response, cache_control="no-cache", tag=weak_tag(encode_json({"recipes": names})))

    def _show(self, name: str, accept: str) -> Response:
        recipe = self._store.get(name)
        if recipe is None:
            return error(HTTPStatus.NOT_FOUND)
        if "text/plain" in accept:
            response = Response(HTTPStatus.OK, as_text(recipe).encode("utf-8"), "text/plain; charset=utf-8")
        else:
            response = json_response(as_json(recipe))
        cache_control = f"max-age={config.RECIPE_MAX_AGE}"
        return replace(response, cache_control=cache_control, tag=strong_tag(response.body), vary="Accept")

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
