"""The one way out of an enclosure: a port inside that is answered outside. A script, and a module for warm parents.

A socket belongs to the network in which it was made, whoever holds it. So a socket that listens on the loopback of the
enclosure is made inside and sent out, to a process which then accepts what connects there: nothing in between passes
bytes on, and there is no other way out. `python -I -S -B doorway.py DESCRIPTOR PORT COMMAND...` does so and becomes the
command; DESCRIPTOR is that of a Unix socket, whose other end gets the listening one. The standard library only.
"""

from __future__ import annotations

import os
import socket
import sys

HOST = "127.0.0.1"
CANNOT = 125
_BACKLOG = 128


def open_doorway(descriptor: int, port: int) -> None:
    """Listen on the loopback's `port`, send that socket over `descriptor`, and close both here. Raises `OSError`."""
    with socket.socket(fileno=descriptor) as outwards, socket.create_server((HOST, port), backlog=_BACKLOG) as inner:
        socket.send_fds(outwards, [b"\0"], [inner.fileno()])


def main() -> None:
    """Open the doorway and become the command; exit code 125 and one line on standard error where that fails."""
    descriptor, port, *command = sys.argv[1:]
    try:
        open_doorway(int(descriptor), int(port))
        os.execvp(command[0], command)
    except OSError as problem:
        os.write(2, f"doorway: {problem}\n".encode())
        os._exit(CANNOT)


if __name__ == "__main__":
    main()
