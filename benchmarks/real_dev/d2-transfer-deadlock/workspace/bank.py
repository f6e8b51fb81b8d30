"""The bank."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from account import Account
from audit import AuditLog, Entry
from errors import AccountExists, BankError, NotEnoughMoney, UnknownAccount

Listener = Callable[[str, int], None]
Transfer = tuple[str, str, int]


class Bank:
    """Accounts and transfers between them."""

    def __init__(self, listener: Listener | None = None) -> None:
        self._accounts: dict[str, Account] = {}
        self._log = AuditLog()
        self._listener = listener

    def open_account(self, name: str, cents: int = 0) -> None:
        if cents < 0:
            raise ValueError("an account cannot begin below 0")
        if name in self._accounts:
            raise AccountExists(name)
        self._accounts[name] = Account(name)
        if cents:
            self.deposit(name, cents)

    def deposit(self, name: str, cents: int) -> None:
        _check_amount(cents)
        account = self._account(name)
        with account.lock:
            self._change(account, cents)

    def transfer(self, source: str, target: str, cents: int) -> None:
        _check_amount(cents)
        giver, taker = self._account(source), self._account(target)
        with giver.lock:
            if giver.cents < cents:
                raise NotEnoughMoney(source)
            with taker.lock:
                self._change(giver, -cents)
                self._change(taker, cents)

    def transfer_all(self, transfers: Iterable[Transfer]) -> None:
        done: list[Transfer] = []
        try:
            for source, target, cents in transfers:
                self.transfer(source, target, cents)
                done.append((source, target, cents))
        except (BankError, ValueError):
            for source, target, cents in reversed(done):
                self.transfer(target, source, cents)
            raise

    def balance(self, name: str) -> int:
        return self._account(name).cents

    def total(self) -> int:
        cents = 0
        for account in list(self._accounts.values()):
            with account.lock:
                cents += account.cents
        return cents

    def statement(self, name: str) -> tuple[int, list[Entry]]:
        cents = self.balance(name)
        return cents, self._log.of(name)

    def log(self) -> list[Entry]:
        return self._log.entries()

    def _account(self, name: str) -> Account:
        try:
            return self._accounts[name]
        except KeyError:
            raise UnknownAccount(name) from None

    def _change(self, account: Account, cents: int) -> None:
        account.cents += cents
        self._log.append(account.name, cents, account.cents)
        if self._listener is not None:
            self._listener(account.name, account.cents)


def _check_amount(cents: int) -> None:
    if cents <= 0:
        raise ValueError("an amount has to be above 0")
