import http.client
import json
import socket
import sys
import threading
from contextlib import contextmanager

import config
import pytest
import rate_limit
from app import create_server
from rate_limit import SlidingWindowLimiter


class FakeClock:
    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return FakeClock()


def allowed(limiter, client, times=1):
    return [bool(limiter.check(client).allowed) for _ in range(times)]


# The limiter


def test_requests_up_to_the_limit_are_allowed_and_the_next_is_refused(clock):
    limiter = SlidingWindowLimiter(3, 10, clock=clock)
    assert allowed(limiter, "a", 4) == [True, True, True, False], "the limit is 3 requests"


def test_clients_do_not_share_a_budget(clock):
    limiter = SlidingWindowLimiter(1, 10, clock=clock)
    assert allowed(limiter, "a", 2) == [True, False]
    assert allowed(limiter, "b") == [True], "another client has its own budget"


def test_burst_across_a_window_boundary_is_refused(clock):
    limiter = SlidingWindowLimiter(4, 10, clock=clock)
    assert allowed(limiter, "a") == [True]
    clock.advance(9)
    assert allowed(limiter, "a", 3) == [True, True, True]
    clock.advance(2)
    assert allowed(limiter, "a", 4) == [True, False, False, False], "only the first request has left"


def test_request_exactly_one_window_old_has_left_the_window(clock):
    limiter = SlidingWindowLimiter(2, 8, clock=clock)
    assert allowed(limiter, "a", 2) == [True, True]
    clock.advance(7.75)
    assert allowed(limiter, "a") == [False], "7.75 s later the window of 8 s is still full"
    clock.advance(0.25)
    assert allowed(limiter, "a", 3) == [True, True, False], "8 s later both requests have left"


def test_refused_requests_do_not_prolong_the_wait(clock):
    limiter = SlidingWindowLimiter(1, 10, clock=clock)
    assert allowed(limiter, "a") == [True]
    for _ in range(3):
        clock.advance(3)
        assert allowed(limiter, "a") == [False]
    clock.advance(1)
    assert allowed(limiter, "a") == [True], "the only allowed request was 10 s ago"


def test_retry_after_is_the_time_until_the_oldest_request_leaves(clock):
    limiter = SlidingWindowLimiter(2, 10, clock=clock)
    assert limiter.check("a").retry_after == 0.0, "nothing to wait for when allowed"
    clock.advance(4)
    limiter.check("a")
    clock.advance(2.5)
    decision = limiter.check("a")
    assert not decision.allowed
    assert decision.retry_after == pytest.approx(3.5), "the oldest request was 6.5 s ago, the window is 10 s"


def test_waiting_for_retry_after_is_enough_and_less_is_not(clock):
    limiter = SlidingWindowLimiter(2, 8, clock=clock)
    limiter.check("a")
    clock.advance(3)
    limiter.check("a")
    wait = limiter.check("a").retry_after
    clock.advance(wait - 0.5)
    assert allowed(limiter, "a") == [False], "half a second too early"
    clock.advance(0.5)
    assert allowed(limiter, "a") == [True], "after the time given by retry_after"


def test_clients_without_requests_in_the_window_are_forgotten(clock):
    limiter = SlidingWindowLimiter(2, 10, clock=clock)
    for number in range(50):
        limiter.check(f"client-{number}")
    assert limiter.client_count() == 50
    clock.advance(6)
    limiter.check("client-7")
    clock.advance(5)
    limiter.check("late")
    assert limiter.client_count() == 2, "only client-7 and late have a request in the window"


@pytest.mark.parametrize(("limit", "window"), [(0, 10), (5, 0), (5, -0.5)])
def test_senseless_settings_are_rejected(limit, window):
    with pytest.raises(ValueError):
        SlidingWindowLimiter(limit, window)


def check_interrupted_by_another(limiter, step):
    """Pause one check before its line number `step` and let another thread check meanwhile.

    Returns whether the line was reached, and the outcomes of both checks.
    """
    reached, resume, stopped = threading.Event(), threading.Event(), threading.Event()
    outcomes = []
    lines = 0

    def trace(frame, event, arg):
        nonlocal lines
        if frame.f_code.co_filename != rate_limit.__file__:
            return None
        if event == "line":
            lines += 1
            if lines == step:
                reached.set()
                stopped.set()
                resume.wait(5)
        return trace

    def first():
        sys.settrace(trace)
        try:
            outcomes.append(limiter.check("a").allowed)
        finally:
            sys.settrace(None)
            stopped.set()

    def second():
        outcomes.append(limiter.check("a").allowed)

    threads = [threading.Thread(target=first, daemon=True), threading.Thread(target=second, daemon=True)]
    threads[0].start()
    stopped.wait(5)
    threads[1].start()
    threads[1].join(0.03)  # Does not end in time if the first check holds a lock, which is fine.
    resume.set()
    for thread in threads:
        thread.join(5)
    return reached.is_set(), outcomes


