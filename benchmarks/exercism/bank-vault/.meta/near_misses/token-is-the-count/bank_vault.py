# Uses the number of present reservations as the token, so tokens come again.
from __future__ import annotations

import itertools
import threading


class BankError(Exception):
    pass


class InvalidAmount(BankError):
    pass


class InsufficientFunds(BankError):
    pass


class UnknownReservation(BankError):
    pass


class AccountClosed(BankError):
    pass


class AccountNotEmpty(BankError):
    pass


class SameAccount(BankError):
    pass


_serials = itertools.count()


class Account:
    def __init__(self) -> None:
        self._serial = next(_serials)
        self._lock = threading.Lock()
        self._open = True
        self._balance = 0
        self._history: list[tuple[str, int]] = []
        self._reserved: dict[int, int] = {}
        self._tokens = itertools.count(1)

    def balance(self) -> int:
        with self._lock:
            self._check_open()
            return self._balance

    def available(self) -> int:
        with self._lock:
            self._check_open()
            return self._free()

    def deposit(self, amount: int) -> None:
        _check_amount(amount)
        with self._lock:
            self._check_open()
            self._change("deposit", amount, +1)

    def withdraw(self, amount: int) -> None:
        _check_amount(amount)
        with self._lock:
            self._check_open()
            self._check_free(amount)
            self._change("withdraw", amount, -1)

    def reserve(self, amount: int) -> int:
        _check_amount(amount)
        with self._lock:
            self._check_open()
            self._check_free(amount)
            token = len(self._reserved) + 1
            self._reserved[token] = amount
            return token

    def capture(self, token: int) -> None:
        with self._lock:
            self._check_open()
            self._change("capture", self._end_reservation(token), -1)

    def release(self, token: int) -> None:
        with self._lock:
            self._check_open()
            self._end_reservation(token)

    def history(self) -> list[tuple[str, int]]:
        with self._lock:
            return list(self._history)

    def close(self) -> None:
        with self._lock:
            self._check_open()
            if self._balance:
                raise AccountNotEmpty("the balance is not 0")
            self._open = False

    # These are called with the lock held.

    def _check_open(self) -> None:
        if not self._open:
            raise AccountClosed("the account is closed")

    def _check_free(self, amount: int) -> None:
        if amount > self._free():
            raise InsufficientFunds("more than is available")

    def _free(self) -> int:
        return self._balance - sum(self._reserved.values())

    def _change(self, kind: str, amount: int, sign: int) -> None:
        self._balance += sign * amount
        self._history.append((kind, amount))

    def _end_reservation(self, token: int) -> int:
        if token not in self._reserved:
            raise UnknownReservation("there is no such reservation")
        return self._reserved.pop(token)


def transfer(source: Account, target: Account, amount: int) -> None:
    if source is target:
        raise SameAccount("source and target are the same account")
    _check_amount(amount)
    first, second = sorted((source, target), key=lambda account: account._serial)
    with first._lock, second._lock:
        source._check_open()
        target._check_open()
        source._check_free(amount)
        source._change("transfer out", amount, -1)
        target._change("transfer in", amount, +1)


def _check_amount(amount: int) -> None:
    if amount < 1:
        raise InvalidAmount("the amount is less than 1")
