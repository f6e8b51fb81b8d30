import importlib
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
from errors import NotEnoughMoney, UnknownAccount

PATIENCE = 20.0
HUNG = []

# Locks that know when somebody would wait for ever


class Deadlock(BaseException):
    """A thread would wait for ever. This is no `Exception`, so that the bank does not take it for one of its own."""


WATCH = threading.Condition()
WAITING = {}  # threads, and the lock or the call for which each of them waits


@contextmanager
def waiting_for(target):
    """Announce that this thread waits for a lock or a call; `Deadlock` if its owner in turn waits for this thread."""
    me = threading.current_thread()
    with WATCH:
        seen, thread = {me}, target.owner
        while thread not in seen and thread in WAITING:
            seen.add(thread)
            thread = WAITING[thread].owner
        if thread is me:
            raise Deadlock
        WAITING[me] = target
        WATCH.notify_all()
    try:
        yield
    finally:
        with WATCH:
            del WAITING[me]


class WatchedLock:
    """`threading.Lock`, but with `Deadlock` instead of waiting for ever."""

    def __init__(self):
        self.owner = None
        self._lock = threading.Lock()

    def acquire(self, blocking=True, timeout=-1):
        if not self._lock.acquire(blocking=False):
            if not blocking:
                return False
            if timeout < 0:
                self._wait()
            elif not self._lock.acquire(timeout=timeout):
                return False
        self.owner = threading.current_thread()
        return True

    def _wait(self):
        with waiting_for(self):
            while not self._lock.acquire(timeout=0.1):
                owner = self.owner
                if owner is not None and not owner.is_alive() and self.owner is owner:
                    raise Deadlock

    def release(self):
        self.owner = None
        self._lock.release()

    def locked(self):
        return self._lock.locked()

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *_):
        self.release()


class WatchedRLock(WatchedLock):
    """`threading.RLock`, likewise."""

    def __init__(self):
        super().__init__()
        self._depth = 0

    def acquire(self, blocking=True, timeout=-1):
        if not self._is_owned() and not super().acquire(blocking, timeout):
            return False
        self._depth += 1
        return True

    def release(self):
        if not self._is_owned():
            raise RuntimeError("cannot release a lock of another thread")
        self._depth -= 1
        if self._depth == 0:
            super().release()

    # What `threading.Condition` uses

    def _is_owned(self):
        return self.owner is threading.current_thread()

    def _release_save(self):
        depth, self._depth = self._depth, 0
        super().release()
        return depth

    def _acquire_restore(self, depth):
        super().acquire()
        self._depth = depth


class WatchedCondition(threading.Condition):
    def __init__(self, lock=None):
        super().__init__(WatchedRLock() if lock is None else lock)


def import_bank():
    """The module, for which `threading` has watched locks."""
    watched = ModuleType("threading")
    vars(watched).update(vars(threading), Lock=WatchedLock, RLock=WatchedRLock, Condition=WatchedCondition)
    sys.modules["threading"] = watched
    try:
        return importlib.import_module("bank")
    finally:
        sys.modules["threading"] = threading


bank_module = import_bank()
Bank = bank_module.Bank
FOLDER = str(Path(bank_module.__file__).parent)
OWN = {str(Path(FOLDER, name)) for name in ("account.py", "audit.py", "bank.py")}


@pytest.fixture(autouse=True)
def nothing_has_hung():
    """A bank that hangs without our locks costs a lot of time, so once is enough."""
    assert not HUNG, "a call hung in an earlier test"


class Call:
    """A call in a thread of its own, which is left behind if it hangs."""

    def __init__(self, function):
        self.result = self.error = None
        self.ended = False
        self._function = function
        self.owner = threading.Thread(target=self._run, daemon=True)
        self.owner.start()

    def _run(self):
        try:
            self.result = self._function()
        except BaseException as error:
            self.error = type(error)
        with WATCH:
            self.ended = True
            WATCH.notify_all()

    def settle(self):
        """Wait until the call has ended or waits for a lock."""
        with WATCH:
            WATCH.wait_for(lambda: self.ended or self.owner in WAITING, 0.02)

    def finish(self):
        with waiting_for(self):
            self.owner.join(PATIENCE)
        if not self.ended:
            HUNG.append(self)
        assert self.ended and self.error is not Deadlock, "a call hangs"
        return self


def run(function):
    """The result of a function, or the class of its error; fails if it hangs."""
    call = Call(function).finish()
    return call.error or call.result


