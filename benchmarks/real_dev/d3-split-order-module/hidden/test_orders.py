import ast
from importlib import import_module
from pathlib import Path

import campaign
import counter
import orders
import pytest
import warehouse
from orders import Line, Order

ROOT = Path(__file__).resolve().parent
HOMES = {
    "order_types": ["Line", "Order", "Receipt", "OrderError", "UnknownTea", "OutOfStock", "quantities"],
    "pricing": [
        "PRICES",
        "free_shipping_from",
        "set_free_shipping_from",
        "line_cents",
        "discount_cents",
        "shipping_cents",
        "total_cents",
    ],
    "stock": ["stock_levels", "restock", "reserve", "release"],
    "mail_text": ["format_cents", "confirmation_mail", "regret_mail"],
    "orders": ["place_order"],
}
MAY_IMPORT = {
    "order_types": set(),
    "pricing": {"order_types"},
    "stock": {"order_types"},
    "mail_text": {"order_types", "pricing"},
}
PUBLIC = sorted(name for names in HOMES.values() for name in names)


@pytest.fixture(autouse=True)
def full_shelves():
    orders.set_free_shipping_from(6000)
    orders.stock_levels.clear()
    orders.stock_levels.update(dict.fromkeys(orders.PRICES, 20))
    yield
    orders.set_free_shipping_from(6000)


def order_of(*pairs):
    return Order("Ada", tuple(Line(tea, packs) for tea, packs in pairs))


def tree_of(module):
    path = ROOT / f"{module}.py"
    assert path.is_file(), f"there is no {path.name}"
    return ast.parse(path.read_text(encoding="utf-8"))


