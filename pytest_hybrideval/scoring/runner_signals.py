"""Signal handlers that are not given the frame they interrupt: it may be the guard's, which nobody else may see.

Part of the program `runner.py`. `_signal.signal` and `getsignal` become requests to the guard, which alone has the real
ones. All else is as it was: what was set is what `getsignal` returns.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

_signal: Any = sys.modules["_signal"]


def quieten(event: str) -> dict[str, Callable[..., None]]:
    """Make `signal.signal` and `getsignal` raise the audit event; the guard's answers to it, by its first argument."""
    setting, getting, audit = _signal.signal, _signal.getsignal, sys.audit
    quieted: dict[Any, Any] = {}

    def quiet(handler: Any) -> Any:
        if not callable(handler) or handler is signal.default_int_handler:
            return handler

        def without_frame(number: int, frame: FrameType | None) -> Any:
            del frame
            return handler(number, None)

        quieted[without_frame] = handler
        return without_frame

    def set_one(number: int, handler: Any, answer: list[Any]) -> None:
        previous = setting(number, quiet(handler))
        answer.append(quieted.get(previous, previous))

    def get_one(number: int, answer: list[Any]) -> None:
        handler = getting(number)
        answer.append(quieted.get(handler, handler))

    def asking(kind: str) -> Callable[..., Any]:
        def ask(*given: Any) -> Any:
            answer: list[Any] = []
            audit(event, kind, *given, answer)
            return answer[0]

        return ask

    _signal.signal, _signal.getsignal = asking("signal"), asking("getsignal")
    return {"signal": set_one, "getsignal": get_one}
