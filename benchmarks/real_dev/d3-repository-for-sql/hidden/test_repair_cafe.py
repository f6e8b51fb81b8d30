import ast
import re
import sqlite3
from pathlib import Path

import backup
import digest
import handlers
import pytest
import schema
from app import App

ROOT = Path(__file__).resolve().parent
SQL = re.compile(r"\b(select|insert|update|delete|where|like|order\s+by|asc|desc)\b", re.IGNORECASE)
DATABASE = {"execute", "executemany", "executescript", "cursor", "commit", "rollback"}


@pytest.fixture
def database(tmp_path):
    connection = schema.connect(tmp_path / "cafe.db")
    connection.execute("PRAGMA synchronous = OFF")
    yield connection
    connection.close()


@pytest.fixture
def neighbour(database, tmp_path):
    connection = sqlite3.connect(tmp_path / "cafe.db", timeout=0)
    yield connection
    connection.close()


@pytest.fixture
def app(database):
    return App(database)


@pytest.fixture
def tickets(database):
    from repository import TicketRepository

    return TicketRepository(database)


class FakeTickets:
    """A repository without a database: it notes the calls and answers with what it was given."""

    def __init__(self, **answers):
        self.answers = answers
        self.calls = []

    def __getattr__(self, name):
        assert name in self.answers, f"{name} is not a method that this handler needs"

        def method(*args, **options):
            self.calls.append((name, *args, *options.values()))
            return self.answers[name]

        return method


def tree_of(module):
    return ast.parse((ROOT / f"{module}.py").read_text(encoding="utf-8"))


