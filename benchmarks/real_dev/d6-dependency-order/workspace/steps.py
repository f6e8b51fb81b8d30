"""What a step of a deployment is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Step:
    name: str
    after: tuple[str, ...] = ()
    soft_after: tuple[str, ...] = ()
    action: Callable[[], None] = _nothing
