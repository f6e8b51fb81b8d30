import inspect

import pytest
from client import InventoryClient
from errors import ApiError, ConnectionLost, NotFound, ServerBusy
from retry import retry
from transport import Response


class Flaky:
    """A function that raises the given exceptions in turn and returns `result` afterwards."""

    def __init__(self, *failures, result="done"):
        self.failures = list(failures)
        self.result = result
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return self.result


def call(flaky, **options):
    """Call `flaky` through the decorator and return the result."""

    @retry(**options)
    def function():
        return flaky()

    return function()


@pytest.fixture
def delays():
    return []


# The decorator


def test_success_at_the_first_attempt_calls_once_and_does_not_sleep(delays):
    flaky = Flaky()
    assert call(flaky, sleep=delays.append) == "done"
    assert (flaky.calls, delays) == (1, [])


def test_delays_grow_by_the_factor_up_to_the_cap(delays):
    flaky = Flaky(*[OSError()] * 5)
    result = call(flaky, attempts=6, base_delay=1.0, factor=3.0, max_delay=20.0, sleep=delays.append)
    assert result == "done"
    assert delays == [1.0, 3.0, 9.0, 20.0, 20.0]


def test_attempts_is_the_total_number_of_calls(delays):
    flaky = Flaky(*[OSError()] * 9)
    with pytest.raises(OSError):
        call(flaky, attempts=4, sleep=delays.append)
    assert flaky.calls == 4, "attempts=4 means four calls, the first one included"


def test_a_single_attempt_does_not_retry(delays):
    flaky = Flaky(OSError())
    with pytest.raises(OSError):
        call(flaky, attempts=1, sleep=delays.append)
    assert (flaky.calls, delays) == (1, [])


def test_no_sleep_after_the_last_attempt(delays):
    with pytest.raises(OSError):
        call(Flaky(*[OSError()] * 9), attempts=3, base_delay=1.0, sleep=delays.append)
    assert delays == [1.0, 2.0], "there is nothing to wait for after the last attempt"


def test_exception_of_the_last_attempt_arrives_as_it_is(delays):
    failures = [ValueError("first"), ValueError("second"), ValueError("third")]
    with pytest.raises(ValueError) as caught:
        call(Flaky(*failures), attempts=3, sleep=delays.append)
    assert caught.value is failures[2], "expected the very exception of the last attempt"
    assert caught.value.__cause__ is None


def test_other_exceptions_propagate_at_once(delays):
    flaky = Flaky(ConnectionError(), KeyError("k"))
    with pytest.raises(KeyError):
        call(flaky, attempts=5, exceptions=(OSError, ValueError), sleep=delays.append)
    assert flaky.calls == 2, "ConnectionError is an OSError and retried, KeyError is not"


def test_a_single_exception_class_is_accepted(delays):
    assert call(Flaky(OSError()), exceptions=OSError, sleep=delays.append) == "done"
    assert len(delays) == 1


def test_each_call_starts_afresh(delays):
    flaky = Flaky(OSError(), OSError())

    @retry(attempts=3, base_delay=1.0, sleep=delays.append)
    def function():
        return flaky()

    assert function() == "done"
    flaky.failures = [OSError(), OSError()]
    assert function() == "done", "the second call has all three attempts again"
    assert delays == [1.0, 2.0, 1.0, 2.0], "the second call starts with base_delay again"


def test_cap_holds_for_thousands_of_attempts(delays):
    assert call(Flaky(*[OSError()] * 4999), attempts=5000, sleep=delays.append) == "done"
    assert delays[:7] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0]
    assert len(delays) == 4999
    assert set(delays[7:]) == {30.0}


def test_arguments_name_and_docstring_are_kept():
    class Adder:
        start = 100

        @retry()
        def add(self, first, *, second=0):
            """Add to the start value."""
            return self.start + first + second

    assert Adder().add(20, second=3) == 123
    assert Adder.add.__name__ == "add"
    assert Adder.add.__doc__ == "Add to the start value."


