"""Streams of lines and of server-sent events, read from bytes that may be split anywhere."""

from __future__ import annotations

_BOM = b"\xef\xbb\xbf"


class LineSplitter:
    r"""Lines ended by `\n`, from chunks of any size. Nothing is decoded, so a character may span two chunks."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self._tail: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        r"""The lines that `chunk` completes, without their `\n` or `\r\n`."""
        if b"\n" not in chunk:
            self._tail.append(chunk)
            return []
        self._tail.append(chunk)
        *lines, rest = b"".join(self._tail).split(b"\n")
        self._tail = [rest]
        return [line.removesuffix(b"\r") for line in lines]

    def flush(self) -> bytes:
        """What came after the last line end; empty where the stream ended with one."""
        rest, self._tail = b"".join(self._tail), []
        return rest.removesuffix(b"\r")


class SseParser:
    r"""The data payloads of a stream of server-sent events.

    Comments and all fields but `data` are passed over; several `data` lines of one event are joined by `\n`, as the
    standard has it. A payload is otherwise untouched.
    """

    def __init__(self) -> None:
        """Start before the first event."""
        self._lines = LineSplitter()
        self._data: list[bytes] = []
        self._begun = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The payloads of the events that `chunk` completes."""
        return [payload for line in self._lines.feed(chunk) for payload in self._take(line)]

    def flush(self) -> list[bytes]:
        """The payload of a last event that no blank line closed, as a list of none or one.

        Servers that leave out the blank line after `data: [DONE]` exist. Whether the payload is whole is for the
        caller to see.
        """
        return [payload for line in (self._lines.flush(), b"") for payload in self._take(line)]

    def _take(self, line: bytes) -> list[bytes]:
        if not self._begun:
            self._begun, line = True, line.removeprefix(_BOM)
        if not line:
            payload, self._data = self._data, []
            return [b"\n".join(payload)] if payload else []
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))
        return []
