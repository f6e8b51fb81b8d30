import ast
import gc
import itertools
import tracemalloc
import warnings
import weakref
from datetime import date, timedelta
from pathlib import Path

import nightly
import pytest
from importer import import_file
from readings import BadFile, Problem, Reading, Summary

ROOT = Path(__file__).resolve().parent
HEADER = "meter;day;litres;note"
FIRST = date(2023, 8, 1)


class Source:
    """Lines that count how many of them were read, and that are not endless even if they look so."""

    def __init__(self, lines):
        self.lines = iter(lines)
        self.read = 0

    def __iter__(self):
        return self

    def __next__(self):
        assert self.read < 5000, "the whole source was read"
        line = next(self.lines)
        self.read += 1
        return line


class Calls(list):
    def on_batch(self, batch):
        self.append(batch)

    def on_problem(self, problem):
        self.append(problem)


@pytest.fixture
def calls():
    return Calls()


@pytest.fixture
def stages():
    import stages

    return stages


def reading(line, meter="M-1", day=FIRST, litres=5, note=""):
    return Reading(line, meter, day, litres, note)


def days(count=None):
    numbers = itertools.count() if count is None else range(count)
    return (f"M-1;{FIRST + timedelta(days=number)};5;\n" for number in numbers)


def import_text(tmp_path, text, calls, **options):
    path = tmp_path / "meters.txt"
    path.write_text(text, encoding="utf-8")
    return import_file(path, calls.on_batch, calls.on_problem, **options)


def flat(calls):
    """All readings and problems by line, since their calls may come in another order."""
    items = [item for call in calls for item in (call if isinstance(call, list) else [call])]
    return sorted(items, key=lambda item: item.line)


# As before


def test_readings_arrive_with_all_their_fields(tmp_path, calls):
    text = f"# pump house\n\n{HEADER}\nM-17;2023-08-01;412;\nM-18;2023-08-01;080;a;b"
    assert import_text(tmp_path, text, calls) == Summary(2, 0)
    assert calls == [[reading(4, "M-17", litres=412), reading(5, "M-18", litres=80, note="a;b")]]


def test_continuation_lines_join_the_record_before_them(tmp_path, calls):
    text = (
        f"{HEADER}\nM-1;2023-08-01;5;hard to read,\n   please\n\n  # a comment\n\tclean it  \nM-2;2023-08-01;5;\n end\n"
    )
    import_text(tmp_path, text, calls)
    assert flat(calls) == [reading(2, note="hard to read, please clean it"), reading(7, "M-2", note=" end")]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("M-1;2023-08-01;5", "too few fields"),
        ("M-1;1.8.2023;5;", "not a day: 1.8.2023"),
        ("M-1;2023-08-01;-5;", "not a number of litres: -5"),
        ("M-1;2023-07-31;5;", "2023-07-31 comes after 2023-08-01"),
        ("M-0;2023-08-01;5;", "second reading of M-0 on 2023-08-01"),
    ],
)
def test_each_kind_of_problem_keeps_its_text(tmp_path, calls, line, problem):
    text = f"{HEADER}\nM-0;2023-08-01;5;\n{line}\nM-9;2023-08-01;5;\n"
    assert import_text(tmp_path, text, calls) == Summary(2, 1)
    assert flat(calls) == [reading(2, "M-0"), Problem(3, problem), reading(4, "M-9")]


def test_a_problem_has_no_influence_on_later_readings(tmp_path, calls):
    lines = [
        "A;2023-08-02;5;",
        "B;2023-08-09;x;",
        "B;2023-08-01;5;",
        "B;2023-08-02;5;",
        "A;2023-08-02;5;",
        "A;2023-08-03;5;",
    ]
    import_text(tmp_path, "\n".join([HEADER, *lines]), calls)
    assert [item.line for item in flat(calls) if isinstance(item, Problem)] == [3, 4, 6]


def test_a_file_without_header_is_bad(tmp_path, calls):
    for text in ("M-1;2023-08-01;5;\n", "Meter;day;litres;note\n", "", "# nothing\n\n"):
        with pytest.raises(BadFile, match="the header is missing"):
            import_text(tmp_path, text, calls)
    assert calls == []


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (3, [3]), (6, [3, 3]), (7, [3, 3, 1])])
def test_batches_have_the_size_asked_for(tmp_path, calls, count, sizes):
    summary = import_text(tmp_path, "".join([HEADER, "\n", *days(count)]), calls, batch_size=3)
    assert [len(batch) for batch in calls] == sizes
    assert summary == Summary(count, 0)
    assert [item.line for item in flat(calls)] == list(range(2, count + 2))


@pytest.mark.parametrize("size", [0, -1])
def test_a_senseless_batch_size_is_refused_before_anything_happens(tmp_path, calls, size):
    with pytest.raises(ValueError):
        import_text(tmp_path, f"{HEADER}\nnonsense\n", calls, batch_size=size)
    assert calls == []


