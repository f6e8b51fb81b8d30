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


class Account:
    def balance(self):
        pass

    def available(self):
        pass

    def deposit(self, amount):
        pass

    def withdraw(self, amount):
        pass

    def reserve(self, amount):
        pass

    def capture(self, token):
        pass

    def release(self, token):
        pass

    def history(self):
        pass

    def close(self):
        pass


def transfer(source, target, amount):
    pass
