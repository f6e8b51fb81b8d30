"""WSGI application: accounts and sessions.

POST /accounts  {"name": ..., "password": ...}: 201; 409 if the name is taken
POST /login     {"name": ..., "password": ...}: 200, {"token": ..., "expires_in": ...}; 401
GET  /me        with "Authorization: Bearer <token>": 200, {"name": ...}; 401 without a valid session
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus

from auth import Authenticator
from passwords import PasswordHasher
from sessions import SessionStore
from users import User, UserDirectory

Answer = tuple[int, dict]

NO_STORE_PATHS = {"/login"}


class App:
    def __init__(self, users: UserDirectory, sessions: SessionStore, hasher: PasswordHasher) -> None:
        self._users = users
        self._sessions = sessions
        self._hasher = hasher
        self._authenticator = Authenticator(users, hasher)
        self._routes: dict[tuple[str, str], Callable[[dict], Answer]] = {
            ("POST", "/accounts"): self._create_account,
            ("POST", "/login"): self._login,
            ("GET", "/me"): self._me,
        }

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        route = self._routes.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        status, payload = route(environ) if route else (404, {"error": "not found"})
        body = json.dumps(payload).encode("utf-8")
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        if environ["PATH_INFO"] in NO_STORE_PATHS:
            headers.append(("Cache-Control", "no-store"))
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [body]

    def _create_account(self, environ: dict) -> Answer:
        data = read_json(environ)
        if not isinstance(data, dict):
            return 400, {"error": "bad request"}
        name, password = data.get("name"), data.get("password")
        if not isinstance(name, str) or not isinstance(password, str) or not name or not password:
            return 400, {"error": "bad request"}
        try:
            self._users.add(User(name, self._hasher.hash(password)))
        except ValueError:
            return 409, {"error": "name is taken"}
        return 201, {"name": name}

    def _login(self, environ: dict) -> Answer:
        data = read_json(environ)
        if not isinstance(data, dict):
            return 400, {"error": "bad request"}
        name, password = data.get("name"), data.get("password")
        if not isinstance(name, str) or not isinstance(password, str):
            return 400, {"error": "bad request"}
        user = self._authenticator.authenticate(name, password)
        if user is None:
            return 401, {"error": "invalid credentials"}
        return 200, {"token": self._sessions.create(user.name), "expires_in": self._sessions.lifetime}

    def _me(self, environ: dict) -> Answer:
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        name = self._sessions.user_name_for(token) if scheme == "Bearer" else None
        return (200, {"name": name}) if name else (401, {"error": "no valid session"})


def read_json(environ: dict) -> object:
    """Return the decoded body of the request, or None if it is not JSON."""
    length = environ.get("CONTENT_LENGTH") or "0"
    try:
        return json.loads(environ["wsgi.input"].read(int(length)))
    except ValueError:
        return None


def create_app(users: UserDirectory, sessions: SessionStore, hasher: PasswordHasher) -> App:
    return App(users, sessions, hasher)
