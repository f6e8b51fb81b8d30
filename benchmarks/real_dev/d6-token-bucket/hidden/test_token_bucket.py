import sys
import threading

import pytest
import token_bucket
from limits import Limit
from token_bucket import TokenBuckets

SECOND = 1_000_000_000


class FakeClock:
    def __init__(self, now=5 * SECOND):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def make(clock):
    def make(*defaults, **overrides):
        named = {name.replace("__", "/"): limit for name, limit in overrides.items()}
        return TokenBuckets(defaults, named, clock)

    return make


def taken(buckets, key, times, tokens=1):
    """Return how many of so many calls of take were allowed."""
    return sum(bool(buckets.take(key, tokens).allowed) for _ in range(times))


# One bucket


def test_a_bucket_is_full_at_first_and_refuses_when_empty(make):
    buckets = make(Limit(5, 1, SECOND))
    assert buckets.available("a") == 5
    assert taken(buckets, "a", 7) == 5
    assert buckets.available("a") == 0
    assert taken(buckets, "b", 7) == 5, "another key has its own bucket"


def test_a_call_takes_all_its_tokens_or_none(make):
    buckets = make(Limit(5, 1, SECOND))
    assert buckets.take("a", 3).allowed
    assert not buckets.take("a", 3).allowed
    assert buckets.available("a") == 2
    assert buckets.take("a", 2).allowed


def test_tokens_come_evenly_and_exactly_at_their_time(make, clock):
    buckets = make(Limit(100, 4, SECOND))
    buckets.take("a", 100)
    clock.now += SECOND // 4 - 1
    assert buckets.available("a") == 0
    clock.now += 1
    assert buckets.available("a") == 1
    clock.now += 5 * SECOND // 4
    assert buckets.available("a") == 6


def test_a_bucket_never_holds_more_than_its_capacity(make, clock):
    buckets = make(Limit(3, 1, SECOND))
    clock.now += 100 * SECOND + SECOND // 2
    assert taken(buckets, "a", 5) == 3
    clock.now += SECOND - 1
    assert buckets.available("a") == 0, "what came while the bucket was full is lost"
    clock.now += 1
    assert buckets.available("a") == 1


@pytest.mark.parametrize(("amount", "period"), [(1, 10), (7, 1000), (10**9 + 7, 3 * 10**10)])
def test_fractions_are_exact_however_often_a_bucket_is_used(make, clock, amount, period):
    buckets = make(Limit(10**6, amount, period))
    buckets.take("a", 10**6)
    for passed in range(1, 2 * min(period, 200) + 1):
        clock.now += 1
        assert buckets.available("a") == passed * amount // period, f"after {passed} ns"


def test_fractions_are_exact_over_years(make, clock):
    year = 365 * 86400 * SECOND
    buckets = make(Limit(10**18, 10**9 + 1, 10**9))
    buckets.take("a", 10**18)
    clock.now += 10 * year + 1
    assert buckets.available("a") == (10 * year + 1) * (10**9 + 1) // 10**9


def test_fractions_survive_taking_and_refusals(make, clock):
    buckets = make(Limit(2, 1, 10))
    buckets.take("a", 2)
    allowed = 0
    for _ in range(300):
        clock.now += 3
        allowed += buckets.take("a").allowed
    assert allowed == 90, "one token in 10 ns, in 900 ns"


def test_a_clock_that_goes_back_changes_nothing(make, clock):
    buckets = make(Limit(10, 1, SECOND))
    buckets.take("a", 10)
    clock.now += 3 * SECOND
    assert buckets.available("a") == 3
    clock.now -= 2 * SECOND
    assert buckets.available("a") == 3
    clock.now += 2 * SECOND
    assert buckets.available("a") == 3, "this time has been counted already"
    clock.now += SECOND
    assert buckets.available("a") == 4


def test_the_latest_time_counts_for_all_keys(make, clock):
    buckets = make(Limit(10, 1, SECOND))
    buckets.take("a", 10)
    clock.now += 4 * SECOND
    buckets.take("b", 10)
    clock.now -= 3 * SECOND
    assert (buckets.available("a"), buckets.available("b")) == (4, 0)
    clock.now += 4 * SECOND
    assert (buckets.available("a"), buckets.available("b")) == (5, 1)


# Waiting


