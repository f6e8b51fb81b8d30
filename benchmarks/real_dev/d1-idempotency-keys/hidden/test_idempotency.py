import io
import json
import threading
from wsgiref.util import setup_testing_defaults

import pytest
from app import create_app
from idempotency import IdempotencyMiddleware
from office import BoxOffice

PATIENCE = 1.5  # seconds until a test gives up waiting for something that does not come
REPLAY = "idempotent-replay"


class Clock:
    def __init__(self):
        self.now = 5000.0

    def __call__(self):
        return self.now


class Answer:
    def __init__(self, status, headers, body):
        self.status = int(status.split()[0])
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    @property
    def json(self):
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.body)

    def repeats(self, first):
        """Whether this is the stored answer."""
        return (self.status, self.headers, self.body) == (first.status, {**first.headers, REPLAY: "true"}, first.body)


def send(app, key=None, path="/things", method="POST", body=b"{}", client=None, query=""):
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "CONTENT_LENGTH": str(len(body))}
    setup_testing_defaults(environ)
    environ["wsgi.input"] = io.BytesIO(body)
    if key is not None:
        environ["HTTP_IDEMPOTENCY_KEY"] = key
    if client is not None:
        environ["HTTP_X_CLIENT_ID"] = client
    started = []
    chunks = app(environ, lambda status, headers, exc_info=None: started.append((status, list(headers))))
    try:
        body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    status, headers = started[-1]
    return Answer(status, headers, body)


class Service:
    """An application that counts its calls and answers with their number."""

    def __init__(self):
        self.calls = []
        self.status = "200 OK"
        self.work = lambda: None

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        self.calls.append((environ["PATH_INFO"], environ["QUERY_STRING"], body))
        number = len(self.calls)
        self.work()
        start_response(self.status, [("Content-Type", "text/plain"), ("X-Number", str(number))])
        return [b"answer ", str(number).encode()]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def app(service, clock):
    return IdempotencyMiddleware(service, ttl=60, clock=clock)


def assert_misused(answer):
    assert (answer.status, answer.json) == (422, {"error": "idempotency key was used for another request"})


# First requests and repetitions


def test_a_repeated_request_gets_the_first_answer(app, service):
    first = send(app, "k1", body=b"\xff\x00", query="a=1")
    assert (first.status, first.body, first.headers["x-number"]) == (200, b"answer 1", "1")
    assert REPLAY not in first.headers
    assert send(app, "k1", body=b"\xff\x00", query="a=1").repeats(first)
    assert send(app, "k1", body=b"\xff\x00", query="a=1").repeats(first)
    assert service.calls == [("/things", "a=1", b"\xff\x00")]


def test_different_keys_are_different_requests(app):
    assert [send(app, key).body for key in ("k1", "K1", "k1.", "k1")] == [
        b"answer 1",
        b"answer 2",
        b"answer 3",
        b"answer 1",
    ]


def test_requests_without_a_key_and_other_methods_are_passed_on(app):
    for number, (key, method) in enumerate(
        [(None, "POST"), (None, "POST"), ("k", "GET"), ("k", "GET"), ("", "PUT")], 1
    ):
        assert send(app, key, method=method).body == f"answer {number}".encode()
    assert app.held() == 0


def test_clients_do_not_share_their_keys(app):
    pairs = [
        ("a", "b:c"),
        ("a:b", "c"),
        ("a", "b/c"),
        ("a/b", "c"),
        ("", "abc"),
        ("a", "bc"),
        ("ab", "c"),
        ("a|b", "c"),
    ]
    for number, (client, key) in enumerate(pairs, 1):
        assert send(app, key, client=client).body == f"answer {number}".encode(), (client, key)
    assert REPLAY in send(app, "abc").headers, "a missing client is the same as an empty one"


def test_malformed_keys_are_refused(app, service):
    for key in ("", " ", "a b", "a\tb", "k" * 65, "é", "\x7f", "a\x00"):
        answer = send(app, key)
        assert (answer.status, answer.json) == (400, {"error": "bad idempotency key"}), ascii(key)
    assert service.calls == []
    for key in ("k" * 64, "!~", '"{,}"'):
        assert send(app, key).status == 200, key


@pytest.mark.parametrize(
    "change",
    [{"path": "/other"}, {"query": "x=1"}, {"body": b'{ "a":1}'}, {"body": b""}],
    ids=lambda change: str(change),
)
def test_another_request_with_the_same_key_is_refused(app, service, change):
    first = send(app, "k", body=b'{"a":1}')
    assert_misused(send(app, "k", **{"body": b'{"a":1}', **change}))
    assert send(app, "k", body=b'{"a":1}').repeats(first)
    assert len(service.calls) == 1


# Which answers are stored


@pytest.mark.parametrize("status", ["201 Created", "400 Bad Request", "409 Conflict", "303 See Other"])
def test_answers_below_500_are_stored(app, service, status):
    service.status = status
    first = send(app, "k")
    service.status = "200 OK"
    assert send(app, "k").repeats(first)


def test_answers_of_500_and_above_are_sent_and_not_stored(app, service):
    for status in ("500 Internal Server Error", "503 Service Unavailable"):
        service.status = status
        answer = send(app, "k")
        assert (answer.status, REPLAY in answer.headers) == (int(status[:3]), False)
    assert app.held() == 0
    service.status = "200 OK"
    assert send(app, "k", body=b"[]").body == b"answer 3"
    assert REPLAY in send(app, "k", body=b"[]").headers