def test_parallel_checks_never_exceed_the_limit(clock):
    reached, step = True, 0
    while reached:
        step += 1
        limiter = SlidingWindowLimiter(1, 10, clock=clock)
        reached, outcomes = check_interrupted_by_another(limiter, step)
        assert sorted(outcomes) == [False, True], "of two parallel checks with limit 1, one is allowed"
    assert step > 1, "no line of rate_limit.py was run"


# The server


@contextmanager
def running(limiter=None):
    server = create_server("127.0.0.1", 0, limiter=limiter)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(port, path="/notes", client=None, method="GET", data=None):
    """Send one request on a new connection and return status, headers and decoded body."""
    body = b"" if data is None else json.dumps(data).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close"]
    lines.append(f"Content-Length: {len(body)}")
    if client is not None:
        lines.append(f"X-Client-Id: {client}")
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        response = http.client.HTTPResponse(connection, method=method)
        response.begin()
        return response.status, response.headers, json.loads(response.read())


def statuses(port, times, **request):
    return [send(port, **request)[0] for _ in range(times)]


def test_refused_request_gets_429_with_a_json_error(clock):
    with running(SlidingWindowLimiter(2, 10, clock=clock)) as port:
        assert statuses(port, 2, client="a") == [200, 200]
        status, headers, body = send(port, client="a")
    assert status == 429
    assert body == {"error": "rate limit exceeded"}
    assert headers.get_content_type() == "application/json"


@pytest.mark.parametrize(
    ("elapsed", "expected"),
    [(0, "10"), (2.75, "8"), (9.75, "1")],
    ids=["whole", "rounded up", "at least one"],
)
def test_retry_after_header_is_whole_seconds_rounded_up(clock, elapsed, expected):
    with running(SlidingWindowLimiter(1, 10, clock=clock)) as port:
        send(port, client="a")
        clock.advance(elapsed)
        status, headers, _ = send(port, client="a")
    assert status == 429
    assert headers["Retry-After"] == expected, f"{10 - elapsed} s are left"


def test_header_tells_clients_apart(clock):
    with running(SlidingWindowLimiter(1, 10, clock=clock)) as port:
        assert statuses(port, 2, client="a") == [200, 429]
        assert statuses(port, 2, client="b") == [200, 429], "another X-Client-Id has its own budget"


@pytest.mark.parametrize("client", [None, ""], ids=["missing", "empty"])
def test_without_the_header_all_connections_of_an_address_are_one_client(clock, client):
    with running(SlidingWindowLimiter(2, 10, clock=clock)) as port:
        assert statuses(port, 3, client=client) == [200, 200, 429]


def test_refused_post_stores_nothing(clock):
    with running(SlidingWindowLimiter(1, 10, clock=clock)) as port:
        assert send(port, client="a", method="POST", data={"text": "one"})[0] == 201
        assert send(port, client="a", method="POST", data={"text": "two"})[0] == 429
        _, _, body = send(port, client="b")
    assert [note["text"] for note in body["notes"]] == ["one"]


def test_failing_requests_count(clock):
    with running(SlidingWindowLimiter(2, 10, clock=clock)) as port:
        assert send(port, path="/nowhere", client="a")[0] == 404
        assert send(port, client="a", method="POST", data={"text": 5})[0] == 400
        assert send(port, client="a")[0] == 429, "two failed requests have used up the limit of 2"


def test_health_is_never_refused_and_does_not_count(clock):
    with running(SlidingWindowLimiter(1, 10, clock=clock)) as port:
        assert statuses(port, 3, path="/health", client="a") == [200, 200, 200]
        assert statuses(port, 2, client="a") == [200, 429], "health checks do not use up the budget"
        assert statuses(port, 1, path="/health", client="a") == [200]


def test_parallel_requests_never_exceed_the_limit(clock):
    results = []
    with running(SlidingWindowLimiter(2, 10, clock=clock)) as port:

        def work():
            results.append(send(port, client="a")[0])

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(results) == [200] * 2 + [429] * 4


def test_limit_comes_from_the_configuration_by_default():
    with running() as port:
        results = statuses(port, config.RATE_LIMIT + 1, client="a")
    assert results == [200] * config.RATE_LIMIT + [429], "without a limiter, config.RATE_LIMIT applies"
