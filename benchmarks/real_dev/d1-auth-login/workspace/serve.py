"""Run the application for development: python serve.py [port]"""

from __future__ import annotations

import sys
from wsgiref.simple_server import make_server

from app import create_app
from passwords import PasswordHasher
from sessions import SessionStore
from users import UserDirectory

if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    application = create_app(UserDirectory(), SessionStore(), PasswordHasher())
    with make_server("127.0.0.1", port, application) as server:
        print(f"listening on port {port}")
        server.serve_forever()
