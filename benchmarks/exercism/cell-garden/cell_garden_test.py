import operator

import pytest
from cell_garden import CycleError, Garden


class Counted:
    """A function that counts its calls."""

    def __init__(self, function):
        self.function = function
        self.calls = 0

    def __call__(self, *values):
        self.calls += 1
        return self.function(*values)


@pytest.fixture
def garden():
    return Garden()


@pytest.fixture
def seen():
    return []


def recorder(seen, label=None):
    def callback(name, old, new):
        seen.append((name, old, new) if label is None else label)

    return callback


def test_a_plant_is_calculated_from_its_sources_in_their_order(garden):
    garden.set("a", 7)
    garden.set("b", 2)
    garden.plant("c", ["b", "a", "b"], lambda *values: values)
    assert [garden.get(name) for name in "abc"] == [7, 2, (2, 7, 2)]
    garden.set("b", 3)
    assert garden.get("c") == (3, 7, 3)
    assert Garden().get("c") is None, "another garden has cells of its own"


def test_a_bare_source_makes_the_plant_none_without_a_call(garden):
    double = Counted(lambda value: value * 2)
    garden.plant("b", ["a"], double)
    garden.plant("c", ["b", "x"], operator.add)
    assert (garden.get("a"), garden.get("b"), garden.get("c"), double.calls) == (None, None, None, 0)
    garden.set("a", 4)
    garden.set("x", 1)
    assert (garden.get("b"), garden.get("c")) == (8, 9)


def test_values_that_are_false_are_values(garden):
    garden.set("a", 0)
    garden.plant("b", ["a"], lambda value: value + 1)
    garden.plant("c", ["b"], lambda value: "")
    garden.plant("d", ["c"], len)
    assert (garden.get("b"), garden.get("d")) == (1, 0)


def test_a_plant_without_sources_has_a_value(garden):
    garden.plant("a", [], lambda: 5)
    assert garden.get("a") == 5


def test_a_function_may_return_none(garden):
    garden.set("a", 3)
    garden.plant("b", ["a"], lambda value: value if value > 2 else None)
    garden.plant("c", ["b"], str)
    garden.set("a", 1)
    assert (garden.get("b"), garden.get("c")) == (None, None)


def test_a_seed_can_become_a_plant_and_back(garden, seen):
    garden.set("a", 1)
    garden.set("b", 10)
    garden.plant("c", ["b"], lambda value: value + 1)
    garden.watch("c", recorder(seen))
    garden.plant("b", ["a"], lambda value: value * 20)
    garden.set("b", 7)
    garden.set("a", 2)
    assert (garden.get("b"), garden.get("c")) == (7, 8)
    assert seen == [("c", 11, 21), ("c", 21, 8)]


def test_a_plant_forgets_its_former_sources(garden):
    function = Counted(lambda value: value)
    garden.set("a", 1)
    garden.set("b", 2)
    garden.plant("c", ["a"], lambda value: value)
    garden.plant("c", ["b"], function)
    garden.set("a", 5)
    assert (garden.get("c"), function.calls) == (2, 1)
    garden.plant("a", ["c"], lambda value: value)
    assert garden.get("a") == 2, "c no longer depends on a"


def test_each_function_is_called_once_for_a_change(garden):
    garden.set("a", 1)
    garden.plant("left", ["a"], lambda value: value + 1)
    garden.plant("middle", ["left"], lambda value: value * 10)
    total = Counted(lambda *values: sum(values))
    last = Counted(lambda value: -value)
    garden.plant("total", ["a", "middle", "left"], total)
    garden.plant("last", ["total"], last)
    garden.set("a", 2)
    assert (garden.get("total"), garden.get("last")) == (35, -35)
    assert (total.calls, last.calls) == (2, 2), "once when planted and once for the change"


def test_a_plant_whose_sources_stay_the_same_is_not_calculated_again(garden):
    garden.set("a", 4)
    garden.plant("even", ["a"], lambda value: value % 2 == 0)
    text, other = Counted(str), Counted(str)
    garden.plant("text", ["even"], text)
    garden.set("z", 1)
    garden.plant("other", ["z"], other)
    garden.set("a", 8)
    garden.set("a", 8.0)
    for name in ("a", "even", "text", "other"):
        garden.get(name)
    assert (text.calls, other.calls) == (1, 1)


def test_a_watcher_learns_name_old_and_new_value(garden, seen):
    garden.watch("b", recorder(seen))
    garden.plant("b", ["a"], lambda value: value * 2)
    garden.set("a", 1)
    garden.set("a", 5)
    garden.plant("b", ["a"], lambda value: value * 3)
    assert seen == [("b", None, 2), ("b", 2, 10), ("b", 10, 15)]


def test_a_watcher_hears_nothing_if_the_value_stays_the_same(garden, seen):
    garden.set("a", 4)
    garden.plant("even", ["a"], lambda value: value % 2 == 0)
    garden.plant("sum", ["a", "minus"], operator.add)
    garden.plant("minus", ["a"], operator.neg)
    for name in ("a", "even", "sum"):
        garden.watch(name, recorder(seen))
    garden.set("a", 6)
    garden.set("a", 6)
    assert seen == [("a", 4, 6)]


