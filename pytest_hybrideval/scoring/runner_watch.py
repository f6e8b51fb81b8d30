"""The child's messages and its end, as seen from outside, and what of it can be believed. Part of `runner.py`."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import time
from collections.abc import Callable
from typing import Any

MESSAGE_BYTES = 16 << 20
TICK_SECONDS = 0.1
STOPPED = 86  # as in runner_guard.py


def fingerprint(root: str, names: list[str]) -> dict[str, str | None]:
    """SHA-256 of each file, None where it cannot be read."""
    found: dict[str, str | None] = {}
    for name in names:
        found[name] = None
        with contextlib.suppress(OSError), open(os.path.join(root, name), "rb") as file:
            found[name] = hashlib.sha256(file.read()).hexdigest()
    return found


class Order:
    """The order in which tests run. A message that comes at another time was not sent by pytest."""

    def __init__(self) -> None:
        self._names: dict[str, str] | None = None
        self._over: set[str] = set()
        self._open = ""
        self._seen: list[str] = []
        self.told: list[str] = []
        self._turns = {
            "problem": self._problem,
            "collected": self._collected,
            "started": self._started,
            "ended": self._ended,
            "phase": self._phase,
            "finished": self._finished,
            "returned": self._finished,
        }

    def breaks(self, message: dict[str, Any]) -> bool:
        """Whether the message comes out of turn. `told` holds the tests whose own code reached its end."""
        return not self._turns[message["kind"]](message)

    def _problem(self, message: dict[str, Any]) -> bool:
        return self._names is None

    def _collected(self, message: dict[str, Any]) -> bool:
        first, self._names = self._names is None, message["names"]
        return first

    def _started(self, message: dict[str, Any]) -> bool:
        test, free = message["id"], not self._open
        self._open, self._seen = test, []
        return free and test in (self._names or ()) and test not in self._over

    def _ended(self, message: dict[str, Any]) -> bool:
        if self._seen[:1] == ["setup"] and (self._names or {}).get(self._open) == message["name"]:
            self.told.append(self._open)
        return True

    def _phase(self, message: dict[str, Any]) -> bool:
        if message["id"] != self._open or "teardown" in self._seen:
            return False
        self._seen.append(message["when"])
        if message["when"] == "teardown":
            self._over.add(self._open)
            self._open = ""
        return True

    def _finished(self, message: dict[str, Any]) -> bool:
        return not self._open


class Watch:
    """The child's messages and its end, as seen from outside."""

    def __init__(self, child: int, pipe: int, key: str, job: dict[str, Any]) -> None:
        """`pipe` is the reading end of the child's messages, `key` what each of them is signed with."""
        self.child, self.pipe, self.job = child, pipe, job
        self._key, self._number = bytes.fromhex(key), 0
        self.messages: list[dict[str, Any]] = []
        self.order = Order()
        self.exit_code: int | None = None
        self.fault = ""
        self.tampering = False
        self.timed_out = False
        self._buffer = b""
        self._size = 0
        self._before = fingerprint(job["root"], job["hidden"])

    def run(self, count: Callable[[], int], end: Callable[[], None]) -> None:
        """Follow the child to its end, the deadline or its first offence; then end all that is left of it.

        `count` says how many processes there are below this one, `end` ends them.
        """
        deadline = time.monotonic() + self.job["seconds"]
        os.set_blocking(self.pipe, False)
        poll = select.poll()
        poll.register(self.pipe, select.POLLIN)
        with contextlib.suppress(AttributeError, OSError):
            poll.register(os.pidfd_open(self.child), select.POLLIN)
        counted = 0.0
        while not self.fault and not self._ended():
            left = deadline - time.monotonic()
            if left <= 0:
                self.timed_out = True
                break
            poll.poll(min(left, TICK_SECONDS) * 1000)
            self._read(poll)
            if time.monotonic() - counted > TICK_SECONDS:
                counted = time.monotonic()
                if count() > self.job["limits"]["processes"]:
                    self.fault = f"more than {self.job['limits']['processes']} processes"
        self._read(poll)
        end()
        self._check_files()

    def report(self) -> dict[str, Any]:
        """What can be believed, for the report."""
        if self.exit_code == STOPPED and not self.fault:
            self._accuse("the tested code tampered with its tests, and kept it from being reported")
        said = [message["code"] for message in self.messages if message["kind"] in ("finished", "returned")]
        if not self.timed_out and not self.fault and said != [self.exit_code] * 2:
            self.fault = f"the test process ended before pytest did (exit code {self.exit_code})"
        names = ("exit_code", "timed_out", "fault", "tampering", "messages")
        return {**{name: getattr(self, name) for name in names}, "told": self.order.told}

    def _ended(self) -> bool:
        """Whether the child has ended. It is reaped later, so that its id cannot pass to another process."""
        ended = os.waitid(os.P_PID, self.child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is not None:
            self.exit_code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        return ended is not None

    def _read(self, poll: select.poll) -> None:
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.pipe, 65536):
                self._buffer += chunk
                self._size += len(chunk)
                if self._size > MESSAGE_BYTES:
                    self.fault = "the test process sent more messages than tests can"
                    return
                *lines, self._buffer = self._buffer.split(b"\n")
                for line in lines:
                    self._take(line)
            with contextlib.suppress(KeyError):
                poll.unregister(self.pipe)

    def _take(self, line: bytes) -> None:
        signature, _, text = line.partition(b" ")
        copied = signature == self._signature(b"copy", text)
        if not copied and signature != self._signature(b"%d" % self._number, text):
            self._accuse("the tested code wrote into the channel of the test results")
            return
        self._number += not copied
        message = json.loads(text)
        if message["kind"] == "copied":
            self.fault = self.fault or "a copy of the test process, made by the tested code, went on with the tests"
            return
        if message["kind"] == "evidence":
            self._accuse(f"the tested code tampered with its tests: {message['what']}")
        elif message["kind"] == "tampered":
            self._accuse(f"the tested code changed {message['what']}, by which it is tested")
        elif self.order.breaks(message):
            self._accuse("results came in an order in which no tests run")
        elif message["kind"] == "collected":
            self._check_files()
        self.messages.append(message)

    def _signature(self, number: bytes, text: bytes) -> bytes:
        return hashlib.blake2b(b"%s %s" % (number, text), key=self._key, digest_size=16).hexdigest().encode()

    def _accuse(self, what: str) -> None:
        self.fault, self.tampering = (self.fault if self.tampering else what), True

    def _check_files(self) -> None:
        now = fingerprint(self.job["root"], self.job["hidden"])
        changed = [name for name in now if now[name] != self._before[name]]
        if changed and not self.fault:
            self._accuse(f"the tested code changed hidden files: {', '.join(changed[:3])}")