def interrupted(step, first, second):
    """Halt the first call before its line number `step` in the bank's modules while the second one runs.

    If the second one has to wait for the first, the first goes on. Returns both results and whether the first call has
    so many lines.
    """
    reached, halted, resume = threading.Event(), threading.Event(), threading.Event()
    lines = 0

    def trace(frame, event, arg):
        nonlocal lines
        if frame.f_code.co_filename not in OWN:
            return None
        if event == "line":
            lines += 1
            if lines == step:
                reached.set()
                halted.set()
                resume.wait(PATIENCE)
        return trace

    def traced():
        sys.settrace(trace)
        try:
            return first()
        finally:
            sys.settrace(None)
            halted.set()

    one = Call(traced)
    halted.wait(PATIENCE)
    two = Call(second)
    two.settle()
    resume.set()
    one.finish()
    two.finish()
    return one.error or one.result, two.error or two.result, reached.is_set()


def interruptions(first, second, **accounts):
    """A bank and the results of two calls, for each line of the first call at which the second one can come in."""
    step = 0
    while True:
        step += 1
        bank = bank_with(**accounts)
        one, two, reached = interrupted(step, lambda: first(bank), lambda: second(bank))
        if not reached:
            break
        check_log(bank)
        yield bank, one, two
    assert step > 1, "no line of the bank was run"


def bank_with(listener=None, **accounts):
    bank = Bank(listener)
    for name, cents in accounts.items():
        bank.open_account(name, cents)
    return bank


def check_log(bank):
    entries = bank.log()
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    balances = {}
    for entry in entries:
        balances[entry.account] = balances.get(entry.account, 0) + entry.change
        assert entry.balance == balances[entry.account], f"entry {entry.number} does not add up"
    for place, entry in enumerate(entries):
        if entry.change < 0:
            assert entries[place + 1].change == -entry.change, f"entry {entry.number} is apart from its other half"
    for name, cents in balances.items():
        assert bank.balance(name) == cents


def changes(bank, after=0):
    return [(entry.account, entry.change, entry.balance) for entry in bank.log()[after:]]


# Two threads


def test_transfers_in_opposite_directions_do_not_hang():
    for bank, one, two in interruptions(
        lambda bank: bank.transfer("a", "b", 30), lambda bank: bank.transfer("b", "a", 20), a=100, b=100
    ):
        assert (one, two, bank.balance("a"), bank.balance("b")) == (None, None, 90, 110)


def test_entries_of_other_transfers_do_not_come_in_between():
    for bank, one, two in interruptions(
        lambda bank: bank.transfer("a", "b", 30), lambda bank: bank.transfer("c", "d", 20), a=100, b=100, c=100, d=100
    ):
        assert (one, two, len(bank.log())) == (None, None, 8)


def test_the_entries_of_an_account_are_in_the_order_of_its_balances():
    for bank, one, two in interruptions(
        lambda bank: bank.deposit("a", 30), lambda bank: bank.transfer("a", "b", 20), a=100, b=100
    ):
        assert (one, two, bank.balance("a")) == (None, None, 110)


def test_the_same_money_is_spent_once():
    for bank, one, two in interruptions(
        lambda bank: bank.transfer("a", "b", 70), lambda bank: bank.transfer("a", "c", 60), a=100, b=1, c=1
    ):
        assert (one is None) != (two is None)
        assert NotEnoughMoney in (one, two)
        assert bank.balance("a") in (30, 40)


def test_the_total_is_the_same_during_a_transfer():
    for _, _, total in interruptions(lambda bank: bank.transfer("a", "b", 30), lambda bank: bank.total(), a=100, b=100):
        assert total == 200


def test_the_total_is_taken_at_one_moment():
    for _, total, _ in interruptions(
        lambda bank: bank.total(), lambda bank: bank.transfer("b", "a", 30), a=100, b=100, c=100
    ):
        assert total == 300


def test_a_statement_is_taken_at_one_moment():
    for _, (balance, entries), _ in interruptions(
        lambda bank: bank.statement("a"), lambda bank: bank.transfer("b", "a", 30), a=100, b=100
    ):
        assert balance == entries[-1].balance == sum(entry.change for entry in entries)


def test_money_of_transfers_that_fail_together_cannot_be_spent():
    for bank, one, two in interruptions(
        lambda bank: bank.transfer_all([("a", "b", 50), ("c", "a", 500)]),
        lambda bank: bank.transfer("b", "c", 50),
        a=100,
        b=10,
        c=100,
    ):
        assert (one, two) == (NotEnoughMoney, NotEnoughMoney)
        assert (len(bank.log()), bank.total()) == (3, 210)


