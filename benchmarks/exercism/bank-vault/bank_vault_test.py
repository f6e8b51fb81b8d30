import sys
import threading

import bank_vault
import pytest
from bank_vault import (
    Account,
    AccountClosed,
    AccountNotEmpty,
    BankError,
    InsufficientFunds,
    InvalidAmount,
    SameAccount,
    UnknownReservation,
    transfer,
)


def account(balance=0):
    result = Account()
    if balance:
        result.deposit(balance)
    return result


# One thread


def test_deposits_and_withdrawals_change_the_balance():
    vault = account()
    assert vault.balance() == 0
    vault.deposit(70)
    vault.withdraw(30)
    vault.deposit(5)
    assert (vault.balance(), vault.available()) == (45, 45)
    vault.withdraw(45)
    assert vault.balance() == 0


def test_reserved_money_stays_in_the_balance_but_is_not_available():
    vault = account(100)
    vault.reserve(30)
    vault.reserve(20)
    assert (vault.balance(), vault.available()) == (100, 50)


def test_no_more_than_available_can_leave_or_be_reserved():
    vault, other = account(100), account()
    vault.reserve(40)
    for operation in (vault.withdraw, vault.reserve, lambda amount: transfer(vault, other, amount)):
        with pytest.raises(InsufficientFunds):
            operation(61)
    assert (vault.balance(), vault.available(), other.balance()) == (100, 60, 0)
    vault.withdraw(60)
    assert (vault.balance(), vault.available()) == (40, 0)


def test_capture_takes_the_reserved_amount():
    vault = account(100)
    small, large = vault.reserve(10), vault.reserve(60)
    vault.capture(large)
    assert (vault.balance(), vault.available()) == (40, 30)
    vault.capture(small)
    assert (vault.balance(), vault.available()) == (30, 30)


def test_release_takes_nothing():
    vault = account(100)
    token = vault.reserve(60)
    vault.release(token)
    assert (vault.balance(), vault.available()) == (100, 100)


def test_reservation_ends_only_once():
    vault = account(100)
    captured, released = vault.reserve(10), vault.reserve(20)
    vault.capture(captured)
    vault.release(released)
    for token in (captured, released):
        for operation in (vault.capture, vault.release):
            with pytest.raises(UnknownReservation):
                operation(token)
    assert (vault.balance(), vault.available()) == (90, 90)


def test_tokens_are_never_used_again():
    vault = account(100)
    tokens = []
    for _ in range(4):
        tokens += [vault.reserve(5), vault.reserve(5)]
        vault.release(tokens[-2])
    vault.capture(tokens[1])
    tokens.append(vault.reserve(5))
    assert len(set(tokens)) == 9


def test_history_lists_the_changes_of_the_balance():
    vault, other = account(100), account(50)
    token = vault.reserve(20)
    vault.release(vault.reserve(1))
    vault.withdraw(10)
    transfer(vault, other, 30)
    transfer(other, vault, 5)
    vault.capture(token)
    with pytest.raises(InsufficientFunds):
        vault.withdraw(1000)
    assert vault.history() == [
        ("deposit", 100),
        ("withdraw", 10),
        ("transfer out", 30),
        ("transfer in", 5),
        ("capture", 20),
    ]
    assert other.history() == [("deposit", 50), ("transfer in", 30), ("transfer out", 5)]


def test_list_of_the_history_belongs_to_the_caller():
    vault = account(10)
    vault.history().clear()
    earlier = vault.history()
    vault.deposit(5)
    assert earlier == [("deposit", 10)]
    assert vault.history() == [("deposit", 10), ("deposit", 5)]


@pytest.mark.parametrize("amount", [0, -5])
def test_amounts_below_one_are_refused(amount):
    vault, other = account(10), account(10)
    for operation in (vault.deposit, vault.withdraw, vault.reserve, lambda amount: transfer(vault, other, amount)):
        with pytest.raises(InvalidAmount):
            operation(amount)
    assert (vault.balance(), other.balance(), vault.available()) == (10, 10, 10)


def test_account_with_a_balance_can_not_be_closed():
    vault = account(10)
    vault.reserve(10)
    with pytest.raises(AccountNotEmpty):
        vault.close()
    assert vault.balance() == 10


def test_closed_account_refuses_everything_but_its_history():
    vault, other = account(10), account(10)
    token = vault.reserve(10)
    vault.capture(token)
    vault.close()
    operations = [
        vault.balance,
        vault.available,
        lambda: vault.deposit(5),
        lambda: transfer(other, vault, 5),
        vault.close,
    ]
    for operation in operations:
        with pytest.raises(AccountClosed):
            operation()
    for operation in (lambda: vault.withdraw(5), lambda: vault.reserve(5), lambda: transfer(vault, other, 5)):
        with pytest.raises((AccountClosed, InsufficientFunds)):
            operation()
    for operation in (vault.capture, vault.release):
        with pytest.raises((AccountClosed, UnknownReservation)):
            operation(token)
    assert vault.history() == [("deposit", 10), ("capture", 10)]
    assert other.history() == [("deposit", 10)]


