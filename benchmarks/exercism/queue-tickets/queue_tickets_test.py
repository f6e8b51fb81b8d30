import pytest
from queue_tickets import QueueError, TicketQueue, UnknownCounter, UnknownTicket, WrongState


@pytest.fixture
def queue():
    return TicketQueue(["north", "south"])


def take(queue, kinds):
    """Take a ticket for each letter: u is urgent, o is ordinary."""
    return [queue.take(urgent=kind == "u") for kind in kinds]


def serve(queue, counter="north"):
    number = queue.call(counter)
    queue.arrive(counter)
    queue.finish(counter)
    return number


def call_and_miss(queue, counter="north"):
    number = queue.call(counter)
    queue.miss(counter)
    return number


def order(queue, count):
    return [serve(queue) for _ in range(count)]


def test_tickets_are_numbered_from_one_whatever_their_kind(queue):
    assert take(queue, "ouo") == [1, 2, 3]


def test_ordinary_is_the_default(queue):
    queue.take()
    take(queue, "u")
    assert order(queue, 2) == [2, 1]


def test_tickets_of_a_kind_are_called_in_order(queue):
    take(queue, "ooo")
    assert order(queue, 3) == [1, 2, 3]


def test_operations_return_the_number_of_the_ticket(queue):
    take(queue, "oo")
    assert (queue.call("south"), queue.arrive("south"), queue.finish("south")) == (1, 1, 1)
    assert (queue.call("south"), queue.miss("south"), queue.cancel(2)) == (2, 2, 2)


def test_ticket_goes_through_its_states(queue):
    take(queue, "o")
    states = [queue.state(1)]
    for operation in (queue.call, queue.arrive, queue.finish):
        operation("north")
        states.append(queue.state(1))
    assert states == ["waiting", "called", "served", "done"]


def test_urgent_tickets_come_first(queue):
    take(queue, "oou")
    assert order(queue, 3) == [3, 1, 2]


def test_ordinary_ticket_comes_after_two_urgent_ones(queue):
    take(queue, "oouuuuu")
    assert order(queue, 7) == [3, 4, 1, 5, 6, 2, 7]


def test_urgent_tickets_go_on_if_no_ordinary_one_waits(queue):
    take(queue, "uuu")
    assert order(queue, 3) == [1, 2, 3]


def test_urgent_calls_count_also_while_no_ordinary_ticket_waited(queue):
    take(queue, "uuuu")
    assert order(queue, 3) == [1, 2, 3]
    take(queue, "o")
    assert order(queue, 2) == [5, 4]


def test_urgent_calls_at_all_counters_count(queue):
    take(queue, "ouuu")
    assert queue.call("north") == 2
    assert queue.call("south") == 3
    queue.miss("south")
    assert queue.call("south") == 1


def test_call_without_a_waiting_ticket_returns_none_and_is_not_counted(queue):
    take(queue, "uu")
    assert order(queue, 2) == [1, 2]
    assert queue.call("north") is None
    take(queue, "uo")
    assert queue.call("north") == 4, "the counter was still free, and the two latest calls were urgent"


def test_first_miss_puts_the_ticket_behind_the_first_of_its_line(queue):
    take(queue, "ooo")
    assert call_and_miss(queue) == 1
    assert queue.state(1) == "waiting"
    assert order(queue, 3) == [2, 1, 3]


def test_first_miss_in_an_empty_line_makes_the_ticket_the_first(queue):
    take(queue, "o")
    call_and_miss(queue)
    take(queue, "o")
    assert order(queue, 2) == [1, 2]


def test_missed_urgent_ticket_waits_in_the_urgent_line_again(queue):
    take(queue, "uuuo")
    assert call_and_miss(queue) == 1
    assert order(queue, 4) == [2, 4, 1, 3]


def test_second_miss_is_final(queue):
    take(queue, "oo")
    assert [call_and_miss(queue) for _ in range(3)] == [1, 2, 1]
    assert queue.state(1) == "missed"
    assert queue.state(2) == "waiting"
    assert order(queue, 1) == [2]
    assert queue.call("north") is None


def test_cancelled_ticket_is_not_called(queue):
    take(queue, "ooo")
    queue.cancel(2)
    assert queue.state(2) == "cancelled"
    assert order(queue, 2) == [1, 3]
    assert queue.call("north") is None


def test_number_of_a_cancelled_ticket_is_not_handed_out_again(queue):
    take(queue, "oo")
    queue.cancel(2)
    assert take(queue, "o") == [3]


def test_ticket_that_waits_again_can_be_cancelled(queue):
    take(queue, "oo")
    call_and_miss(queue)
    queue.cancel(1)
    assert order(queue, 1) == [2]
    assert queue.call("north") is None


def test_busy_counter_can_not_call(queue):
    take(queue, "oo")
    queue.call("north")
    with pytest.raises(WrongState):
        queue.call("north")
    queue.arrive("north")
    with pytest.raises(WrongState):
        queue.call("north")
    assert queue.state(2) == "waiting"
    assert queue.call("south") == 2
    with pytest.raises(WrongState):
        queue.call("north")


@pytest.mark.parametrize(
    ("before", "operation"),
    [
        ([], "arrive"),
        ([], "miss"),
        ([], "finish"),
        (["call"], "finish"),
        (["call", "arrive"], "arrive"),
        (["call", "arrive"], "miss"),
        (["call", "arrive", "finish"], "finish"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else value,
)
def test_impossible_operation_is_refused_and_changes_nothing(queue, before, operation):
    take(queue, "o")
    for name in before:
        getattr(queue, name)("north")
    state = queue.state(1)
    with pytest.raises(WrongState):
        getattr(queue, operation)("north")
    assert queue.state(1) == state
    for name in ["call", "arrive", "finish"][len(before) :]:
        assert getattr(queue, name)("north") == 1


def test_only_waiting_tickets_can_be_cancelled(queue):
    take(queue, "oo")
    queue.cancel(2)
    with pytest.raises(WrongState):
        queue.cancel(2)
    for operation in (queue.call, queue.arrive, queue.finish):
        operation("north")
        with pytest.raises(WrongState):
            queue.cancel(1)


def test_unknown_counters_are_refused(queue):
    take(queue, "o")
    for operation in (queue.call, queue.arrive, queue.miss, queue.finish):
        with pytest.raises(UnknownCounter):
            operation("east")
    assert queue.state(1) == "waiting"
    assert queue.call("north") == 1


def test_unknown_tickets_are_refused(queue):
    take(queue, "o")
    for number in (0, 2, -1):
        with pytest.raises(UnknownTicket) as caught:
            queue.state(number)
        assert isinstance(caught.value, QueueError)
        with pytest.raises(UnknownTicket):
            queue.cancel(number)
