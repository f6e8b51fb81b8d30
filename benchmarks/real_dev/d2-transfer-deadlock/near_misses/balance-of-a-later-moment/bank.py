"""The bank."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from account import Account
from audit import AuditLog, Entry
from errors import AccountExists, NotEnoughMoney, UnknownAccount

Listener = Callable[[str, int], None]
Transfer = tuple[str, str, int]


class Bank:
    """Accounts and transfers between them.

    One lock guards the accounts together with the log. It is never held while a listener runs.
    """

    def __init__(self, listener: Listener | None = None) -> None:
        self._accounts: dict[str, Account] = {}
        self._log = AuditLog()
        self._listener = listener
        self._lock = threading.Lock()

    def open_account(self, name: str, cents: int = 0) -> None:
        if cents < 0:
            raise ValueError("an account cannot begin below 0")
        with self._lock:
            if name in self._accounts:
                raise AccountExists(name)
            account = self._accounts[name] = Account(name)
            entries = [self._change(account, cents)] if cents else []
        self._notify(entries)

    def deposit(self, name: str, cents: int) -> None:
        _check_amount(cents)
        with self._lock:
            entry = self._change(self._account(name), cents)
        self._notify([entry])

    def transfer(self, source: str, target: str, cents: int) -> None:
        self.transfer_all([(source, target, cents)])

    def transfer_all(self, transfers: Iterable[Transfer]) -> None:
        transfers = list(transfers)
        for _, _, cents in transfers:
            _check_amount(cents)
        entries = []
        with self._lock:
            self._check_covered(transfers)
            for source, target, cents in transfers:
                if source != target:
                    entries.append(self._change(self._account(source), -cents))
                    entries.append(self._change(self._account(target), cents))
        self._notify(entries)

    def balance(self, name: str) -> int:
        with self._lock:
            return self._account(name).cents

    def total(self) -> int:
        with self._lock:
            return sum(account.cents for account in self._accounts.values())

    def statement(self, name: str) -> tuple[int, list[Entry]]:
        with self._lock:
            return self._account(name).cents, self._log.of(name)

    def log(self) -> list[Entry]:
        with self._lock:
            return self._log.entries()

    def _account(self, name: str) -> Account:
        try:
            return self._accounts[name]
        except KeyError:
            raise UnknownAccount(name) from None

    def _check_covered(self, transfers: list[Transfer]) -> None:
        balances = {name: self._account(name).cents for transfer in transfers for name in transfer[:2]}
        for source, target, cents in transfers:
            if balances[source] < cents:
                raise NotEnoughMoney(source)
            balances[source] -= cents
            balances[target] += cents

    def _change(self, account: Account, cents: int) -> Entry:
        account.cents += cents
        return self._log.append(account.name, cents, account.cents)

    def _notify(self, entries: list[Entry]) -> None:
        if self._listener is not None:
            for entry in entries:
                self._listener(entry.account, self.balance(entry.account))


def _check_amount(cents: int) -> None:
    if cents <= 0:
        raise ValueError("an amount has to be above 0")
