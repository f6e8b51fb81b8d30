import importlib
import shutil
import sqlite3
import sys
import threading
from types import SimpleNamespace

import pytest

NAMES = ["errors", "db", "inventory", "orders"]
PATIENCE = 30


def load_modules():
    """A copy of the modules of its own, as every worker process has."""
    before = {name: sys.modules.pop(name) for name in NAMES if name in sys.modules}
    try:
        return SimpleNamespace(**{name: importlib.import_module(name) for name in NAMES})
    finally:
        for name in NAMES:
            sys.modules.pop(name, None)
        sys.modules.update(before)


FIRST, SECOND = load_modules(), load_modules()


def connect(modules, path):
    connection = modules.db.connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    return connection


class Shop:
    """The database, seen by one who works alone."""

    def __init__(self, path):
        self.path = path
        self.connection = connect(FIRST, path)

    def restock(self, **pieces):
        for sku, quantity in pieces.items():
            FIRST.inventory.restock(self.connection, sku, quantity)

    def reserve(self, order_id, now=100, **items):
        FIRST.orders.reserve(self.connection, order_id, items, now)

    def stock(self, sku):
        stock = FIRST.inventory.get_stock(self.connection, sku)
        return stock.on_hand, stock.reserved


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """A file with the tables. Copies of it are new databases that need not wait for the disk."""
    path = tmp_path_factory.mktemp("empty") / "empty.sqlite"
    FIRST.db.connect(path).close()
    return path


@pytest.fixture
def new_shop(tmp_path, empty):
    shops = []

    def new(original=empty):
        path = tmp_path / f"{len(shops)}.sqlite"
        shutil.copyfile(original, path)
        shops.append(Shop(path))
        return shops[-1]

    yield new
    for shop in shops:
        shop.connection.close()


def reserve(order_id, **items):
    return lambda modules, connection: modules.orders.reserve(connection, order_id, items, 100)


def cancel(order_id):
    return lambda modules, connection: modules.orders.cancel(connection, order_id)


def ship(order_id):
    return lambda modules, connection: modules.orders.ship(connection, order_id)


def expire(before):
    return lambda modules, connection: modules.orders.expire(connection, before)


def restock(sku, quantity):
    return lambda modules, connection: modules.inventory.restock(connection, sku, quantity)


def run_interleaved(path, step, first, second):
    """Halt the first operation before its SQL statement number `step` while the second one runs.

    If the second one has to wait for the first, the first goes on after a moment (a long one if it has no transaction,
    for which the second one might wait). Returns both results, errors of the stock by their names, and whether the
    first operation has so many statements.
    """
    reached, halted, resume, moved = (threading.Event() for _ in range(4))
    connected = threading.Barrier(2)
    results = [None, None]
    statements = 0
    moment = 0.1

    def on_statement_of_the_first(connection):
        nonlocal statements, moment
        statements += 1
        if statements == step:
            if connection.in_transaction:
                moment = 0.002
            reached.set()
            halted.set()
            resume.wait(PATIENCE)

    def run(index, modules, operation):
        connection = connect(modules, path)
        connected.wait(PATIENCE)
        if index == 0:
            connection.set_trace_callback(lambda _: on_statement_of_the_first(connection))
        else:
            halted.wait(PATIENCE)
            connection.set_trace_callback(lambda _: moved.set())
        try:
            results[index] = operation(modules, connection)
        except (modules.errors.StockError, sqlite3.Error) as error:
            results[index] = type(error).__name__
        finally:
            connection.set_trace_callback(None)
            connection.close()
            if index == 0:
                halted.set()

    threads = [
        threading.Thread(target=run, args=(0, FIRST, first), daemon=True),
        threading.Thread(target=run, args=(1, SECOND, second), daemon=True),
    ]
    for thread in threads:
        thread.start()
    halted.wait(PATIENCE)
    moved.wait(0.05)
    while moved.is_set() and threads[1].is_alive():
        moved.clear()
        threads[1].join(moment)
    resume.set()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "an operation does not end"
    return results, reached.is_set()


def interleavings(new_shop, prepare, first, second):
    """The shop and the two results for each statement of the first operation at which the second one can come in."""
    original = new_shop()
    prepare(original)
    original.connection.close()
    step = 0
    while True:
        step += 1
        shop = new_shop(original.path)
        results, reached = run_interleaved(shop.path, step, first, second)
        if not reached:
            break
        yield shop, results
    assert step > 1, "the first operation has run no statement on its connection"


# Two workers at the same time


def test_the_last_piece_is_reserved_once(new_shop):
    for shop, results in interleavings(
        new_shop, lambda shop: shop.restock(lamp=1), reserve("a", lamp=1), reserve("b", lamp=1)
    ):
        assert sorted(results, key=str) == [None, "OutOfStock"]
        assert shop.stock("lamp") == (1, 1)


