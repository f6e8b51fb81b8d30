import sys
import threading
import time
from decimal import Decimal

import cache as cache_module
import pytest
from cache import SingleFlightCache
from rates import RateService

PATIENCE = 1.5  # seconds until a test gives up waiting for something that does not come
MODULES = (cache_module.__file__, threading.__file__)


class Clock:
    def __init__(self):
        self.now = 500.0

    def __call__(self):
        return self.now


class Call:
    """One call of load, which ends when the test says so."""

    def __init__(self, key):
        self.key = key
        self.thread = threading.current_thread()
        self._end = threading.Event()
        self._value = self._error = None

    def returns(self, value):
        self._value = value
        self._end.set()

    def raises(self, error):
        self._error = error
        self._end.set()

    def outcome(self):
        assert self._end.wait(PATIENCE), "the test did not end this load"
        if self._error:
            raise self._error
        return self._value


class Loads:
    """A load function whose calls are ended by the test."""

    def __init__(self):
        self.calls = []
        self._changed = threading.Condition()

    def __call__(self, key):
        call = Call(key)
        with self._changed:
            self.calls.append(call)
            self._changed.notify_all()
        return call.outcome()

    def wait_for(self, number):
        """Return the call with this number, counted from 1, once it has begun."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.calls) >= number, PATIENCE), f"load {number} did not begin"
            return self.calls[number - 1]


class Getter(threading.Thread):
    """A thread that gets one key."""

    def __init__(self, get, key="a"):
        super().__init__(daemon=True)
        self._get, self._key = get, key
        self._value = self._error = None
        self.start()

    def run(self):
        try:
            self._value = self._get(self._key)
        except BaseException as error:
            self._error = error

    def _finish(self):
        self.join(PATIENCE)
        assert not self.is_alive(), "get does not return"

    def value(self):
        self._finish()
        assert self._error is None, f"get raised {self._error!r}"
        return self._value

    def error(self):
        self._finish()
        return self._error


def settle(*getters):
    """Wait until each thread has ended or stands still within the cache."""
    for getter in getters:
        steady, last = 0, None
        deadline = time.monotonic() + PATIENCE
        while getter.is_alive() and steady < 4 and time.monotonic() < deadline:
            frame = sys._current_frames().get(getter.ident)
            here = (frame, frame.f_lasti) if frame and frame.f_code.co_filename in MODULES else None
            steady = steady + 1 if here and here == last else 0
            last = here
            time.sleep(0.002)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def loads():
    return Loads()


@pytest.fixture
def cache(loads, clock):
    return SingleFlightCache(loads, 10, clock=clock)


def counting(clock):
    """A cache whose values are the numbers of the loads, and the keys loaded."""
    keys = []

    def load(key):
        keys.append(key)
        return len(keys)

    return SingleFlightCache(load, 10, clock=clock), keys


# One thread


def test_a_value_is_kept_until_it_is_as_old_as_the_ttl(clock):
    cache, _ = counting(clock)
    assert cache.get("a") == 1
    clock.now += 9.75
    assert cache.get("a") == 1
    clock.now += 0.25
    assert cache.get("a") == 2
    clock.now += 9.75
    assert cache.get("a") == 2, "the age of the second value counts from its own load"


def test_keys_are_kept_apart(clock):
    cache, keys = counting(clock)
    assert [cache.get(key) for key in ("a", ("b", 1), "a", ("b", 1))] == [1, 2, 1, 2]
    assert keys == ["a", ("b", 1)]


@pytest.mark.parametrize("value", [None, 0, "", ()])
def test_every_value_is_kept(clock, value):
    calls = []

    def load(key):
        calls.append(key)
        return value

    cache = SingleFlightCache(load, 10, clock=clock)
    assert [cache.get("a"), cache.get("a")] == [value, value]
    assert calls == ["a"]


def test_the_age_counts_from_the_beginning_of_the_load(clock):
    def load(key):
        clock.now += 4
        return clock.now

    cache = SingleFlightCache(load, 10, clock=clock)
    first = cache.get("a")
    clock.now += 5.75
    assert cache.get("a") == first
    clock.now += 0.25
    assert cache.get("a") != first, "the load began 10 s ago"


def test_an_exception_reaches_the_caller_and_is_not_kept(clock):
    outcomes = [LookupError("first"), LookupError("second"), "value"]

    def load(key):
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    cache = SingleFlightCache(load, 10, clock=clock)
    for error in list(outcomes[:2]):
        with pytest.raises(LookupError) as caught:
            cache.get("a")
        assert caught.value is error
    assert cache.get("a") == "value"


def test_an_old_value_is_not_returned_when_the_load_fails(clock):
    outcomes = ["value"]
    cache = SingleFlightCache(lambda key: outcomes.pop(), 10, clock=clock)
    assert cache.get("a") == "value"
    clock.now += 10
    with pytest.raises(IndexError):
        cache.get("a")


def test_a_load_may_get_other_keys(clock):
    cache = SingleFlightCache(lambda key: cache.get(key[1:]) + key[0] if key else "", 10, clock=clock)
    assert Getter(cache.get, "abc").value() == "cba"


def test_a_load_that_gets_its_own_key_gets_a_runtime_error(clock):
    cache = SingleFlightCache(lambda key: cache.get("b" if key == "a" else "a"), 10, clock=clock)
    assert isinstance(Getter(cache.get).error(), RuntimeError)
    assert isinstance(Getter(cache.get).error(), RuntimeError), "the cache can be used further"


@pytest.mark.parametrize("ttl", [0, -1])
def test_a_senseless_ttl_is_rejected(ttl):
    with pytest.raises(ValueError):
        SingleFlightCache(str, ttl)


# Several threads


def test_threads_that_want_the_same_key_share_one_load(cache, loads):
    getters = [Getter(cache.get) for _ in range(4)]
    call = loads.wait_for(1)
    settle(*(getter for getter in getters if getter is not call.thread))
    value = object()
    call.returns(value)
    assert all(getter.value() is value for getter in getters)
    assert len(loads.calls) == 1


def test_other_keys_do_not_wait_for_a_load(cache, loads):
    slow = Getter(cache.get)
    call = loads.wait_for(1)
    quick = Getter(cache.get, "b")
    loads.wait_for(2).returns("quick")
    assert quick.value() == "quick"
    assert Getter(cache.get, "b").value() == "quick", "a kept value can be read while another key is loaded"
    call.returns("slow")
    assert slow.value() == "slow"


def test_an_exception_reaches_all_that_wait_for_the_load(cache, loads):
    first = Getter(cache.get)
    call = loads.wait_for(1)
    others = [Getter(cache.get) for _ in range(3)]
    settle(*others)
    error = OSError("no line")
    call.raises(error)
    assert all(getter.error() is error for getter in [first, *others])
    assert len(loads.calls) == 1
    later = Getter(cache.get)
    loads.wait_for(2).returns("value")
    assert later.value() == "value"


def test_a_base_exception_reaches_all_that_wait_for_the_load(cache, loads):
    class Abort(BaseException):
        pass

    first = Getter(cache.get)
    call = loads.wait_for(1)
    second = Getter(cache.get)
    settle(second)
    error = Abort()
    call.raises(error)
    assert (first.error(), second.error()) == (error, error)
    later = Getter(cache.get)
    loads.wait_for(2).returns("value")
    assert later.value() == "value"


def test_a_load_longer_than_the_ttl_is_shared_and_its_value_not_kept(cache, loads, clock):
    first = Getter(cache.get)
    call = loads.wait_for(1)
    second = Getter(cache.get)
    settle(second)
    clock.now += 11
    third = Getter(cache.get)
    settle(third)
    call.returns("slow")
    assert [getter.value() for getter in (first, second, third)] == ["slow"] * 3
    assert len(loads.calls) == 1
    later = Getter(cache.get)
    loads.wait_for(2).returns("new")
    assert later.value() == "new"


def test_an_expired_value_is_loaded_once_and_nobody_gets_it_meanwhile(cache, loads, clock):
    first = Getter(cache.get)
    loads.wait_for(1).returns("old")
    assert first.value() == "old"
    clock.now += 10
    getters = [Getter(cache.get) for _ in range(3)]
    call = loads.wait_for(2)
    settle(*(getter for getter in getters if getter is not call.thread))
    call.returns("new")
    assert [getter.value() for getter in getters] == ["new"] * 3
    assert len(loads.calls) == 2


# Invalidation


def test_invalidate_forgets_the_value_of_one_key(clock):
    cache, keys = counting(clock)
    cache.get("a")
    cache.get("b")
    cache.invalidate("a")
    cache.invalidate("never seen")
    assert [cache.get("a"), cache.get("b"), cache.get("a")] == [3, 2, 3]


def test_those_who_wait_already_get_the_outcome_of_an_invalidated_load_which_is_not_kept(cache, loads):
    first = Getter(cache.get)
    call = loads.wait_for(1)
    second = Getter(cache.get)
    settle(second)
    Getter(cache.invalidate).value()
    call.returns("old")
    assert [first.value(), second.value()] == ["old", "old"]
    later = Getter(cache.get)
    loads.wait_for(2).returns("new")
    assert later.value() == "new"


def test_a_get_after_invalidate_does_not_wait_for_the_old_load(cache, loads):
    first = Getter(cache.get)
    old = loads.wait_for(1)
    cache.invalidate("a")
    second = Getter(cache.get)
    loads.wait_for(2).returns("new")
    assert second.value() == "new"
    old.returns("old")
    assert first.value() == "old"
    assert Getter(cache.get).value() == "new", "the old load has replaced the newer value"


@pytest.mark.parametrize("fails", [False, True], ids=["value", "error"])
def test_the_end_of_an_invalidated_load_has_no_effect_on_the_next_one(cache, loads, fails):
    first = Getter(cache.get)
    old = loads.wait_for(1)
    cache.invalidate("a")
    second = Getter(cache.get)
    new = loads.wait_for(2)
    if fails:
        old.raises(OSError())
        assert isinstance(first.error(), OSError)
    else:
        old.returns("old")
        assert first.value() == "old"
    third = Getter(cache.get)
    settle(third)
    new.returns("new")
    assert [second.value(), third.value()] == ["new", "new"]
    assert Getter(cache.get).value() == "new"
    assert len(loads.calls) == 2, "a third load was started beside the second"


# The service


class Source:
    def __init__(self):
        self.asked = []

    def fetch(self, currency):
        self.asked.append(currency)
        if currency == "XXX":
            raise LookupError(currency)
        return Decimal(len(self.asked))


def test_rates_are_kept_for_the_ttl_whatever_the_case(clock):
    source = Source()
    service = RateService(source, ttl=60, clock=clock)
    assert [service.rate("chf"), service.rate("CHF"), service.rate("Nok")] == [1, 1, 2]
    assert service.in_currency(1050, "nok") == Decimal("21.00")
    clock.now += 60
    assert service.rate("chf") == 3
    assert source.asked == ["CHF", "NOK", "CHF"]


def test_a_forgotten_rate_is_fetched_again(clock):
    source = Source()
    service = RateService(source, ttl=60, clock=clock)
    service.rate("CHF")
    service.rate("NOK")
    service.forget("chf")
    assert [service.rate("CHF"), service.rate("NOK")] == [3, 2]


def test_errors_of_the_source_are_not_kept(clock):
    source = Source()
    service = RateService(source, ttl=60, clock=clock)
    for _ in range(2):
        with pytest.raises(LookupError):
            service.rate("xxx")
    assert source.asked == ["XXX", "XXX"]


def test_rates_are_kept_for_ten_minutes_by_default(clock):
    source = Source()
    service = RateService(source, clock=clock)
    service.rate("CHF")
    clock.now += 599
    service.rate("CHF")
    assert source.asked == ["CHF"]
    clock.now += 1
    service.rate("CHF")
    assert source.asked == ["CHF", "CHF"]
