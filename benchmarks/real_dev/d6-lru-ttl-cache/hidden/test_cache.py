import sys
import threading
import time

import cache as module
import pytest
from cache import Cache
from thumbnails import Thumbnails


class FakeClock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return FakeClock()


def filled(max_weight, keys, **options):
    cache = Cache(max_weight, **options)
    for key in keys:
        cache.put(key, key.upper())
    return cache


def held(cache, keys):
    return "".join(key for key in keys if key in cache)


def counts(cache):
    stats = cache.stats()
    return stats.hits, stats.misses, stats.evictions, stats.expirations


def start(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def join(*threads):
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive(), "a thread waits for ever"


class SlowLoader:
    """A loader that goes on when it is told to."""

    def __init__(self, value=None, error=None):
        self.value, self.error = value, error
        self.running, self.go_on = threading.Event(), threading.Event()
        self.calls = 0

    def __call__(self):
        self.calls += 1
        self.running.set()
        assert self.go_on.wait(5)
        if self.error:
            raise self.error
        return self.value


# Order and weight


def test_the_least_recently_used_entry_goes_first():
    cache = filled(3, "abc")
    assert cache.get("a") == "A"
    assert cache.put("b", "again") is True
    cache.put("d", "D")
    assert held(cache, "abcd") == "abd"
    assert (cache.get("b"), cache.get("c", "none")) == ("again", "none")


def test_room_is_made_by_as_few_entries_as_possible():
    cache = Cache(10, weigh=lambda key, value: value)
    for key, weight in [("a", 4), ("b", 3), ("c", 2), ("d", 1)]:
        cache.put(key, weight)
    cache.put("e", 6)
    assert (held(cache, "abcde"), cache.weight, len(cache)) == ("cde", 9, 3)
    cache.put("f", 1)
    assert (held(cache, "cdef"), cache.weight, len(cache)) == ("cdef", 10, 4)
    assert counts(cache)[2] == 2


def test_a_replaced_entry_makes_room_for_its_successor():
    cache = Cache(10, weigh=lambda key, value: value)
    for key, weight in [("a", 3), ("b", 3), ("c", 3)]:
        cache.put(key, weight)
    cache.put("c", 4)
    assert (held(cache, "abc"), cache.weight) == ("abc", 10)
    cache.put("a", 1)
    assert (cache.weight, len(cache)) == (8, 3)
    assert counts(cache) == (0, 0, 0, 0)


def test_what_is_too_heavy_is_not_stored_and_takes_its_old_entry_away():
    cache = Cache(10, weigh=lambda key, value: value)
    for key, weight in [("a", 3), ("b", 3)]:
        cache.put(key, weight)
    assert cache.put("a", 11) is False
    assert (held(cache, "ab"), cache.weight, counts(cache)) == ("b", 3, (0, 0, 0, 0))
    assert cache.put("c", 10) is True


def test_a_put_that_raises_changes_nothing():
    def weigh(key, value):
        if value == "?":
            raise LookupError("no scales")
        return len(value) - 1

    cache = Cache(5, weigh=weigh)
    cache.put("a", "1234")
    cache.put("b", "12")
    for value, error in [("?", LookupError), ("", ValueError)]:
        with pytest.raises(error):
            cache.put("a", value)
    with pytest.raises(ValueError):
        cache.put("a", "12", ttl=0)
    assert (cache.get("a"), cache.get("b"), cache.weight) == ("1234", "12", 4)


def test_senseless_settings_are_refused():
    for options in ({"max_weight": 0}, {"max_weight": -1}, {"max_weight": 1, "ttl": 0}, {"max_weight": 1, "ttl": -5}):
        with pytest.raises(ValueError):
            Cache(**options)


def test_none_is_a_value():
    cache = Cache(2)
    cache.put("a", None)
    assert cache.get("a", "default") is None
    assert cache.get_or_load("a", pytest.fail) is None
    assert counts(cache) == (2, 0, 0, 0)


def test_in_changes_nothing(clock):
    cache = filled(2, "ab", ttl=10, clock=clock)
    assert "a" in cache
    assert "x" not in cache
    cache.put("c", "C")
    assert held(cache, "abc") == "bc"
    clock.advance(10)
    assert held(cache, "bc") == ""
    assert (len(cache), counts(cache)) == (2, (0, 0, 1, 0))


# Expiry


def test_an_entry_expires_at_the_end_of_its_life(clock):
    cache = filled(2, "a", ttl=8, clock=clock)
    clock.advance(7.75)
    assert cache.get("a") == "A"
    clock.advance(0.25)
    assert "a" not in cache
    assert cache.get("a", "gone") == "gone"
    assert (len(cache), cache.weight, counts(cache)) == (0, 0, (1, 1, 0, 1))


def test_a_put_starts_a_new_life(clock):
    cache = filled(2, "a", ttl=8, clock=clock)
    clock.advance(6)
    cache.put("a", "B")
    clock.advance(6)
    assert cache.get("a") == "B"


def test_put_has_a_ttl_of_its_own(clock):
    cache = filled(5, "a", ttl=8, clock=clock)
    cache.put("short", 1, ttl=2)
    cache.put("long", 1, ttl=50)
    cache.put("ever", 1, ttl=None)
    assert [cache.purge() for _ in range(2) if clock.advance(2) is None] == [1, 0]
    clock.advance(40)
    assert held(cache, ["a", "short", "long", "ever"]) == "longever"
    clock.advance(1e9)
    assert held(cache, ["long", "ever"]) == "ever"


def test_purge_removes_and_counts_what_is_expired(clock):
    cache = filled(9, "abc", ttl=8, clock=clock)
    clock.advance(5)
    cache.put("b", "B")
    cache.put("d", "D")
    clock.advance(3)
    assert len(cache) == 4, "an expired entry counts until it is removed"
    assert cache.purge() == 2
    assert (held(cache, "abcd"), len(cache), cache.weight, counts(cache)) == ("bd", 2, 2, (0, 0, 0, 2))


def test_an_expired_entry_that_makes_room_is_an_expiration(clock):
    cache = filled(2, "ab", ttl=8, clock=clock)
    cache.get("a")
    cache.put("a", "A", ttl=20)
    clock.advance(9)
    cache.put("c", "C")
    cache.put("d", "D")
    assert (held(cache, "abcd"), counts(cache)) == ("cd", (1, 0, 1, 1))


def test_delete_and_replacement_of_expired_entries_are_expirations(clock):
    cache = filled(4, "abc", ttl=8, clock=clock)
    assert cache.delete("a") is True
    assert cache.delete("a") is False
    clock.advance(8)
    assert cache.delete("b") is False
    cache.put("c", "C")
    assert (len(cache), counts(cache)) == (1, (0, 0, 0, 2))


def test_clear_removes_entries_and_keeps_statistics(clock):
    cache = filled(4, "abc", ttl=8, clock=clock)
    cache.get("a")
    cache.get("x")
    before = cache.stats()
    clock.advance(8)
    cache.clear()
    assert (len(cache), cache.weight, counts(cache)) == (0, 0, (1, 1, 0, 0))
    cache.get("a")
    assert (before.hits, before.misses) == (1, 1), "statistics are a snapshot"
    with pytest.raises((AttributeError, TypeError)):
        before.hits = 7


# Loading


def test_loading_stores_like_put(clock):
    cache = Cache(3, ttl=8, weigh=lambda key, value: len(value), clock=clock)
    assert cache.get_or_load("a", lambda: "xx") == "xx"
    assert cache.get_or_load("a", pytest.fail) == "xx"
    assert cache.get_or_load("b", lambda: "too heavy") == "too heavy"
    assert held(cache, "ab") == "a"
    clock.advance(8)
    assert cache.get_or_load("a", lambda: "yy") == "yy"
    assert counts(cache) == (1, 3, 0, 1)


def test_thumbnails_are_rendered_once():
    rendered = []
    thumbnails = Thumbnails(lambda picture, pixels: rendered.append((picture, pixels)) or b"x" * pixels)
    assert [len(thumbnails.get("cat", pixels)) for pixels in (96, 320, 96)] == [96, 320, 96]
    thumbnails.forget("cat", [96])
    thumbnails.get("cat", 96)
    thumbnails.get("cat", 320)
    assert rendered == [("cat", 96), ("cat", 320), ("cat", 96)]


@pytest.mark.parametrize("error", [None, LookupError("no file")], ids=["result", "error"])
def test_one_loader_serves_all_who_wait(error):
    cache, loader, results = Cache(5), SlowLoader("A", error), []

    def ask():
        try:
            results.append(cache.get_or_load("a", loader))
        except LookupError as raised:
            results.append(raised)

    threads = [start(ask)]
    assert loader.running.wait(5)
    threads += [start(ask) for _ in range(3)]
    deadline = time.monotonic() + 2
    while cache.stats().misses < 4 and time.monotonic() < deadline:
        time.sleep(0.001)
    loader.go_on.set()
    join(*threads)
    assert results == [error or "A"] * 4
    assert loader.calls == 1
    assert counts(cache) == (0, 4, 0, 0)
    assert len(cache) == (0 if error else 1)
    assert cache.get_or_load("a", lambda: "later") == ("later" if error else "A")


def test_other_keys_go_on_while_a_loader_runs():
    cache, loader, seen = filled(5, "b"), SlowLoader("A"), []
    loading = start(lambda: cache.get_or_load("a", loader))
    assert loader.running.wait(5)

    def use():
        seen.append(cache.get("b"))
        seen.append(cache.get_or_load("c", lambda: "C"))
        seen.append(cache.put("d", "D"))
        seen.append(cache.get("a", "not yet"))

    other = start(use)
    other.join(1)
    loader.go_on.set()
    join(other, loading)
    assert seen == ["B", "C", True, "not yet"]


def test_a_loader_may_use_the_cache():
    cache = Cache(5)
    result = []
    thread = start(lambda: result.append(cache.get_or_load("a", lambda: cache.get_or_load("b", lambda: "B") + "!")))
    join(thread)
    assert result == ["B!"]
    assert held(cache, "ab") == "ab"


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda cache: cache.delete("a"), None),
        (lambda cache: cache.clear(), None),
        (lambda cache: cache.put("a", "new"), "new"),
    ],
    ids=["delete", "clear", "put"],
)
def test_a_result_that_may_be_out_of_date_is_not_stored(change, left):
    cache, loader, results = Cache(5), SlowLoader("old"), []
    thread = start(lambda: results.append(cache.get_or_load("a", loader)))
    assert loader.running.wait(5)
    change(cache)
    later = []
    asker = start(lambda: later.append(cache.get_or_load("a", lambda: "new")))
    asker.join(1)
    loader.go_on.set()
    join(thread, asker)
    assert (results, later) == (["old"], ["new"])
    assert cache.get("a") == "new"