def test_an_exception_of_the_application_frees_the_key(app, service):
    def fail():
        raise LookupError("broken")

    service.work = fail
    with pytest.raises(LookupError):
        send(app, "k")
    service.work = lambda: None
    assert send(app, "k", body=b"[]").body == b"answer 2"


class Chunks:
    """An answer that starts when it is iterated, and may fail on the way."""

    def __init__(self, start_response, fails):
        self.start_response, self.fails = start_response, fails
        self.closed = 0

    def __iter__(self):
        self.start_response("201 Created", [("Content-Type", "text/plain")])
        yield b"one"
        if self.fails:
            raise LookupError("broken")
        yield b" two"

    def close(self):
        self.closed += 1


def test_an_answer_may_start_while_it_is_iterated(clock):
    answers = []

    def lazy(environ, start_response):
        answers.append(Chunks(start_response, fails=False))
        return answers[-1]

    app = IdempotencyMiddleware(lazy, ttl=60, clock=clock)
    first = send(app, "k")
    assert (first.status, first.body) == (201, b"one two")
    assert send(app, "k").repeats(first)
    assert [answer.closed for answer in answers] == [1]


def test_an_exception_while_the_answer_is_iterated_frees_the_key(clock):
    answers = []

    def lazy(environ, start_response):
        answers.append(Chunks(start_response, fails=not answers))
        return answers[-1]

    app = IdempotencyMiddleware(lazy, ttl=60, clock=clock)
    with pytest.raises(LookupError):
        send(app, "k")
    assert send(app, "k").body == b"one two"
    assert [answer.closed for answer in answers] == [1, 1]


# Expiry


def test_a_key_expires_when_its_answer_is_as_old_as_the_ttl(app, clock):
    assert send(app, "k").body == b"answer 1"
    clock.now += 59.5
    assert send(app, "k").body == b"answer 1"
    assert_misused(send(app, "k", body=b"[]"))
    clock.now += 0.5
    assert send(app, "k", body=b"[]").body == b"answer 2"


def test_the_time_counts_from_the_complete_answer(app, service, clock):
    def work():
        clock.now += 40

    service.work = work
    send(app, "k")
    clock.now += 59.5
    assert send(app, "k").body == b"answer 1"
    clock.now += 0.5
    assert send(app, "k").body == b"answer 2"


def test_expired_keys_are_forgotten(app, clock):
    for number in range(10):
        send(app, f"k{number}")
        clock.now += 5
    assert app.held() == 10
    clock.now += 34
    send(app, "k9")
    assert app.held() == 5, "the answers to k5 to k9 are younger than 60 s"


# Simultaneous requests


@pytest.fixture
def busy(app, service):
    """A request with the key k and the body b"{}" that is in progress until `finish` is called."""
    begun, end = threading.Event(), threading.Event()
    answers = []

    def work():
        service.work = lambda: None
        begun.set()
        end.wait(2 * PATIENCE)

    service.work = work
    thread = threading.Thread(target=lambda: answers.append(send(app, "k")), daemon=True)
    thread.start()
    assert begun.wait(PATIENCE)

    def finish():
        end.set()
        thread.join(PATIENCE)
        return answers[0]

    yield finish
    end.set()


def meanwhile(*arguments, **options):
    """Send a request in a thread of its own, since it may have to wait where it should not."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(send(*arguments, **options)), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert answers, "no answer while another request is in progress"
    return answers[0]


def test_a_repetition_of_a_request_in_progress_gets_409_at_once(app, service, busy):
    answer = meanwhile(app, "k")
    assert (answer.status, answer.json) == (409, {"error": "request is in progress"})
    assert answer.headers["retry-after"] == "1"
    first = busy()
    assert first.body == b"answer 1"
    assert send(app, "k").repeats(first)
    assert len(service.calls) == 1


def test_another_request_with_the_key_of_one_in_progress_gets_422(app, busy):
    assert_misused(meanwhile(app, "k", body=b"[]"))
    assert busy().body == b"answer 1"


def test_other_requests_do_not_wait_for_one_in_progress(app, busy):
    assert meanwhile(app, "other").body == b"answer 2"
    assert meanwhile(app, "k", client="other").body == b"answer 3"
    assert meanwhile(app).body == b"answer 4"
    assert busy().body == b"answer 1"


def test_a_request_in_progress_does_not_expire(app, clock, busy):
    clock.now += 1000
    assert meanwhile(app, "k").status == 409
    assert app.held() == 1
    first = busy()
    clock.now += 59.5
    assert send(app, "k").repeats(first)


# The box office


def test_a_booking_that_is_sent_twice_is_made_once(clock):
    app = create_app(BoxOffice({"tosca": 5}), ttl=60, clock=clock)
    book = {"path": "/shows/tosca/bookings", "body": b'{"seats": 2}'}
    first = send(app, "k1", **book)
    assert (first.status, first.headers["location"]) == (201, "/bookings/1")
    assert send(app, "k1", **book).repeats(first)
    assert send(app, path="/shows/tosca", method="GET").json == {"show": "tosca", "free": 3}
    assert send(app, "k2", **book).json["id"] == 2
    assert send(app, **book).status == 409
    clock.now += 60
    assert send(app, "k1", **book).status == 409


def test_a_refused_booking_stays_refused_for_its_key():
    app = create_app(BoxOffice({"tosca": 2}))
    book = {"path": "/shows/tosca/bookings", "body": b'{"seats": 2}'}
    assert send(app, **book).status == 201
    refused = send(app, "k", **book)
    assert refused.status == 409
    assert send(app, path="/bookings/1/refund").status == 200
    assert send(app, "k", **book).repeats(refused)
    assert send(app, "new", **book).status == 201
