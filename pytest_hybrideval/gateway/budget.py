"""What a run may spend: one ledger for all workers, in which each call is reserved before it and settled after it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from pytest_hybrideval.core.domain import ModelRef, Tier, Usage
from pytest_hybrideval.core.errors import BudgetExceeded, ConfigurationError
from pytest_hybrideval.core.pricing import Price
from pytest_hybrideval.core.protocols import BackendCall
from pytest_hybrideval.core.records import TierTokens

_TABLES = """
CREATE TABLE IF NOT EXISTS reservations (
    id INTEGER PRIMARY KEY, trial TEXT NOT NULL, reserved REAL NOT NULL, settled REAL
);
CREATE INDEX IF NOT EXISTS by_trial ON reservations (trial);
CREATE TABLE IF NOT EXISTS refusals (trial TEXT NOT NULL);
"""
_SPENT = "SELECT coalesce(sum(coalesce(settled, reserved)), 0) FROM reservations"
_WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Limits:
    """USD that the whole run, and that one trial may spend; None for any amount."""

    run: float | None = None
    trial: float | None = None


class Budget:
    """The ledger. A call that could exceed a limit is refused before it is sent, so the sum never passes it.

    What a call can cost at most: its request's bytes, as no token is shorter than one, and its limit of completion
    tokens, which every call must have. A reservation that is never settled (its process was killed) counts in full.
    """

    def __init__(self, file: Path, limits: Limits, price: Callable[[ModelRef, Tier], Price]) -> None:
        """`file` is made where it is missing. `price` is asked for the model of each call.

        Raises `ConfigurationError` where the file is no ledger, or cannot be written.
        """
        self.limits = limits
        self._price = price
        self._lock = threading.Lock()
        try:
            self._database = sqlite3.connect(file, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.executescript(_TABLES)
        except sqlite3.Error as error:
            raise ConfigurationError(
                f"the ledger of the budget, {file}, cannot be used: {error}; what was spent is not known without it"
            ) from None

    def reserve(self, trial: str, ref: ModelRef, tier: Tier, call: BackendCall) -> int | None:
        """Reserve what a call can cost at most; its number in the ledger, None for a free model.

        Raises `BudgetExceeded` where that would pass a limit.
        """
        price = self._price(ref, tier)
        amount = price.cost(TierTokens(prompt=_bytes(call), completion=call.max_tokens or 0))
        if not amount:
            return None
        with self._exclusive() as database:
            self._check(trial, amount, database)
            row = database.execute("INSERT INTO reservations (trial, reserved) VALUES (?, ?)", (trial, amount))
            return row.lastrowid

    def settle(self, number: int, ref: ModelRef, tier: Tier, usage: Usage) -> None:
        """Replace a reservation by what the call did cost. Without known tokens it stays as it is."""
        if usage.known:
            cost = self._price(ref, tier).cost(TierTokens().plus(usage))
            self._write("UPDATE reservations SET settled = ? WHERE id = ?", (cost, number))

    def release(self, number: int) -> None:
        """The call came to nothing and costs nothing."""
        self._write("UPDATE reservations SET settled = 0 WHERE id = ?", (number,))

    @property
    def spent(self) -> float:
        """USD that are spent or reserved."""
        with self._lock:
            return float(self._database.execute(_SPENT).fetchone()[0])

    @property
    def used_up(self) -> bool:
        """Whether a call was refused for the whole run's limit: what is left is too little to go on."""
        with self._lock:
            return self._database.execute("SELECT 1 FROM refusals LIMIT 1").fetchone() is not None

    def go_on(self) -> None:
        """Forget earlier refusals: the run is resumed, perhaps with a higher limit."""
        self._write("DELETE FROM refusals", ())

    def close(self) -> None:
        """Close the ledger. Safe to call twice."""
        with self._lock:
            self._database.close()

    def _check(self, trial: str, amount: float, database: sqlite3.Connection) -> None:
        limit = self.limits.trial
        if limit is not None:
            spent = database.execute(f"{_SPENT} WHERE trial = ?", (trial,)).fetchone()[0]
            if spent + amount > limit:
                raise BudgetExceeded(f"{_could(amount, spent, limit)} of the trial (--hybrid-max-trial-cost)")
        limit = self.limits.run
        if limit is not None:
            spent = database.execute(_SPENT).fetchone()[0]
            if spent + amount > limit:
                database.execute("INSERT INTO refusals VALUES (?)", (trial,))
                raise BudgetExceeded(f"{_could(amount, spent, limit)} of the run (--hybrid-max-cost)")

    @contextmanager
    def _exclusive(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other process comes between. What it wrote stays, also where it ends in an error."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            finally:
                self._database.execute("COMMIT")

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        with self._lock:
            self._database.execute(statement, values)


def _bytes(call: BackendCall) -> int:
    return len(orjson.dumps(call.request.body))


def _could(amount: float, spent: float, limit: float) -> str:
    return f"a call that can cost {amount:.4f} USD was not sent: {spent:.4f} are spent or reserved of the {limit:g} USD"