@pytest.mark.parametrize(
    "options",
    [{"attempts": 0}, {"base_delay": -0.1}, {"max_delay": -1}, {"factor": 0.5}],
    ids=lambda o: next(iter(o)),
)
def test_senseless_settings_are_rejected(options):
    with pytest.raises(ValueError):
        retry(**options)


# The client


class FakeTransport:
    """Answers with the scripted steps: a Response, or an exception to raise."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.requests = []

    def send(self, method, path, payload=None):
        self.requests.append((method, path, payload))
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


BUSY = Response(503)
LOST = ConnectionLost("connection reset")


def page(*skus, following=None):
    return Response(200, {"items": [{"sku": sku, "stock": 1} for sku in skus], "next_page": following})


def test_client_retries_reads_and_writes_of_the_same_value(delays):
    item = {"sku": "A1", "stock": 7}
    transport = FakeTransport(LOST, BUSY, Response(200, item), BUSY, LOST, LOST, Response(200, item))
    client = InventoryClient(transport, sleep=delays.append)
    assert client.get_item("A1") == item
    assert client.set_stock("A1", 7) == item
    assert transport.requests == [("GET", "/items/A1", None)] * 3 + [("PUT", "/items/A1/stock", {"quantity": 7})] * 4
    assert delays == pytest.approx([0.2, 0.4, 0.2, 0.4, 0.8]), "the default delays start at 0.2 s and double"


def test_client_settings_are_used(delays):
    transport = FakeTransport(*[BUSY] * 9)
    client = InventoryClient(transport, attempts=5, base_delay=1.0, max_delay=3.0, sleep=delays.append)
    with pytest.raises(ServerBusy):
        client.get_item("A1")
    assert len(transport.requests) == 5
    assert delays == [1.0, 2.0, 3.0, 3.0]


def test_order_is_retried_while_the_server_is_busy(delays):
    transport = FakeTransport(BUSY, BUSY, Response(201, {"id": 5}))
    assert InventoryClient(transport, sleep=delays.append).create_order("A1", 10) == {"id": 5}
    assert transport.requests == [("POST", "/orders", {"sku": "A1", "quantity": 10})] * 3


def test_order_is_not_sent_again_after_a_lost_connection(delays):
    transport = FakeTransport(BUSY, LOST, Response(201, {"id": 5}))
    with pytest.raises(ConnectionLost):
        InventoryClient(transport, sleep=delays.append).create_order("A1", 10)
    assert len(transport.requests) == 2, "the order may exist already"


@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (500, ApiError)])
def test_final_answers_are_not_retried(delays, status, error):
    transport = FakeTransport(Response(status), Response(200, {}))
    with pytest.raises(error) as caught:
        InventoryClient(transport, sleep=delays.append).get_item("A1")
    assert caught.value.status == status
    assert len(transport.requests) == 1


def test_failed_page_is_fetched_again_without_repeating_items(delays):
    transport = FakeTransport(page("A", "B", following=2), LOST, BUSY, page("C", following=3), BUSY, page("D"))
    items = InventoryClient(transport, sleep=delays.append).iter_items()
    assert [item["sku"] for item in items] == ["A", "B", "C", "D"]
    assert [path for _, path, _ in transport.requests] == [f"/items?page={number}" for number in (1, 2, 2, 2, 3, 3)]


def test_every_page_has_all_attempts(delays):
    transport = FakeTransport(LOST, LOST, page("A", following=2), LOST, LOST, page("B"))
    items = InventoryClient(transport, attempts=3, base_delay=1.0, sleep=delays.append).iter_items()
    assert [item["sku"] for item in items] == ["A", "B"]
    assert delays == [1.0, 2.0, 1.0, 2.0]


def test_pages_are_fetched_as_they_are_needed():
    transport = FakeTransport(page("A", following=2), page("B"))
    items = InventoryClient(transport).iter_items()
    assert inspect.isgenerator(items)
    assert transport.requests == [], "nothing is fetched before the first item is asked for"
    assert next(items)["sku"] == "A"
    assert len(transport.requests) == 1, "the second page is not needed yet"
