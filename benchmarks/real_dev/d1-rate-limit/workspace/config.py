"""Settings of the notes service."""

HOST = "127.0.0.1"
PORT = 8080

MAX_NOTE_LENGTH = 2000

RATE_LIMIT = 60
RATE_WINDOW_SECONDS = 60.0