def test_two_orders_that_both_fit_are_both_counted(new_shop):
    for shop, results in interleavings(
        new_shop, lambda shop: shop.restock(bulb=40), reserve("a", bulb=5), reserve("b", bulb=7)
    ):
        assert results == [None, None]
        assert shop.stock("bulb") == (40, 12)


def test_an_order_that_loses_its_second_article_keeps_nothing(new_shop):
    for shop, results in interleavings(
        new_shop, lambda shop: shop.restock(bulb=9, lamp=1), reserve("a", bulb=5, lamp=1), reserve("b", lamp=1)
    ):
        assert sorted(results, key=str) == [None, "OutOfStock"]
        assert shop.stock("lamp") == (1, 1)
        assert shop.stock("bulb") == (9, 5 if results[0] is None else 0)


def test_an_order_id_is_used_once(new_shop):
    for shop, results in interleavings(
        new_shop, lambda shop: shop.restock(bulb=9), reserve("a", bulb=2), reserve("a", bulb=2)
    ):
        assert sorted(results, key=str) == ["DuplicateOrder", None]
        assert shop.stock("bulb") == (9, 2)


def test_orders_for_different_articles_do_not_disturb_each_other(new_shop):
    for shop, results in interleavings(
        new_shop, lambda shop: shop.restock(bulb=9, lamp=2), reserve("a", bulb=2), reserve("b", lamp=2)
    ):
        assert results == [None, None]
        assert (shop.stock("bulb"), shop.stock("lamp")) == ((9, 2), (2, 2))


def with_two_orders(shop):
    shop.restock(bulb=20)
    shop.reserve("a", bulb=5, now=100)
    shop.reserve("b", bulb=3, now=200)


def test_a_double_cancel_gives_the_pieces_back_once(new_shop):
    for shop, results in interleavings(new_shop, with_two_orders, cancel("a"), cancel("a")):
        assert sorted(results) == [False, True]
        assert shop.stock("bulb") == (20, 3)


def test_cancel_and_ship_of_one_order_exclude_each_other(new_shop):
    for shop, results in interleavings(new_shop, with_two_orders, cancel("a"), ship("a")):
        assert sorted(results) == [False, True]
        assert shop.stock("bulb") == (20 if results[0] else 15, 3)


def test_expire_and_ship_of_one_order_exclude_each_other(new_shop):
    for shop, (expired, shipped) in interleavings(new_shop, with_two_orders, expire(150), ship("a")):
        assert (expired, shipped) in ((["a"], False), ([], True))
        assert shop.stock("bulb") == (15 if shipped else 20, 3)


def test_restock_and_ship_both_count(new_shop):
    for shop, results in interleavings(new_shop, with_two_orders, restock("bulb", 50), ship("a")):
        assert results == [None, True]
        assert shop.stock("bulb") == (65, 3)


def test_two_deliveries_of_a_new_article_both_count(new_shop):
    for shop, results in interleavings(new_shop, lambda shop: None, restock("rope", 4), restock("rope", 6)):
        assert results == [None, None]
        assert shop.stock("rope") == (10, 0)


# One worker


def test_a_refused_order_changes_nothing_and_leaves_no_transaction_open(new_shop):
    shop = new_shop()
    shop.restock(bulb=9, lamp=1)
    with pytest.raises(FIRST.errors.OutOfStock):
        shop.reserve("a", bulb=2, lamp=2)
    with pytest.raises(FIRST.errors.UnknownSku):
        shop.reserve("a", bulb=2, rope=1)
    assert not shop.connection.in_transaction
    assert (shop.stock("bulb"), shop.stock("lamp")) == ((9, 0), (1, 0))
    other = connect(SECOND, shop.path)
    other.execute("PRAGMA busy_timeout = 0")
    SECOND.orders.reserve(other, "a", {"bulb": 9}, 100)
    other.close()
    assert shop.stock("bulb") == (9, 9)


def test_an_order_that_is_not_open_stays_as_it_is(new_shop):
    shop = new_shop()
    with_two_orders(shop)
    assert FIRST.orders.ship(shop.connection, "a") is True
    assert FIRST.orders.cancel(shop.connection, "a") is False
    assert FIRST.orders.expire(shop.connection, 300) == ["b"]
    assert FIRST.orders.ship(shop.connection, "b") is False
    assert FIRST.orders.expire(shop.connection, 300) == []
    assert not shop.connection.in_transaction
    assert shop.stock("bulb") == (15, 0)


def test_an_unknown_order_is_refused_and_leaves_no_transaction_open(new_shop):
    shop = new_shop()
    for function in (FIRST.orders.cancel, FIRST.orders.ship):
        with pytest.raises(FIRST.errors.UnknownOrder):
            function(shop.connection, "nobody")
        assert not shop.connection.in_transaction
