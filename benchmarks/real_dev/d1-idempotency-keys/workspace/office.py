"""Shows and bookings in memory."""

from __future__ import annotations

import threading


class SoldOut(Exception):
    """Too few seats are free."""


class AlreadyRefunded(Exception):
    """The booking was refunded before."""


class BoxOffice:
    def __init__(self, shows: dict[str, int]) -> None:
        self._free = dict(shows)
        self._bookings: list[dict] = []
        self._lock = threading.Lock()

    def free(self, show: str) -> int | None:
        with self._lock:
            return self._free.get(show)

    def book(self, show: str, seats: int) -> dict:
        with self._lock:
            if self._free[show] < seats:
                raise SoldOut(show)
            self._free[show] -= seats
            booking = {"id": len(self._bookings) + 1, "show": show, "seats": seats, "refunded": False}
            self._bookings.append(booking)
            return dict(booking)

    def booking(self, number: int) -> dict | None:
        with self._lock:
            return dict(self._bookings[number - 1]) if 1 <= number <= len(self._bookings) else None

    def refund(self, number: int) -> dict:
        with self._lock:
            booking = self._bookings[number - 1]
            if booking["refunded"]:
                raise AlreadyRefunded(number)
            booking["refunded"] = True
            self._free[booking["show"]] += booking["seats"]
            return dict(booking)
