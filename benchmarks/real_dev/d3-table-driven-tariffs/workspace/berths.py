"""What a boat needs: length of the berth, nights, people on board."""

from __future__ import annotations

from dataclasses import dataclass


class NotAllowed(Exception):
    """The tariff exists, but not for this stay."""


@dataclass(frozen=True)
class Stay:
    length_cm: int
    nights: int
    people: int = 1
    multihull: bool = False

    @property
    def metres(self) -> int:
        """Metres begun."""
        return -(-self.length_cm // 100)
