"""Run the box office for development: python serve.py"""

from __future__ import annotations

from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

from app import create_app
from office import BoxOffice


class ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


if __name__ == "__main__":
    office = BoxOffice({"hamlet": 120, "tosca": 80})
    with make_server("127.0.0.1", 8000, create_app(office), server_class=ThreadingServer) as server:
        server.serve_forever()