def test_the_nightly_run_reports_as_before(tmp_path):
    (tmp_path / "good.txt").write_text(f"{HEADER}\nM-1;2023-08-01;5;\nM-2;?;5;\n", encoding="utf-8")
    (tmp_path / "bad.txt").write_text("hello\n", encoding="utf-8")
    stored = []
    report = nightly.run([tmp_path / "good.txt", tmp_path / "bad.txt"], stored.extend)
    assert report == ["good.txt:3: not a day: ?", "good.txt: 1 readings", "bad.txt: the header is missing"]
    assert stored == [reading(2)]


# Stages


def test_stages_read_nothing_before_they_are_asked(stages):
    source = Source([HEADER])
    found = stages.batches(stages.check(stages.parse(stages.records(source))), 2)
    assert source.read == 0
    assert iter(found) is found
    with pytest.raises(StopIteration):
        next(found)


def test_each_stage_takes_no_more_than_it_needs(stages):
    source = Source(["# comment", HEADER, "  # comment", *days(9)])
    found = stages.records(source)
    assert next(found) == (2, HEADER)
    assert source.read <= 4

    source = Source((number, text.strip()) for number, text in enumerate([HEADER, *days(9)], start=1))
    assert next(stages.parse(source)) == reading(2)
    assert source.read == 2

    source = Source([reading(2), reading(3), reading(4)])
    found = stages.check(source)
    assert [next(found), next(found)] == [reading(2), Problem(3, "second reading of M-1 on 2023-08-01")]
    assert source.read == 2

    source = Source("abcdefgh")
    assert next(stages.batches(source, 3)) == ["a", "b", "c"]
    assert source.read == 3


def test_stages_work_on_their_own(stages):
    lines = [HEADER, "M-1;2023-08-01;5;x", "\ty", "M-2;soon;5;"]
    pairs = [(1, HEADER), (2, "M-1;2023-08-01;5;x y"), (4, "M-2;soon;5;")]
    assert list(stages.records(lines)) == list(stages.records(f"{line}\n" for line in lines)) == pairs
    items = [reading(2, note="x y"), Problem(4, "not a day: soon")]
    assert list(stages.parse(pairs)) == items
    assert list(stages.check(items)) == items
    assert list(stages.batches(items, 1)) == [items[:1], items[1:]]
    assert list(stages.batches([], 3)) == []


def test_a_batch_that_was_delivered_stays_as_it_is(stages):
    found = stages.batches(range(7), 3)
    first = next(found)
    assert list(found) == [[3, 4, 5], [6]]
    assert first == [0, 1, 2]


def test_no_stage_reads_a_file_as_a_whole():
    forbidden = {"read", "readlines", "read_text", "read_bytes", "splitlines"}
    for name in ("importer.py", "stages.py"):
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            assert getattr(called, "attr", getattr(called, "id", None)) not in forbidden, ast.unparse(node)


# Streaming


def test_calls_come_in_the_order_of_the_file(calls):
    from importer import import_lines

    a, b, c, d = (line.strip() for line in days(4))
    summary = import_lines([HEADER, "x", a, "y", b, c, "z", d], calls.on_batch, calls.on_problem, 2)
    assert summary == Summary(4, 3)
    lines = [[item.line for item in call] if isinstance(call, list) else call.line for call in calls]
    assert lines == [2, 4, [3, 5], 7, [6, 8]]


def test_an_endless_source_is_imported_batch_by_batch():
    from importer import import_lines

    class Enough(Exception):
        pass

    source = Source(itertools.chain([HEADER], days()))
    read = []

    def on_batch(batch):
        read.append(source.read)
        if len(read) == 3:
            raise Enough

    with pytest.raises(Enough):
        import_lines(source, on_batch, pytest.fail, 10)
    assert all(lines - needed in (0, 1) for lines, needed in zip(read, (11, 21, 31), strict=True)), read


def test_readings_are_not_kept_after_their_batch():
    from importer import import_lines

    alive = []

    def on_batch(batch):
        alive[:] = [ref for ref in alive if ref() is not None]
        alive.extend(weakref.ref(item) for item in batch)
        assert len(alive) <= 30

    summary = import_lines(itertools.chain([HEADER], days(400)), on_batch, pytest.fail, 10)
    assert summary.stored == 400


@pytest.mark.parametrize("kind", ["readings", "problems"])
def test_memory_does_not_grow_with_the_file(kind):
    from importer import import_lines

    lines = days(6000) if kind == "readings" else (f"nonsense in line {number}" for number in range(6000))
    tracemalloc.start()
    try:
        import_lines(itertools.chain([HEADER], lines), lambda batch: None, lambda problem: None, 50)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 200_000, f"{peak} bytes for 6000 lines"


def test_the_file_is_closed_when_a_callback_raises(tmp_path, calls):
    def refuse(batch):
        raise LookupError("store is down")

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        calls.on_batch = refuse
        with pytest.raises(LookupError):
            import_text(tmp_path, "".join([HEADER, "\n", *days(9)]), calls, batch_size=2)
        gc.collect()
    assert [str(warning.message) for warning in caught if "meters.txt" in str(warning.message)] == []
