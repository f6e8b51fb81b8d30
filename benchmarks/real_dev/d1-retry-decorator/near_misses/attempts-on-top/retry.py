"""Retry a function that fails for reasons that may pass."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any


def retry(
    attempts: int = 3,
    base_delay: float = 0.5,
    factor: float = 2.0,
    max_delay: float = 30.0,
    exceptions: type[BaseException] | tuple[type[BaseException], ...] = (Exception,),
    sleep: Callable[[float], object] = time.sleep,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that calls a function up to `attempts` times, with growing delays in between."""
    if attempts < 1:
        raise ValueError("attempts must be at least 1")
    if base_delay < 0 or max_delay < 0:
        raise ValueError("delays must not be negative")
    if factor < 1:
        raise ValueError("factor must be at least 1")

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            delay = min(base_delay, max_delay)
            for _ in range(attempts):
                try:
                    return function(*args, **kwargs)
                except exceptions:
                    sleep(delay)
                    delay = min(delay * factor, max_delay)
            return function(*args, **kwargs)

        return wrapper

    return decorate