@pytest.mark.parametrize(("amount", "period"), [(3, 10), (7, 1_000_001), (5, 2)])
def test_retry_after_is_the_shortest_wait_that_is_enough(make, clock, amount, period):
    buckets = make(Limit(10, amount, period))
    buckets.take("a", 10)
    decision = buckets.take("a", 4)
    assert (decision.allowed, decision.retry_after_ns) == (False, -(-4 * period // amount))
    clock.now += decision.retry_after_ns - 1
    assert buckets.take("a", 4).retry_after_ns == 1
    clock.now += 1
    decision = buckets.take("a", 4)
    assert (decision.allowed, decision.retry_after_ns) == (True, 0)


def test_retry_after_is_that_of_the_slowest_bucket(make, clock):
    buckets = make(Limit(10, 1, 7), Limit(10, 1, 100), Limit(10, 1, 30))
    buckets.take("a/b/c", 10)
    assert buckets.take("a/b/c", 2).retry_after_ns == 200
    assert buckets.take("a/b/d", 2).retry_after_ns == 200
    assert buckets.take("a/e", 2).retry_after_ns == 14


def test_what_no_bucket_can_ever_hold_has_no_wait(make):
    buckets = make(Limit(10, 1, 7), Limit(3, 1, 7))
    decision = buckets.take("a/b", 4)
    assert (decision.allowed, decision.retry_after_ns) == (False, None)
    assert buckets.reserve("a/b", 4) is None
    assert buckets.available("a/b") == 3


# Levels


def test_all_levels_limit_together(make):
    buckets = make(Limit(6, 1, SECOND), None, Limit(4, 1, SECOND))
    assert taken(buckets, "a/x/1", 9) == 4
    assert buckets.available("a/y/1") == 2
    assert taken(buckets, "a/y/1", 9) == 2, "the bucket of a is shared"
    assert taken(buckets, "b/x/1", 9) == 4
    assert buckets.available("a") == 0


def test_a_refusal_takes_nothing_on_any_level(make):
    buckets = make(Limit(10, 1, SECOND), Limit(6, 1, SECOND), Limit(3, 1, SECOND))
    buckets.take("a/b/c", 3)
    assert taken(buckets, "a/b/c", 5) == 0
    assert (buckets.available("a"), buckets.available("a/b")) == (7, 3)
    buckets.take("a", 6)
    assert taken(buckets, "a/b/d", 5, tokens=2) == 0
    assert (buckets.available("a"), buckets.available("a/b/d")) == (1, 1)
    assert taken(buckets, "a/b/d", 5) == 1


def test_levels_without_a_limit_limit_nothing(make):
    buckets = make(None, Limit(2, 1, SECOND))
    assert buckets.available("a") is None
    assert taken(buckets, "a", 50, tokens=10**9) == 50
    assert taken(buckets, "a/b/c/d", 5) == 2
    assert buckets.available("a/b/x") == 0


def test_overrides_apply_to_their_prefix_only(make):
    buckets = make(Limit(9, 1, SECOND), Limit(2, 1, SECOND), a__b=Limit(5, 1, SECOND), a__b__c=Limit(4, 1, SECOND))
    assert buckets.available("a/b") == 5
    assert buckets.available("a/b/c/d") == 4
    assert buckets.available("a/b/d") == 5
    assert buckets.available("a/bb") == 2
    assert buckets.available("x/a/b") == 2


def test_keys_with_an_empty_part_are_rejected(make):
    buckets = make(Limit(2, 1, SECOND))
    for key in ("", "/", "a/", "/a", "a//b"):
        with pytest.raises(ValueError):
            buckets.take(key)
        with pytest.raises(ValueError):
            buckets.reserve(key, 1)
        with pytest.raises(ValueError):
            buckets.available(key)
    assert buckets.bucket_count() == 0


def test_less_than_one_token_is_rejected(make):
    buckets = make(Limit(2, 1, SECOND))
    for tokens in (0, -1):
        with pytest.raises(ValueError):
            buckets.take("a", tokens)
        with pytest.raises(ValueError):
            buckets.reserve("a", tokens)
    assert buckets.available("a") == 2


# Reservations


def test_reserved_tokens_are_taken_on_all_levels_and_come_back_on_all_levels(make):
    buckets = make(Limit(10, 1, SECOND), Limit(6, 1, SECOND))
    reservation = buckets.reserve("a/b", 5)
    assert reservation.tokens == 5
    assert (buckets.available("a"), buckets.available("a/b")) == (5, 1)
    assert buckets.reserve("a/b", 2) is None
    assert (reservation.give_back(2), reservation.tokens) == (2, 3)
    assert (buckets.available("a"), buckets.available("a/b")) == (7, 3)
    assert (reservation.give_back(), reservation.tokens) == (3, 0)
    assert (buckets.available("a"), buckets.available("a/b")) == (10, 6)


def test_tokens_are_given_back_once(make):
    buckets = make(Limit(10, 1, SECOND))
    buckets.take("a", 5)
    reservation = buckets.reserve("a", 4)
    assert [reservation.give_back(), reservation.give_back(), reservation.give_back(0)] == [4, 0, 0]
    assert buckets.available("a") == 5


def test_tokens_that_are_not_left_cannot_be_given_back(make):
    buckets = make(Limit(10, 1, SECOND))
    reservation = buckets.reserve("a", 5)
    reservation.give_back(2)
    for tokens in (4, -1):
        with pytest.raises(ValueError):
            reservation.give_back(tokens)
    assert (reservation.tokens, buckets.available("a")) == (3, 7)


def test_given_back_tokens_never_overfill_a_bucket(make, clock):
    buckets = make(Limit(10, 1, SECOND), Limit(10, 1, 100 * SECOND))
    reservation = buckets.reserve("a/b", 6)
    clock.now += 4 * SECOND + 1
    assert buckets.available("a") == 8
    reservation.give_back()
    assert (buckets.available("a"), buckets.available("a/b")) == (10, 10)
    buckets.take("a", 10)
    clock.now += SECOND - 1
    assert buckets.available("a") == 0, "the fraction beyond the capacity is lost"


def test_tokens_given_back_join_those_that_came_in_the_meantime(make, clock):
    buckets = make(Limit(10, 1, 10))
    buckets.take("a", 4)
    reservation = buckets.reserve("a", 6)
    clock.now += 25
    reservation.give_back(3)
    assert buckets.available("a") == 5
    clock.now += 5
    assert buckets.available("a") == 6


# Memory


def test_full_buckets_can_be_forgotten_without_a_difference(make, clock):
    buckets = make(Limit(10, 1, 10), Limit(5, 1, 10))
    buckets.take("a/b", 3)
    reservation = buckets.reserve("c/d", 5)
    buckets.available("e/f")
    assert buckets.bucket_count() == 6
    assert buckets.forget_full() == 2
    clock.now += 29
    assert buckets.forget_full() == 0
    clock.now += 1
    assert (buckets.forget_full(), buckets.bucket_count()) == (2, 2)
    assert (buckets.available("a/b"), buckets.available("c/d")) == (5, 3)
    clock.now += 20
    buckets.forget_full()
    assert buckets.bucket_count() == 0
    assert reservation.give_back() == 5
    assert buckets.available("c/d") == 5


# Threads


def interleaved(first, second, step):
    """Run `first`, let `second` run in another thread before its line number `step`, and say whether it got there."""
    reached, go_on, halted = threading.Event(), threading.Event(), threading.Event()
    lines = 0

    def trace(frame, event, argument):
        nonlocal lines
        if frame.f_code.co_filename != token_bucket.__file__:
            return None
        if event == "line":
            lines += 1
            if lines == step:
                reached.set()
                halted.set()
                go_on.wait(5)
        return trace

    def traced():
        sys.settrace(trace)
        try:
            first()
        finally:
            sys.settrace(None)
            halted.set()

    threads = [threading.Thread(target=target, daemon=True) for target in (traced, second)]
    threads[0].start()
    halted.wait(5)
    threads[1].start()
    threads[1].join(0.004)  # Waits in vain if the first thread holds a lock, which is fine.
    go_on.set()
    for thread in threads:
        thread.join(5)
    return reached.is_set()


def every_interleaving(build):
    """Yield what `build` returned besides its two calls, after each way of interrupting the first by the second."""
    step, reached = 0, True
    while reached:
        step += 1
        first, second, outcome = build()
        reached = interleaved(first, second, step)
        yield outcome
    assert step > 1, "no line of token_bucket.py was run"


def test_two_threads_cannot_take_the_same_token(make):
    def build():
        buckets = make(Limit(1, 1, SECOND), Limit(5, 1, SECOND))
        results = []
        return (
            lambda: results.append(buckets.take("a/x").allowed),
            lambda: results.append(buckets.take("a/y").allowed),
            (buckets, results),
        )

    for buckets, results in every_interleaving(build):
        assert sorted(results) == [False, True]
        assert buckets.available("a") == 0


def test_two_threads_cannot_give_the_same_tokens_back(make):
    def build():
        buckets = make(Limit(20, 1, SECOND))
        buckets.take("a", 10)
        reservation = buckets.reserve("a", 5)
        results = []

        def give_back():
            results.append(reservation.give_back())

        return give_back, give_back, (buckets, results)

    for buckets, results in every_interleaving(build):
        assert sorted(results) == [0, 5]
        assert buckets.available("a") == 10