def test_several_transfers_are_seen_together():
    for _, one, (balance, entries) in interruptions(
        lambda bank: bank.transfer_all([("a", "b", 50), ("c", "b", 50)]),
        lambda bank: bank.statement("b"),
        a=99,
        b=10,
        c=99,
    ):
        assert one is None
        assert (balance, len(entries)) in ((10, 1), (110, 3))


# One thread


def test_a_transfer_to_the_same_account_is_checked_and_leaves_no_trace():
    heard = []
    bank = bank_with(lambda *call: heard.append(call), a=100)
    assert run(lambda: bank.transfer("a", "a", 100)) is None
    assert run(lambda: bank.transfer("a", "a", 101)) is NotEnoughMoney
    assert (bank.balance("a"), len(bank.log()), len(heard)) == (100, 1, 1)


def test_a_transfer_makes_two_entries_and_calls_the_listener_in_their_order():
    heard = []
    bank = bank_with(lambda *call: heard.append(call), b=5, a=100)
    run(lambda: bank.transfer_all([("a", "b", 30), ("a", "b", 20)]))
    assert changes(bank, after=2) == [("a", -30, 70), ("b", 30, 35), ("a", -20, 50), ("b", 20, 55)]
    assert heard == [("b", 5), ("a", 100), ("a", 70), ("b", 35), ("a", 50), ("b", 55)]


class Listener:
    """Does something with the bank at every call, once it has been given one."""

    def __init__(self, work):
        self.bank = None
        self.results = []
        self._work = work

    def __call__(self, name, balance):
        if self.bank is not None:
            self.results.append(self._work(self.bank))


def test_a_listener_may_use_the_bank_and_sees_the_whole_change():
    listener = Listener(lambda bank: (bank.total(), bank.balance("b"), len(bank.log())))
    bank = listener.bank = bank_with(listener, a=100, b=0)
    assert listener.results in ([], [(100, 0, 1)])
    listener.results.clear()
    assert run(lambda: bank.transfer_all([("a", "b", 30), ("a", "b", 20)])) is None
    assert listener.results == [(100, 50, 5)] * 4


def test_a_listener_may_wait_for_another_thread_that_uses_the_bank():
    listener = Listener(lambda bank: run(lambda: bank.transfer("d", "d", 1) or bank.total()))
    bank = bank_with(listener, a=100, b=7, d=3)
    listener.bank = bank
    assert run(lambda: bank.transfer("a", "b", 30)) is None
    assert run(lambda: bank.deposit("d", 5)) is None
    assert listener.results == [110, 110, 115]


def test_a_change_has_happened_even_if_the_listener_raises():
    listener = Listener(lambda bank: 1 // 0)
    bank = bank_with(listener, a=100, b=7)
    listener.bank = bank
    assert run(lambda: bank.transfer("a", "b", 30)) is ZeroDivisionError
    listener.bank = None
    assert run(lambda: bank.transfer("a", "b", 10)) is None
    assert changes(bank, after=2) == [("a", -30, 70), ("b", 30, 37), ("a", -10, 60), ("b", 10, 47)]


@pytest.mark.parametrize(
    ("last", "error"),
    [(("b", "c", 500), NotEnoughMoney), (("a", "nobody", 1), UnknownAccount), (("a", "b", 0), ValueError)],
    ids=["too much", "unknown account", "no amount"],
)
def test_transfers_that_fail_together_leave_no_trace(last, error):
    heard = []
    bank = bank_with(lambda *call: heard.append(call), a=100, b=7)
    bank.open_account("c")
    assert run(lambda: bank.transfer_all(iter([("a", "b", 60), ("b", "c", 30), last]))) is error
    assert [bank.balance(name) for name in "abc"] == [100, 7, 0]
    assert (len(bank.log()), len(heard)) == (2, 2)


def test_several_transfers_count_in_their_order():
    bank = bank_with(a=100, b=7)
    bank.open_account("c")
    assert run(lambda: bank.transfer_all([("a", "b", 60), ("b", "b", 67), ("b", "c", 65)])) is None
    assert changes(bank, after=2) == [("a", -60, 40), ("b", 60, 67), ("b", -65, 2), ("c", 65, 65)]
    assert run(lambda: bank.transfer_all([("a", "b", 40), ("a", "b", 1)])) is NotEnoughMoney
    assert run(lambda: bank.transfer_all([])) is None
    assert bank.balance("a") == 40