def test_watchers_are_called_in_the_order_of_registration_over_all_cells(garden, seen):
    garden.plant("b", ["a"], lambda value: value)
    garden.plant("c", ["b"], lambda value: value)
    for label, name in enumerate("cabbac"):
        garden.watch(name, recorder(seen, label))
    garden.set("a", 1)
    assert seen == [0, 1, 2, 3, 4, 5]


def test_watchers_see_all_cells_up_to_date(garden, seen):
    garden.set("a", 1)
    garden.plant("b", ["a"], lambda value: value + 1)
    garden.plant("c", ["b"], lambda value: value + 1)
    garden.watch("a", lambda *change: seen.append([garden.get(name) for name in "abc"]))
    garden.set("a", 10)
    assert seen == [[10, 11, 12]]


def test_a_registration_can_be_ended_more_than_once(garden, seen):
    end = garden.watch("a", recorder(seen))
    end()
    end()
    garden.set("a", 1)
    assert seen == []


def test_each_registration_of_a_callback_counts_and_ends_alone(garden, seen):
    callback = recorder(seen)
    first = garden.watch("a", callback)
    garden.watch("a", callback)
    garden.set("a", 1)
    assert len(seen) == 2
    first()
    garden.set("a", 2)
    assert seen[2:] == [("a", 1, 2)], "the second registration of the same callback remains"


def test_a_cell_cannot_depend_on_itself(garden):
    with pytest.raises(CycleError):
        garden.plant("a", ["a"], lambda value: value)
    garden.plant("b", ["a"], lambda value: value)
    garden.plant("c", ["x", "b"], operator.add)
    with pytest.raises(CycleError):
        garden.plant("a", ["y", "c"], operator.add)
    assert issubclass(CycleError, ValueError)


def test_a_refused_plant_leaves_the_garden_as_it_was(garden, seen):
    garden.set("x", 1)
    garden.plant("a", ["x"], lambda value: value + 1)
    garden.plant("b", ["a"], lambda value: value * 10)
    garden.watch("a", recorder(seen))
    garden.watch("b", recorder(seen))
    with pytest.raises(CycleError):
        garden.plant("a", ["b", "y"], operator.add)
    assert (garden.get("a"), garden.get("b"), seen) == (2, 20, [])
    garden.set("y", 100)
    garden.set("x", 2)
    assert (garden.get("a"), garden.get("b")) == (3, 30), "a is still calculated from x"
    assert seen == [("a", 2, 3), ("b", 20, 30)]


def test_a_batch_calls_each_watcher_once_at_its_end(garden, seen):
    garden.set("a", 1)
    garden.plant("b", ["a"], lambda value: value * 2)
    garden.watch("b", recorder(seen))
    garden.watch("a", recorder(seen))
    with garden.batch():
        garden.set("a", 2)
        assert garden.get("b") == 4, "cells are up to date within a batch"
        garden.set("a", 3)
        assert seen == []
    assert seen == [("b", 2, 6), ("a", 1, 3)]


def test_a_value_that_is_back_at_the_end_of_a_batch_is_no_change(garden, seen):
    garden.set("a", 1)
    garden.watch("a", recorder(seen))
    with garden.batch():
        garden.set("a", 2)
        garden.set("a", 1)
    assert seen == []
    garden.set("a", 3)
    assert seen == [("a", 1, 3)]


def test_inner_batches_wait_for_the_outermost(garden, seen):
    garden.watch("a", recorder(seen))
    with garden.batch():
        with garden.batch():
            garden.set("a", 1)
        assert seen == []
        garden.set("a", 2)
    assert seen == [("a", None, 2)]


def test_a_batch_left_by_an_exception_calls_the_watchers(garden, seen):
    garden.watch("a", recorder(seen))
    with pytest.raises(KeyError), garden.batch():
        garden.set("a", 1)
        raise KeyError
    assert seen == [("a", None, 1)]
    garden.set("a", 2)
    assert seen[1:] == [("a", 1, 2)]


def test_who_is_registered_at_the_end_of_a_batch_counts(garden, seen):
    cancel = garden.watch("a", recorder(seen, "early"))
    with garden.batch():
        garden.set("a", 1)
        cancel()
        garden.watch("a", recorder(seen, "late"))
    assert seen == ["late"]


def test_long_chains_are_calculated(garden):
    for number in range(2000):
        garden.plant(f"c{number + 1}", [f"c{number}"], lambda value: value + 1)
    garden.set("c0", 1)
    assert garden.get("c2000") == 2001
    with pytest.raises(CycleError):
        garden.plant("c0", ["c2000"], lambda value: value)


def test_many_ways_through_the_garden_are_no_problem(garden):
    function = Counted(operator.add)
    for number in range(60):
        garden.plant(f"c{number + 1}", [f"c{number}", f"c{number}"], function)
        garden.plant(f"d{number}", [f"c{number}"], lambda value: value)
        garden.plant(f"c{number + 1}", [f"c{number}", f"d{number}"], function)
    garden.set("c0", 1)
    assert garden.get("c60") == 2**60
    assert function.calls == 60
