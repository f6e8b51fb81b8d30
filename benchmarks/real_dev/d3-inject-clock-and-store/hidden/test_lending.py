import ast
import inspect
import json
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import app
import lending
import pytest
import reports
from lending import LendingError
from store import MemoryStore

ROOT = Path(__file__).resolve().parent
MODULES = ["lending", "reports", "desk"]
SHED = timezone(timedelta(hours=2))
NOON = datetime(2021, 3, 10, 12, 0, tzinfo=SHED)


class FakeClock:
    def __init__(self, now=NOON, step=timedelta(0)):
        self.now = now
        self.step = step
        self.calls = 0

    def __call__(self):
        now = self.now
        self.now += self.step
        self.calls += 1
        return now

    def advance(self, **delta):
        self.now += timedelta(**delta)


class LockedStore(MemoryStore):
    def get(self, key, default=None):
        raise AssertionError("the store was used")

    put = delete = keys = get


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def shed(store, clock):
    return lending.Lending(store, clock)


def tree_of(module):
    return ast.parse((ROOT / f"{module}.py").read_text(encoding="utf-8"))


# The application as before


def test_run_answers_each_line_and_keeps_the_loans_in_the_file(tmp_path):
    lines = ["lend drill ana 3", "lend drill bob 1", "", "return 1", "return 1", "lend saw bob 1", "dance"]
    assert app.run(lines, tmp_path / "loans.json") == [
        "loan 1: Hammer drill with case for ana",
        "sorry: drill is out",
        "fee 0",
        "sorry: there is no loan 1",
        "loan 2: Circular saw for bob",
        "unknown command: dance",
    ]
    assert app.run(["lend saw ana 1"], tmp_path / "other.json") == ["loan 1: Circular saw for ana"]
    assert app.run(["lend saw ana 1", "lend drill ana 1"], tmp_path / "loans.json") == [
        "sorry: saw is out",
        "loan 3: Hammer drill with case for ana",
    ]


def test_run_stores_the_time_in_the_shed(tmp_path):
    app.run(["lend drill ana 3"], tmp_path / "loans.json")
    entry = json.loads((tmp_path / "loans.json").read_text(encoding="utf-8"))["loan/1"]
    since = datetime.fromisoformat(entry["since"])
    assert since.utcoffset() == timedelta(hours=2)
    assert entry["due"] == (since.date() + timedelta(days=3)).isoformat()


# Structure


@pytest.mark.parametrize("module", MODULES)
def test_only_imports_classes_and_constants_at_the_top_level(module):
    for position, node in enumerate(tree_of(module).body):
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            assert all(isinstance(target, ast.Name) and target.id[0].isupper() for target in targets), ast.unparse(node)
        elif isinstance(node, ast.If):
            assert ast.unparse(node.test).endswith("TYPE_CHECKING"), ast.unparse(node)
        elif not (position == 0 and isinstance(node, ast.Expr)):
            assert isinstance(node, (ast.Import, ast.ImportFrom, ast.ClassDef)), ast.unparse(node)


def test_no_state_in_globals_or_classes():
    for node in (node for module in MODULES for node in ast.walk(tree_of(module))):
        assert not isinstance(node, ast.Global)
        if isinstance(node, ast.ClassDef):
            values = [part.value for part in node.body if isinstance(part, (ast.Assign, ast.AnnAssign))]
            for value in values:
                assert not isinstance(value, (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp))
                name = value.func.id if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) else ""
                assert name not in {"dict", "list", "set", "defaultdict"}


