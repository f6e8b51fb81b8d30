"""The policies under test that ship with the package, one file each.

`BUILTIN` has them by name; it is loaded when it is first asked for, for a session without trials must not pay for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_hybrideval.strategies.builtin import BUILTIN

__all__ = ["BUILTIN"]


def __getattr__(name: str) -> Any:
    if name != "BUILTIN":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from pytest_hybrideval.strategies.builtin import BUILTIN

    return BUILTIN