def test_parallel_puts_keep_the_weight():
    step, reached = 0, True
    while reached:
        step += 1
        cache = Cache(1)
        reached = put_interrupted_by_another(cache, step)
        assert (len(cache), cache.weight) == (1, 1), f"interrupted before line {step}"
    assert step > 1


def put_interrupted_by_another(cache, step):
    """Pause one put before its line number `step` while another thread puts; tell whether there is such a line."""
    stopped, resume = threading.Event(), threading.Event()
    lines, reached = 0, []

    def trace(frame, event, arg):
        nonlocal lines
        if frame.f_code.co_filename != module.__file__:
            return None
        if event == "line":
            lines += 1
            if lines == step:
                reached.append(step)
                stopped.set()
                resume.wait(5)
        return trace

    def first():
        sys.settrace(trace)
        try:
            cache.put("a", 1)
        finally:
            sys.settrace(None)
            stopped.set()

    paused = start(first)
    assert stopped.wait(5)
    other = start(lambda: cache.put("b", 2))
    other.join(0.01)  # does not end in time if the first put holds a lock, which is fine
    resume.set()
    join(paused, other)
    return bool(reached)


# Speed


class Key:
    """A key that counts how often it is hashed or compared."""

    work = 0

    def __init__(self, number):
        self.number = number

    def __hash__(self):
        Key.work += 1
        return hash(self.number)

    def __eq__(self, other):
        Key.work += 1
        return self.number == other.number


@pytest.mark.parametrize("operation", ["get", "put", "replace", "delete", "load"])
def test_the_work_does_not_grow_with_the_number_of_entries(operation):
    def work(size):
        cache = Cache(size, ttl=1000)
        for number in range(size):
            cache.put(Key(number), number)
        action = {
            "get": lambda: cache.get(Key(size // 2)),
            "put": lambda: cache.put(Key(-1), "new"),
            "replace": lambda: cache.put(Key(size // 2), "new"),
            "delete": lambda: cache.delete(Key(size // 2)),
            "load": lambda: cache.get_or_load(Key(-2), lambda: 1),
        }[operation]
        steps = 0

        def profile(frame, event, arg):
            nonlocal steps
            steps += 1

        Key.work = 0
        sys.setprofile(profile)
        try:
            action()
            assert Key(size) not in cache
            assert (len(cache), cache.weight) != (0, 0)
        finally:
            sys.setprofile(None)
        return steps + Key.work

    assert work(2000) <= work(50) + 50
