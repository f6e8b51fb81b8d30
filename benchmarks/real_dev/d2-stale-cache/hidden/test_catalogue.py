import copy

import pytest
from backend import BackendError
from catalogue import Catalogue, NotFound


class FakeBackend:
    """A database that notes what it is asked for. `broken` makes changes fail before or after they are done."""

    def __init__(self):
        self.products = {}
        self.asked = []
        self.broken = None
        self.unreachable = False

    def fetch(self, sku):
        return self._answer(sku, self.products.get(sku))

    def fetch_category(self, category):
        found = [product for product in self.products.values() if product["category"] == category]
        return self._answer(f"category {category}", found[::-1])

    def write(self, product):
        self._change(lambda: self.products.update({product["sku"]: copy.deepcopy(product)}))

    def remove(self, sku):
        return self._change(lambda: self.products.pop(sku, None) is not None)

    def _answer(self, what, value):
        self.asked.append(what)
        if self.unreachable:
            raise BackendError("unreachable")
        return copy.deepcopy(value)

    def _change(self, work):
        if self.broken == "before":
            raise BackendError("unreachable")
        result = work()
        if self.broken == "after":
            raise BackendError("connection lost")
        return result


class Shop:
    """A catalogue, its database and its clock."""

    def __init__(self):
        self.now = 1000.0
        self.backend = FakeBackend()
        for sku, category, cents in [
            ("green", "tea", 400),
            ("black", "tea", 350),
            ("pot", "Tea", 2900),
            ("card", "gifts", 150),
        ]:
            self.backend.write(product(sku, category, cents))
        self.catalogue = Catalogue(self.backend, ttl=300, clock=lambda: self.now)

    def warm(self, skus=("green", "black", "pot", "card"), categories=("tea", "Tea", "gifts")):
        """Have products and categories in the cache."""
        for sku in skus:
            self.catalogue.get(sku)
        for category in categories:
            self.catalogue.in_category(category)
        self.backend.asked.clear()

    def prices(self, category):
        return {product["sku"]: product["cents"] for product in self.catalogue.in_category(category)}

    def asked(self):
        """What the database has been asked for since the last time."""
        asked = sorted(self.backend.asked)
        self.backend.asked.clear()
        return asked


def product(sku, category, cents, tags=("internal", "new")):
    return {"sku": sku, "category": category, "cents": cents, "tags": list(tags)}


@pytest.fixture
def shop():
    return Shop()


def change(shop, name):
    """One of three changes of the product `green`, which is in `tea`; returns whether it failed."""
    try:
        if name == "price":
            shop.catalogue.change_price("green", 500)
        elif name == "move":
            shop.catalogue.save(product("green", "gifts", 500))
        else:
            shop.catalogue.delete("green")
    except BackendError:
        return True
    return False


AFTER = {
    "price": (500, {"black": 350, "green": 500}, {"card": 150}),
    "move": (500, {"black": 350}, {"card": 150, "green": 500}),
    "delete": (None, {"black": 350}, {"card": 150}),
}
BEFORE = (400, {"black": 350, "green": 400}, {"card": 150})


def state(shop):
    green = shop.catalogue.get("green")
    return green and green["cents"], shop.prices("tea"), shop.prices("gifts")


@pytest.mark.parametrize("skus", [("green",), ()], ids=["product cached", "product not cached"])
@pytest.mark.parametrize("name", AFTER)
def test_a_change_is_seen_by_every_call(shop, name, skus):
    shop.warm(skus)
    assert not change(shop, name)
    assert state(shop) == AFTER[name]


@pytest.mark.parametrize("name", AFTER)
def test_after_a_failed_change_the_database_is_asked(shop, name):
    shop.warm()
    for broken, expected in (("before", BEFORE), ("after", AFTER[name])):
        shop.backend.broken = broken
        assert change(shop, name)
        assert state(shop) == expected


def test_a_failed_creation_leaves_nothing_behind(shop):
    shop.warm(["white"])
    shop.backend.broken = "before"
    with pytest.raises(BackendError):
        shop.catalogue.save(product("white", "tea", 600))
    assert shop.catalogue.get("white") is None
    shop.backend.broken = "after"
    with pytest.raises(BackendError):
        shop.catalogue.save(product("white", "tea", 600))
    assert shop.catalogue.get("white")["cents"] == 600
    assert shop.prices("tea") == {"black": 350, "green": 400, "white": 600}


def test_a_new_product_is_found_where_there_was_nothing(shop):
    shop.warm(["white"], ["rice"])
    shop.catalogue.save(product("white", "rice", 600))
    assert shop.catalogue.get("white") == product("white", "rice", 600)
    assert shop.prices("rice") == {"white": 600}


@pytest.mark.parametrize("broken", [None, "after"], ids=["succeeds", "fails"])
@pytest.mark.parametrize("name", AFTER)
def test_a_change_leaves_other_answers_in_the_cache(shop, name, broken):
    shop.warm()
    shop.backend.broken = broken
    change(shop, name)
    shop.asked()
    for sku in ("black", "pot", "card"):
        shop.catalogue.get(sku)
    shop.prices("Tea")
    if name != "move":
        shop.prices("gifts")
    assert shop.asked() == []


def test_categories_that_differ_in_case_are_different(shop):
    assert shop.prices("tea") == {"black": 350, "green": 400}
    assert shop.prices("Tea") == {"pot": 2900}


def test_missing_products_and_empty_categories_are_cached_and_errors_are_not(shop):
    shop.backend.unreachable = True
    for call in (lambda: shop.catalogue.get("white"), lambda: shop.catalogue.in_category("rice")):
        with pytest.raises(BackendError):
            call()
    shop.backend.unreachable = False
    shop.asked()
    for _ in range(3):
        assert shop.catalogue.get("white") is None
        assert shop.catalogue.in_category("rice") == []
    assert shop.asked() == ["category rice", "white"]


@pytest.mark.parametrize(("age", "asked"), [(299.5, []), (300, ["category tea", "green", "white"])])
def test_answers_are_used_until_they_are_ttl_seconds_old(shop, age, asked):
    shop.warm(["green", "white"], ["tea"])
    shop.now += age
    for sku in ("green", "white"):
        shop.catalogue.get(sku)
    shop.prices("tea")
    assert shop.asked() == asked


def test_what_a_caller_does_to_a_product_that_it_got_changes_nothing(shop):
    for _ in range(2):
        got = shop.catalogue.get("green")
        assert got == product("green", "tea", 400)
        got["cents"] = 1
        got["tags"].remove("internal")
    for _ in range(2):
        listed = shop.catalogue.in_category("tea")
        assert listed == [product("black", "tea", 350), product("green", "tea", 400)]
        listed[0]["tags"].clear()
        listed[1]["cents"] = 2
        listed.pop()


def test_what_a_caller_does_to_a_product_that_it_saved_changes_nothing(shop):
    shop.warm()
    saved = product("green", "tea", 500)
    shop.catalogue.save(saved)
    saved["cents"] = 1
    saved["tags"].append("mine")
    assert shop.catalogue.get("green") == product("green", "tea", 500)
    assert shop.catalogue.in_category("tea")[1] == product("green", "tea", 500)


def test_a_price_change_of_a_missing_product_is_refused_and_forgets_nothing(shop):
    shop.warm(["white", "green"])
    with pytest.raises(NotFound):
        shop.catalogue.change_price("white", 5)
    assert shop.catalogue.delete("white") is False
    shop.asked()
    assert state(shop) == BEFORE
    assert shop.asked() == []