def test_the_wall_clock_is_not_mentioned():
    for node in (node for module in MODULES for node in ast.walk(tree_of(module))):
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}:
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            assert owner not in {"datetime", "date", "dt"}, ast.unparse(node)
        if isinstance(node, ast.Import):
            assert "time" not in {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.module != "time"


def test_constructor_arguments_are_required():
    for factory in (lending.Lending, reports.Reports, app.build):
        parameters = inspect.signature(factory).parameters.values()
        assert [parameter.default for parameter in parameters] == [inspect.Parameter.empty] * 2


def test_building_calls_neither_clock_nor_store(clock):
    app.build(LockedStore(), clock)
    assert clock.calls == 0


# Time


def test_a_loan_starts_now_and_is_due_days_later(shed):
    loan = shed.lend("drill", "ana", 3)
    assert (loan.since, loan.due) == (NOON, date(2021, 3, 13))
    assert shed.loans() == [loan]


def test_fee_grows_with_the_days_after_the_due_day(shed, clock):
    loans = [shed.lend(tool, "ana", 1) for tool in ("drill", "saw", "ladder")]
    clock.advance(days=1)
    assert shed.give_back(loans[0].number) == 0, "the due day itself costs nothing"
    clock.advance(days=1)
    assert shed.give_back(loans[1].number) == 150
    clock.advance(days=4)
    assert shed.give_back(loans[2].number) == 750


def test_a_loan_is_overdue_from_midnight_in_the_shed_on(shed, clock):
    loan = shed.lend("drill", "ana", 0)
    clock.now = datetime(2021, 3, 10, 21, 59, tzinfo=timezone.utc)
    assert shed.overdue() == []
    clock.now = datetime(2021, 3, 10, 22, 0, tzinfo=timezone.utc)
    assert shed.overdue() == [loan]


@pytest.mark.parametrize("hours", [-9, 0, 12])
def test_the_zone_of_the_clock_does_not_matter(store, clock, hours):
    evening = datetime(2021, 3, 10, 23, 30, tzinfo=SHED)
    clock.now = evening.astimezone(timezone(timedelta(hours=hours)))
    loan = lending.Lending(store, clock).lend("drill", "ana", 2)
    assert loan.due == date(2021, 3, 12)
    assert loan.since == evening
    assert loan.since.utcoffset() == timedelta(hours=2)


def test_summary_tells_the_time_in_the_shed(store, clock):
    desk = app.build(store, clock)
    desk.handle("lend drill ana 1")
    clock.advance(hours=23)
    desk.handle("lend saw bob 9")
    clock.now = datetime(2021, 3, 12, 23, 5, tzinfo=timezone.utc)
    assert desk.handle("summary") == "2021-03-13 01:05: 2 out, 1 overdue, longest 2 days"


@pytest.mark.parametrize("operation", ["lend", "give_back", "overdue", "reminders", "summary"])
def test_one_call_sees_one_moment(store, operation):
    clock = FakeClock()
    shed = lending.Lending(store, clock)
    for tool in ("drill", "saw"):
        shed.lend(tool, "ana", 1)
    clock.advance(days=5)
    calls = clock.calls
    {
        "lend": lambda: shed.lend("ladder", "bob", 1),
        "give_back": lambda: shed.give_back(1),
        "overdue": shed.overdue,
        "reminders": shed.reminders,
        "summary": reports.Reports(shed, clock).summary,
    }[operation]()
    assert clock.calls <= calls + 1


def test_midnight_during_a_loan_does_not_shift_its_due_day(store):
    clock = FakeClock(NOON.replace(hour=23, minute=59), step=timedelta(minutes=2))
    loan = lending.Lending(store, clock).lend("drill", "ana", 1)
    assert loan.due == loan.since.date() + timedelta(days=1)


# State


def test_reminders_come_once_per_loan_and_day(shed, clock):
    shed.lend("drill", "ana", 1)
    shed.lend("saw", "bob", 2)
    clock.advance(days=2)
    assert shed.reminders() == ["ana: drill is 1 days late"]
    clock.advance(hours=3)
    assert shed.reminders() == []
    clock.advance(days=1)
    assert shed.reminders() == ["ana: drill is 2 days late", "bob: saw is 1 days late"]


def test_a_restart_does_not_remind_again(store, clock):
    app.build(store, clock).handle("lend drill ana 1")
    clock.advance(days=2)
    assert app.build(store, clock).handle("remind") == "ana: drill is 1 days late"
    assert app.build(store, clock).handle("remind") == ""


def test_another_store_has_reminders_of_its_own(clock):
    desks = [app.build(MemoryStore(), clock) for _ in range(2)]
    for desk in desks:
        desk.handle("lend drill ana 1")
    clock.advance(days=2)
    assert [desk.handle("remind") for desk in desks] == ["ana: drill is 1 days late"] * 2


def test_two_desks_at_one_store_never_give_a_number_twice(store, clock):
    first, second = lending.Lending(store, clock), lending.Lending(store, clock)
    numbers = [
        first.lend("drill", "ana", 1).number,
        second.lend("saw", "ana", 1).number,
        first.lend("ladder", "bob", 1).number,
    ]
    assert numbers == [1, 2, 3]
    with pytest.raises(LendingError, match="saw is out"):
        first.lend("saw", "bob", 1)
    assert [loan.tool for loan in second.loans()] == ["drill", "saw", "ladder"]


def test_a_returned_loan_leaves_nothing_but_the_last_number(shed, store, clock):
    loan = shed.lend("drill", "ana", 1)
    clock.advance(days=3)
    shed.reminders()
    shed.give_back(loan.number)
    assert [key for key in store.keys("") if store.get(key)] == ["last-number"]
    assert shed.lend("drill", "bob", 1).number == 2
