"""A loop for pytest-xdist's workers that runs an item without knowing the next one.

xdist's own loop (3.8, `WorkerInteractor.run_one_test`) takes the next item off its queue before it runs the present
one, because pytest tears down what the next does not share. So a worker must hold two, and the second waits behind a
long trial while other workers are idle. Here the session itself stands for the unknown next item: what belongs to the
session (gateway, warm processes) stays up, all else is torn down, and whatever comes is set up anew.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

_PARTS = ("channel", "config", "handle_command", "sendevent", "torun")


def interactor_of(config: pytest.Config) -> Any:
    """Xdist's end of the worker that this process is, None in any other process."""
    return next((plugin for plugin in config.pluginmanager.get_plugins() if _is_interactor(plugin)), None)


def _is_interactor(plugin: object) -> bool:
    return type(plugin).__name__ == "WorkerInteractor" and all(hasattr(plugin, part) for part in _PARTS)


def run_as_they_come(session: pytest.Session, interactor: Any) -> bool:
    """Run each item as soon as it arrives, until the controller says that no more will."""
    # execnet runs xdist's module under another name: only the class itself knows its own marker.
    shutdown = interactor.handle_command.__func__.__globals__["Marker"].SHUTDOWN
    interactor.channel.setcallback(interactor.handle_command, endmarker=shutdown)
    while (index := interactor.torun.get()) is not shutdown:
        interactor.item_index = index
        started = time.perf_counter()
        next_unknown: Any = session
        session.config.hook.pytest_runtest_protocol(item=session.items[index], nextitem=next_unknown)
        duration = time.perf_counter() - started
        interactor.sendevent("runtest_protocol_complete", item_index=index, duration=duration)
        if session.shouldfail or session.shouldstop:
            break
    return True
