"""HTTP server of the notes service."""

from __future__ import annotations

import json
import math
import socketserver
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import config
from rate_limit import SlidingWindowLimiter
from store import NoteStore


class NotesHandler(BaseHTTPRequestHandler):
    server: NotesServer

    def do_GET(self) -> None:
        self._handle("GET")

    def do_POST(self) -> None:
        self._handle("POST")

    def _handle(self, method: str) -> None:
        body = self._read_body()
        if (method, self.path) != ("GET", "/health"):
            decision = self.server.limiter.check(self._client())
            if not decision.allowed:
                self._refuse(decision.retry_after)
                return
        status, payload = self._route(method, body)
        self._send_json(status, payload)

    def _client(self) -> str:
        return self.headers.get("X-Client-Id") or self.client_address[0]

    def _refuse(self, retry_after: float) -> None:
        seconds = max(1, math.ceil(retry_after))
        self._send_json(429, {"error": "rate limit exceeded"}, {"Retry-After": str(seconds)})

    def _route(self, method: str, body: bytes) -> tuple[int, dict]:
        store = self.server.store
        if method == "GET" and self.path == "/health":
            return 200, {"status": "ok"}
        if method == "GET" and self.path == "/notes":
            return 200, {"notes": store.all()}
        if method == "GET" and self.path.startswith("/notes/"):
            note_id = self.path.removeprefix("/notes/")
            note = store.get(int(note_id)) if note_id.isdecimal() else None
            return (200, note) if note else (404, {"error": "no such note"})
        if method == "POST" and self.path == "/notes":
            return self._create_note(body)
        return 404, {"error": "not found"}

    def _create_note(self, body: bytes) -> tuple[int, dict]:
        try:
            data = json.loads(body)
        except ValueError:
            return 400, {"error": "body is not valid JSON"}
        text = data.get("text") if isinstance(data, dict) else None
        if not isinstance(text, str) or not 0 < len(text) <= config.MAX_NOTE_LENGTH:
            return 400, {"error": "text is missing or has the wrong length"}
        return 201, self.server.store.add(text)

    def _read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        return self.rfile.read(int(length)) if length.isdecimal() else b""

    def _send_json(self, status: int, payload: dict, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(payload).encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the console quiet; the gateway writes the access log."""


class NotesServer(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], store: NoteStore, limiter: SlidingWindowLimiter) -> None:
        super().__init__(address, NotesHandler)
        self.store = store
        self.limiter = limiter

    def server_bind(self) -> None:
        # HTTPServer would look up the host name here, which may be slow.
        socketserver.TCPServer.server_bind(self)


def create_server(
    host: str, port: int, store: NoteStore | None = None, limiter: SlidingWindowLimiter | None = None
) -> NotesServer:
    if limiter is None:
        limiter = SlidingWindowLimiter(config.RATE_LIMIT, config.RATE_WINDOW_SECONDS)
    return NotesServer((host, port), store or NoteStore(), limiter)


if __name__ == "__main__":
    with create_server(config.HOST, config.PORT) as httpd:
        httpd.serve_forever()