def strings_of(module):
    tree = tree_of(module)
    docstrings = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            docstrings.add(node.body[0].value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            yield node.value


# The actions as before


def test_a_ticket_is_opened_taken_and_closed(app):
    ticket = app.call("open", "ana", "toaster", "smells")
    expected = {"id": ticket, "owner": "ana", "item": "toaster", "notes": "smells", "fixer": None, "state": "open"}
    assert app.call("show", ticket) == expected
    app.call("take", ticket, "bob")
    assert app.call("show", ticket) == {**expected, "fixer": "bob", "state": "taken"}
    app.call("close", ticket, "bob")
    assert app.call("show", ticket) == {**expected, "fixer": "bob", "state": "closed"}
    assert app.call("history", ticket) == ["opened by ana", "taken by bob", "closed by bob"]
    assert app.call("show", ticket + 1) is None


def test_a_ticket_in_the_wrong_state_is_a_conflict_and_stays_as_it_is(app):
    ticket = app.call("open", "ana", "toaster")
    with pytest.raises(handlers.Conflict, match=f"ticket {ticket} cannot be closed by bob"):
        app.call("close", ticket, "bob")
    app.call("take", ticket, "bob")
    with pytest.raises(handlers.Conflict, match=f"ticket {ticket} cannot be taken"):
        app.call("take", ticket, "cleo")
    with pytest.raises(handlers.Conflict):
        app.call("close", ticket, "cleo")
    assert app.call("show", ticket)["fixer"] == "bob"
    app.call("close", ticket, "bob")
    with pytest.raises(handlers.Conflict):
        app.call("close", ticket, "bob")
    with pytest.raises(handlers.Conflict):
        app.call("take", ticket + 1, "bob")
    assert app.call("history", ticket) == ["opened by ana", "taken by bob", "closed by bob"]


def test_blank_names_are_refused(app, database):
    for args in [("open", " ", "toaster"), ("open", "ana", ""), ("rename", "ana", " ")]:
        with pytest.raises(ValueError):
            app.call(*args)
    assert backup.rows(database) == {"tickets": [], "log": []}


def test_search_looks_into_items_and_notes_in_the_order_asked_for(app):
    for owner, item, notes in [("cleo", "lamp", ""), ("ana", "radio", "old LAMP inside"), ("bob", "chair", "")]:
        app.call("open", owner, item, notes)
    app.call("open", "ana", "lamp shade")
    found = {sort: [t["id"] for t in app.call("search", "lamp", sort)] for sort in ("newest", "oldest", "owner")}
    assert found == {"newest": [4, 2, 1], "oldest": [1, 2, 4], "owner": [2, 4, 1]}
    assert [t["id"] for t in app.call("search", "lamp")] == [4, 2, 1], "newest is the default"
    with pytest.raises(ValueError):
        app.call("search", "lamp", "id; DROP TABLE tickets")


def test_special_characters_are_searched_as_they_are(app):
    items = {"%": "100 % cotton", "_": "cable_drum", "\\": "back\\slash", "'": "cat's bell"}
    for item in [*items.values(), "kettle"]:
        app.call("open", "ana", item)
    found = {text: [ticket["item"] for ticket in app.call("search", text)] for text in items}
    assert found == {text: [item] for text, item in items.items()}


def test_rename_changes_all_tickets_of_the_owner_and_logs_each(app):
    first, other, last = (app.call("open", owner, "lamp") for owner in ("ana", "bob", "ana"))
    assert app.call("rename", "ana", "Ana B.") == 2
    assert [app.call("show", ticket)["owner"] for ticket in (first, other, last)] == ["Ana B.", "bob", "Ana B."]
    assert app.call("history", last) == ["opened by ana", "owner ana is now Ana B."]
    assert app.call("history", other) == ["opened by bob"]
    assert app.call("rename", "nobody", "somebody") == 0


def test_digest_has_the_longest_wait_first(app):
    assert app.call("digest") == "Nobody is waiting."
    for owner in ("dora", "bob", "ana", "bob", "cleo"):
        app.call("open", owner, "lamp")
    app.call("take", 5, "fix")
    app.call("close", 5, "fix")
    assert app.call("digest") == "bob: 2 waiting\nana: 1 waiting\ndora: 1 waiting"


# Transactions


def test_changes_are_there_for_other_connections(app, neighbour):
    app.call("open", "ana", "lamp")
    app.call("take", 1, "bob")
    app.call("rename", "ana", "cleo")
    app.call("close", 1, "bob")
    assert neighbour.execute("SELECT owner, fixer, closed FROM tickets").fetchall() == [("cleo", "bob", 1)]
    assert neighbour.execute("SELECT COUNT(*) FROM log").fetchone() == (4,)


@pytest.mark.parametrize(
    "action", [("open", "ana", "fan"), ("take", 1, "cleo"), ("close", 2, "bob"), ("rename", "ana", "cleo")]
)
def test_a_failing_log_undoes_the_whole_change(app, database, action):
    for _ in range(3):
        app.call("open", "ana", "lamp")
    app.call("take", 2, "bob")
    before = backup.rows(database)
    database.execute(
        "CREATE TRIGGER full BEFORE INSERT ON log WHEN NEW.ticket_id <> 1 OR NEW.entry LIKE 'taken%' "
        "BEGIN SELECT RAISE(ABORT, 'log is full'); END"
    )
    with pytest.raises(sqlite3.Error, match="log is full"):
        app.call(*action)
    assert not database.in_transaction
    assert backup.rows(database) == before


def test_a_ticket_is_never_given_to_two_fixers(app, database, neighbour):
    app.call("open", "ana", "lamp")
    taken = []

    def step_in(statement):
        if "UPDATE" in statement.upper() and not taken:
            taken.append("neighbour")
            try:
                with neighbour:
                    neighbour.execute("UPDATE tickets SET fixer = 'cleo' WHERE id = 1")
            except sqlite3.OperationalError:
                taken[:] = ["locked out"]

    database.set_trace_callback(step_in)
    try:
        app.call("take", 1, "bob")
        winner = "bob"
    except handlers.Conflict:
        winner = "cleo"
    database.set_trace_callback(None)
    assert (taken, winner) in [(["neighbour"], "cleo"), (["locked out"], "bob")]
    assert app.call("show", 1)["fixer"] == winner


# Structure


def test_no_sql_outside_the_repository():
    for module in ("handlers", "digest", "app"):
        assert [text for text in strings_of(module) if SQL.search(text)] == [], module


@pytest.mark.parametrize("module", ["handlers", "digest"])
def test_handlers_do_not_know_the_database(module):
    for node in ast.walk(tree_of(module)):
        assert not (isinstance(node, ast.Attribute) and node.attr in DATABASE), ast.unparse(node)
        if isinstance(node, ast.Import):
            assert not {alias.name for alias in node.names} & {"sqlite3", "schema"}
        if isinstance(node, ast.ImportFrom):
            assert node.module not in {"sqlite3", "schema"}


def test_the_repository_has_the_agreed_methods():
    from repository import TicketRepository

    public = {name for name in vars(TicketRepository) if not name.startswith("_")}
    assert public == {"add", "get", "assign", "close", "search", "rename_owner", "history", "open_counts"}


def test_handlers_work_without_a_database():
    from repository import Ticket

    lamp = Ticket(id=7, owner="ana", item="lamp", notes="", fixer="bob", closed=False)
    shown = {"id": 7, "owner": "ana", "item": "lamp", "notes": "", "fixer": "bob", "state": "taken"}
    assert handlers.show_ticket(FakeTickets(get=lamp), 7) == shown
    assert handlers.show_ticket(FakeTickets(get=None), 7) is None
    assert handlers.open_ticket(FakeTickets(add=7), "ana", "lamp") == 7
    assert handlers.rename_owner(FakeTickets(rename_owner=3), "ana", "cleo") == 3
    assert handlers.history(FakeTickets(history=["opened by ana"]), 7) == ["opened by ana"]
    assert digest.digest(FakeTickets(open_counts=[("ana", 2)])) == "ana: 2 waiting"
    found = FakeTickets(search=[lamp])
    assert handlers.search(found, "la%mp", "owner") == [shown]
    assert found.calls == [("search", "la%mp", "owner")]
    with pytest.raises(handlers.Conflict):
        handlers.close_ticket(FakeTickets(close=False, get=lamp), 7, "bob")
    with pytest.raises(ValueError):
        handlers.open_ticket(FakeTickets(add=7), "ana", "  ")


# The repository


def test_tickets_leave_the_repository_as_tickets(tickets):
    from repository import Ticket

    assert tickets.add("ana", "lamp", "") == 1
    assert tickets.assign(1, "bob") is True
    expected = Ticket(id=1, owner="ana", item="lamp", notes="", fixer="bob", closed=False)
    assert tickets.get(1) == expected
    assert tickets.search("lamp", "oldest") == [expected]
    assert tickets.close(1, "bob") is True
    assert tickets.get(1).closed is True
    assert tickets.get(2) is None


def test_the_repository_says_whether_a_change_was_possible(tickets):
    tickets.add("ana", "lamp", "")
    assert [tickets.assign(2, "bob"), tickets.close(1, "bob")] == [False, False]
    assert [tickets.assign(1, "bob"), tickets.assign(1, "cleo")] == [True, False]
    assert [tickets.close(1, "cleo"), tickets.close(1, "bob"), tickets.close(1, "bob")] == [False, True, False]
    assert tickets.history(1) == ["opened by ana", "taken by bob", "closed by bob"]
    with pytest.raises(ValueError):
        tickets.search("lamp", "id DESC")


def test_counting_takes_one_statement(tickets, database):
    for owner in ("bob", "ana", "bob", "cleo"):
        tickets.add(owner, "lamp", "")
    statements = []
    database.set_trace_callback(statements.append)
    counts = tickets.open_counts()
    database.set_trace_callback(None)
    assert counts == [("bob", 2), ("ana", 1), ("cleo", 1)]
    assert len(statements) == 1


def test_others_still_get_plain_rows_from_the_connection(app, database):
    app.call("open", "ana", "lamp")
    app.call("search", "lamp")
    assert database.row_factory is None
    assert backup.rows(database)["tickets"] == [(1, "ana", "lamp", "", None, 0)]