def defined_in(module):
    names = []
    for node in tree_of(module).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            names.append(node.name)
        elif isinstance(node, ast.Assign) or (isinstance(node, ast.AnnAssign) and node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names += [target.id for target in targets if isinstance(target, ast.Name)]
    return names


def imported_by(module):
    found = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {(node.module or "").split(".")[0]} if node.module else {alias.name for alias in node.names}
    return found


# Structure


@pytest.mark.parametrize("module", HOMES)
def test_each_name_is_defined_in_its_own_module_and_nowhere_else(module):
    defined = [name for name in defined_in(module) if name in PUBLIC]
    assert sorted(defined) == sorted(HOMES[module])


def test_the_facade_has_no_class_and_no_function_of_its_own():
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    found = {getattr(node, "name", "lambda") for node in ast.walk(tree_of("orders")) if isinstance(node, kinds)}
    assert found <= {"place_order", "__getattr__"}


@pytest.mark.parametrize("module", ["order_types", "pricing", "stock", "mail_text"])
def test_imports_go_one_way_only(module):
    forbidden = (HOMES.keys() | {"importlib"}) - MAY_IMPORT[module]
    assert imported_by(module) & forbidden == set()


@pytest.mark.parametrize("module", ["order_types", "pricing", "stock", "mail_text"])
def test_public_objects_are_those_of_the_module_that_defines_them(module):
    home = import_module(module)
    for name in HOMES[module]:
        if name != "free_shipping_from":
            assert getattr(orders, name) is getattr(home, name), name


# What orders offers


def test_every_public_name_can_be_imported_from_orders():
    for name in PUBLIC:
        scope = {}
        exec(f"from orders import {name}", scope)
        assert scope[name] == getattr(orders, name)


def test_a_star_import_brings_every_public_name():
    scope = {}
    exec("from orders import *", scope)
    assert set(PUBLIC) - scope.keys() == set()


def test_the_threshold_read_from_orders_follows_a_change():
    assert orders.free_shipping_from == 6000
    orders.set_free_shipping_from(2500)
    assert orders.free_shipping_from == 2500
    assert campaign.banner() == "Free shipping from EUR 25.00"
    with pytest.raises(ValueError, match="must not be negative"):
        orders.set_free_shipping_from(-1)
    assert orders.free_shipping_from == 2500, "a refused threshold changes nothing"


def test_campaigns_inside_each_other_restore_the_threshold():
    order = order_of(("assam", 2))
    with campaign.free_shipping(1000):
        assert orders.shipping_cents(order) == 0
        with campaign.free_shipping(9000):
            assert orders.shipping_cents(order) == 490
        assert orders.shipping_cents(order) == 0, "the outer campaign still runs"
    assert orders.shipping_cents(order) == 490


def test_an_unknown_attribute_is_still_an_attribute_error():
    assert not hasattr(orders, "teapots")


# Behaviour


def test_discount_counts_the_packs_of_all_lines_and_rounds_down():
    order = order_of(("ceylon", 7), ("rooibos", 9), ("ceylon", 4))
    assert orders.discount_cents(order) == 492, "7 percent of 11 x 640; rooibos has too few packs"
    assert orders.total_cents(order) == 7040 + 4680 - 492


def test_shipping_is_free_from_the_threshold_on():
    order = order_of(("assam", 2))
    orders.set_free_shipping_from(1780)
    assert (orders.shipping_cents(order), orders.total_cents(order)) == (0, 1780)
    orders.set_free_shipping_from(1781)
    assert (orders.shipping_cents(order), orders.total_cents(order)) == (490, 2270)


def test_placing_an_order_takes_packs_and_counts_numbers_up():
    first = orders.place_order(order_of(("assam", 6), ("oolong", 1), ("assam", 5)))
    second = orders.place_order(order_of(("oolong", 4)))
    assert second.number == first.number + 1
    assert (first.total, second.total) == (9790 - 685 + 1480, 6410)
    assert (orders.stock_levels["assam"], orders.stock_levels["oolong"]) == (9, 15)
    assert warehouse.to_reorder() == ["assam"]


def test_a_short_order_names_all_that_is_missing_and_takes_nothing():
    before = dict(orders.stock_levels)
    with pytest.raises(orders.OutOfStock) as caught:
        orders.place_order(order_of(("assam", 5), ("oolong", 15), ("ceylon", 23), ("oolong", 6)))
    assert caught.value.missing == {"oolong": 1, "ceylon": 3}
    assert str(caught.value) == "out of stock: ceylon, oolong"
    assert orders.stock_levels == before


def test_an_unknown_tea_is_refused_before_stock_is_touched():
    before = dict(orders.stock_levels)
    with pytest.raises(orders.UnknownTea) as caught:
        orders.place_order(order_of(("assam", 1), ("coffee", 1)))
    assert caught.value.tea == "coffee"
    assert orders.stock_levels == before


def test_a_failed_order_uses_up_no_number():
    first = orders.place_order(order_of(("assam", 1)))
    with pytest.raises(orders.OrderError):
        orders.place_order(order_of(("assam", 99)))
    assert orders.place_order(order_of(("assam", 1))).number == first.number + 1


def test_release_puts_the_packs_back():
    order = order_of(("rooibos", 8), ("rooibos", 4))
    orders.reserve(order)
    assert orders.stock_levels["rooibos"] == 8
    orders.release(order)
    assert orders.stock_levels["rooibos"] == 20


def test_the_confirmation_mail_reads_as_before():
    assert orders.confirmation_mail(order_of(("darjeeling", 6), ("assam", 1), ("darjeeling", 4)), 7).splitlines() == [
        "Dear Ada,",
        "thank you for order 7.",
        "6 x darjeeling: EUR 75.00",
        "1 x assam: EUR 8.90",
        "4 x darjeeling: EUR 50.00",
        "Discount: -EUR 8.75",
        "Shipping: EUR 0.00",
        "Total: EUR 125.15",
    ]


def test_the_counter_still_answers_in_all_three_cases():
    assert counter.serve("Bo", ["rooibos=2"]).endswith("Shipping: EUR 4.90\nTotal: EUR 15.30")
    assert counter.serve("Bo", ["rooibos=30"]) == "Dear Bo,\nwe cannot fill your order yet:\n12 x rooibos too few"
    assert counter.serve("Bo", ["coffee=1"]) == "Sorry, we do not sell coffee."