def test_transfer_within_one_account_is_refused():
    vault = account(10)
    with pytest.raises(SameAccount):
        transfer(vault, vault, 5)
    assert vault.history() == [("deposit", 10)]


# Two threads


def outcome(operation):
    try:
        operation()
    except BankError as error:
        return type(error)
    return "done"


def interrupted(first, second, step, unit="line"):
    """Pause the first operation before its line (or opcode) number `step` and start the second one meanwhile.

    Returns whether the place was reached, and the outcomes of both operations.
    """
    reached, resume, paused = threading.Event(), threading.Event(), threading.Event()
    outcomes = {}
    lines = 0

    def trace(frame, event, arg):
        nonlocal lines
        if frame.f_code.co_filename != bank_vault.__file__:
            return None
        frame.f_trace_opcodes = unit == "opcode"
        if event == unit:
            lines += 1
            if lines == step:
                reached.set()
                paused.set()
                resume.wait(5)
        return trace

    def run_first():
        # Python 3.12 reports opcodes only if a frame has asked for them before tracing starts.
        sys._getframe().f_trace_opcodes = unit == "opcode"
        sys.settrace(trace)
        try:
            outcomes["first"] = outcome(first)
        finally:
            sys.settrace(None)
            paused.set()

    def run_second():
        outcomes["second"] = outcome(second)

    threads = [threading.Thread(target=run_first, daemon=True), threading.Thread(target=run_second, daemon=True)]
    threads[0].start()
    paused.wait(5)
    threads[1].start()
    threads[1].join(0.004)  # Does not end in time if the first operation holds a lock, which is fine.
    resume.set()
    for thread in threads:
        thread.join(3)
        assert not thread.is_alive(), "an operation waits forever"
    return reached.is_set(), outcomes["first"], outcomes["second"]


def all_interruptions(prepare, unit="line"):
    """Yield what `prepare` gives and the outcomes of its two operations, for each place where the first can pause."""
    reached, step = True, 0
    while reached:
        step += 1
        first, second, *rest = prepare()
        reached, *outcomes = interrupted(first, second, step, unit)
        yield outcomes, *rest
    assert step > 1, "no line of bank_vault.py was run"


def test_two_deposits_at_the_same_time_both_count():
    def prepare():
        vault = account()
        return lambda: vault.deposit(10), lambda: vault.deposit(3), vault

    for outcomes, vault in all_interruptions(prepare):
        assert outcomes == ["done", "done"]
        assert vault.balance() == 13
        assert sorted(vault.history()) == [("deposit", 3), ("deposit", 10)]


@pytest.mark.parametrize(
    ("first", "second"), [("withdraw", "reserve"), ("reserve", "withdraw"), ("reserve", "reserve")]
)
def test_same_money_is_not_spent_twice(first, second):
    def prepare():
        vault = account(10)
        return lambda: getattr(vault, first)(7), lambda: getattr(vault, second)(7), vault

    for outcomes, vault in all_interruptions(prepare):
        assert sorted(outcomes, key=str) == [InsufficientFunds, "done"]
        assert vault.available() == 3


@pytest.mark.parametrize(("first", "second"), [("capture", "release"), ("release", "capture"), ("capture", "capture")])
def test_reservation_ends_only_once_in_two_threads_too(first, second):
    def prepare():
        vault = account(10)
        token = vault.reserve(7)
        return lambda: getattr(vault, first)(token), lambda: getattr(vault, second)(token), vault

    for outcomes, vault in all_interruptions(prepare):
        assert sorted(outcomes, key=str) == [UnknownReservation, "done"]
        captured = [first, second][outcomes.index("done")] == "capture"
        assert vault.balance() == vault.available() == (3 if captured else 10)


def test_transfers_in_both_directions_end():
    def prepare():
        left, right = account(10), account(20)
        return lambda: transfer(left, right, 1), lambda: transfer(right, left, 5), left, right

    for outcomes, left, right in all_interruptions(prepare, unit="opcode"):
        assert outcomes == ["done", "done"]
        assert (left.balance(), right.balance()) == (14, 16)


def test_no_money_is_lost_if_the_target_of_a_transfer_closes():
    def prepare():
        source, target = account(10), account()
        return lambda: transfer(source, target, 10), target.close, source, target

    for outcomes, source, target in all_interruptions(prepare):
        if outcomes[0] == "done":
            assert outcomes[1] is AccountNotEmpty
            assert (source.balance(), target.balance()) == (0, 10)
        else:
            assert outcomes == [AccountClosed, "done"]
            assert source.history() == [("deposit", 10)]
            assert source.balance() == 10


def test_deposit_into_an_account_that_closes_is_refused_or_prevents_it():
    def prepare():
        vault = account()
        return vault.close, lambda: vault.deposit(5), vault

    for outcomes, vault in all_interruptions(prepare):
        if outcomes[0] == "done":
            assert outcomes[1] is AccountClosed
            assert vault.history() == []
        else:
            assert outcomes == [AccountNotEmpty, "done"]
            assert vault.balance() == 5
