"""What the bank refuses."""

from __future__ import annotations


class BankError(Exception):
    """Base class of the errors of the bank."""


class UnknownAccount(BankError):
    """There is no account with this name."""


class AccountExists(BankError):
    """There is an account with this name."""


class NotEnoughMoney(BankError):
    """The account has less than the amount."""
