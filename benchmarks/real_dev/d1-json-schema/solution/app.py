"""HTTP API for users.

GET  /users                  200, {"users": [...]}
GET  /users/<id>             200, the user; 404
POST /users                  201, the new user; 400 or 422 with a list of errors
PUT  /users/<id>/tags/<tag>  200, the user with the tag added; 404
"""

from __future__ import annotations

import json
import re
import socketserver
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from users import UserStore
from validation import validate_user


class UserHandler(BaseHTTPRequestHandler):
    server: UserServer

    def do_GET(self) -> None:
        if self.path == "/users":
            self._send(200, {"users": self.server.store.all()})
        elif match := re.fullmatch(r"/users/(\d+)", self.path):
            self._send_user(self.server.store.get(int(match[1])))
        else:
            self._send(404, {"error": "not found"})

    def do_POST(self) -> None:
        body = self._read_body()
        if self.path != "/users":
            self._send(404, {"error": "not found"})
            return
        try:
            payload = json.loads(body.decode("utf-8"))
        except ValueError:
            payload = None
        if not isinstance(payload, dict):
            self._send(400, {"error": "malformed body", "errors": []})
            return
        valid_user, errors = validate_user(payload)
        if valid_user is None:
            self._send(422, {"error": "validation failed", "errors": errors})
            return
        user = self.server.store.add(valid_user)
        self._send(201, user, location=f"/users/{user['id']}")

    def do_PUT(self) -> None:
        self._read_body()
        if match := re.fullmatch(r"/users/(\d+)/tags/([\w-]+)", self.path):
            self._send_user(self.server.store.add_tag(int(match[1]), match[2]))
        else:
            self._send(404, {"error": "not found"})

    def _read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        return self.rfile.read(int(length)) if length.isdecimal() else b""

    def _send_user(self, user: dict | None) -> None:
        if user is None:
            self._send(404, {"error": "no such user"})
        else:
            self._send(200, user)

    def _send(self, status: int, payload: dict, location: str | None = None) -> None:
        body = json.dumps(payload).encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the console quiet."""


class UserServer(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address, UserHandler)
        self.store = UserStore()

    def server_bind(self) -> None:
        # HTTPServer would look up the host name here, which may be slow.
        socketserver.TCPServer.server_bind(self)


def create_server(host: str = "127.0.0.1", port: int = 8000) -> UserServer:
    return UserServer((host, port))


if __name__ == "__main__":
    with create_server() as httpd:
        httpd.serve_forever()
