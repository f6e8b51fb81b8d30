import sqlite3
from urllib.parse import quote, quote_plus

import catalog
import pytest
from api import get_bike, search_bikes

STATEMENTS = []


class RecordingCursor(sqlite3.Cursor):
    def execute(self, sql, *parameters):
        STATEMENTS.append(sql)
        return super().execute(sql, *parameters)


class RecordingConnection(sqlite3.Connection):
    def cursor(self, factory=RecordingCursor):
        return super().cursor(factory)

    def execute(self, sql, *parameters):
        return self.cursor().execute(sql, *parameters)


BIKES = [
    ("Gazelle", "Tour 50%", 45000, 2015, 17.5, False, 20000),
    ("Koga", "Miyata", 89900, 2019, 12.25, True, 45000),
    ("gazelle", "Tour_50", 30000, 2009, None, False, 10000),
    ("O'Hare; --", "Éclair", 30000, 2021, 9.5, False, None),
    ("Koga", "tour 5000", 30000, 2015, None, True, 9000),
    ("Batavus", "back\\slash", 12000, 2015, 17.5, False, 45000),
    ("Koga", "", 89900, 2021, 21.0, False, 9000),
]


@pytest.fixture
def connection():
    connection = sqlite3.connect(":memory:", factory=RecordingConnection)
    catalog.create_schema(connection)
    for bike in BIKES:
        catalog.add_bike(connection, *bike)
    STATEMENTS.clear()
    yield connection
    connection.close()


@pytest.fixture
def find(connection):
    """The ids that are found."""

    def run(query):
        status, answer = search_bikes(connection, query)
        assert status == 200, answer
        return [bike["id"] for bike in answer["bikes"]]

    return run


@pytest.fixture
def errors(connection):
    def run(query):
        status, answer = search_bikes(connection, query)
        assert (status, list(answer)) == (400, ["errors"]), f"{query}: {answer}"
        return [(error["parameter"], error["code"]) for error in answer["errors"]]

    return run


# Filters


def test_the_bikes_look_as_before(connection):
    bikes = [get_bike(connection, bike)[1] for bike in (2, 5, 7)]
    assert bikes[1] == {
        "id": 5,
        "brand": "Koga",
        "model": "tour 5000",
        "price": 30000,
        "year": 2015,
        "weight": None,
        "sold": True,
    }
    assert search_bikes(connection, "brand=Koga") == (200, {"bikes": bikes, "total": 3})


def test_texts_are_equal_or_not(find):
    assert find("brand=Gazelle") == [1]
    assert find("brand.ne=Koga") == [1, 3, 4, 6]
    assert find("brand.in=Koga,Batavus") == [2, 5, 6, 7]
    assert find("brand.in=Gazelle") == [1]


def test_an_empty_text_is_a_value(find):
    assert find("model=") == [7]
    assert find("model.ne=&brand=Koga") == [2, 5]
    assert find("model.in=,Miyata") == [2, 7]


def test_numbers_and_booleans_are_equal_or_not(find):
    assert find("price.in=12000,-5,45000") == [1, 6]
    assert find("price.ne=30000") == [1, 2, 6, 7]
    assert find("weight=9.5") == [4]
    assert find("weight.in=21,17.50") == [1, 6, 7]
    assert find("sold=true") == [2, 5]
    assert find("sold=false&year=2015") == [1, 6]


def test_comparisons_include_their_bound_only_if_they_say_so(find):
    assert find("year.lt=2015") == [3]
    assert find("year.lte=2015") == [1, 3, 5, 6]
    assert find("year.gt=2019") == [4, 7]
    assert find("year.gte=2019") == [2, 4, 7]
    assert find("price.gt=-1&price.lt=99999") == [1, 2, 3, 4, 5, 6, 7]


def test_the_same_filter_several_times_must_hold_each_time(find):
    assert find("model.has=tour&model.has=50&model.has=00") == [5]
    assert find("brand.ne=Koga&brand.ne=Gazelle") == [3, 4, 6]
    assert find("year=2015&year=2019") == []


def test_has_ignores_the_case_of_letters(find):
    assert find("model.has=TOUR") == [1, 3, 5]
    assert find("brand.has=aze") == [1, 3]
    assert find("model.has=" + quote("É")) == [4]
    assert find("model.has=" + quote("é")) == []
    assert find("model.has=") == [1, 2, 3, 4, 5, 6, 7]


def test_has_takes_every_character_for_itself(find):
    assert find("model.has=50%25") == [1]
    assert find("model.has=r_5") == [3]
    assert find("model.has=%5C") == [6]
    assert find("model.has=%25") == [1]
    assert find("model.has=*") == []


def test_bikes_without_a_weight_pass_empty_and_ne_only(find):
    assert find("weight.empty=true") == [3, 5]
    assert find("weight.empty=false") == [1, 2, 4, 6, 7]
    assert find("weight.ne=17.5") == [2, 3, 4, 5, 7]
    assert find("weight.lt=100") == [1, 2, 4, 6, 7]
    assert find("weight.gte=0&weight.ne=9.5") == [1, 2, 6, 7]


def test_values_are_decoded_as_forms_encode_them(find):
    assert find("model=Tour+50%25") == [1]
    assert find("model=" + quote("Éclair")) == [4]
    assert find("brand.in=Koga%2CBatavus&sold=true") == [2, 5]
    assert find("model%2Ehas=slash") == [6]


def test_quotes_and_semicolons_are_ordinary_characters(find):
    assert find("brand=" + quote_plus("O'Hare; --")) == [4]
    assert find("brand.in=" + quote_plus("O'Hare; --,x' OR '1'='1")) == [4]
    assert find("brand.has=" + quote_plus("' OR 1=1 --")) == []


def test_values_do_not_stand_in_the_statements(find):
    find("brand=zqtext&brand.ne=zqnot&model.in=zqone,zqtwo&model.has=zqpart&price.lt=7654321&weight.gt=87.625")
    assert STATEMENTS, "no statement was executed through the connection"
    for statement in STATEMENTS:
        for value in ("zq", "7654321", "87.625"):
            assert value not in statement


# Sorting and limits


def test_bikes_are_sorted_by_several_fields_in_both_directions(find):
    assert find("sort=-year,price") == [4, 7, 2, 6, 5, 1, 3]
    assert find("sort=brand,-year") == [6, 1, 7, 2, 5, 4, 3]
    assert find("sort=sold,-id") == [7, 6, 4, 3, 1, 5, 2]


def test_equal_bikes_are_ordered_by_ascending_id(find):
    assert find("sort=price") == [6, 3, 4, 5, 1, 2, 7]
    assert find("sort=-price") == [2, 7, 1, 3, 4, 5, 6]


def test_bikes_without_a_weight_come_last_in_both_directions(find):
    assert find("sort=weight") == [4, 2, 1, 6, 7, 3, 5]
    assert find("sort=-weight") == [7, 1, 6, 2, 4, 3, 5]
    assert find("sort=-sold,weight") == [2, 5, 4, 1, 6, 7, 3]


def test_limit_and_offset_cut_the_result_but_not_the_total(connection):
    for query, ids in (
        ("limit=2", [1, 3]),
        ("limit=2&offset=1", [3, 4]),
        ("limit=200&offset=3", [6, 7]),
        ("offset=50", []),
        ("limit=1&sort=-price", [7]),
    ):
        status, answer = search_bikes(connection, f"sold=false&{query}")
        assert (status, [bike["id"] for bike in answer["bikes"]], answer["total"]) == (200, ids, 5), query


def test_the_limit_is_50_by_default(connection, find):
    for _ in range(200):
        catalog.add_bike(connection, "Sparta", "Ion", 100, 2020)
    assert find("") == list(range(1, 51))
    assert len(find("limit=200")) == 200


# Errors


def test_other_names_are_unknown(errors):
    for name in ("bought_for", "colour", "Brand", "limit.lt", "order", "price ", "sort.x", ""):
        assert errors(quote(name) + "=5") == [(name, "unknown")]


def test_operators_must_go_with_the_field(errors):
    for name in ("brand.lt", "price.has", "sold.ne", "sold.in", "year.empty", "weight.has", "price.between", "id.GT"):
        assert errors(f"{name}=1") == [(name, "operator")]


def test_wrong_values_are_refused(errors):
    for query in (
        "price=",
        "price=12.0",
        "price=1e3",
        "price=%201",
        "price=1_000",
        "price=%2B1",
        "year.in=2015,",
        "id.in=1,x",
        "id=1234567890123456",
        "id=%D9%A1",
        "weight=nan",
        "weight.lt=inf",
        "weight=1e1",
        "weight=.5",
        "weight.empty=1",
        "sold=yes",
        "sold=True",
        "sort=",
        "sort=colour",
        "sort=bought_for",
        "sort=price,price",
        "sort=price,-price",
        "sort=price%20DESC",
        "sort=--price",
        "limit=0",
        "limit=201",
        "limit=",
        "offset=-1",
        "offset=x",
    ):
        assert errors(query) == [(query.partition("=")[0], "value")], query


def test_sort_limit_and_offset_may_be_given_once(errors):
    assert errors("limit=5&limit=5") == [("limit", "repeated")]
    assert errors("sort=id&offset=1&sort=id&offset=x") == [("sort", "repeated"), ("offset", "repeated")]


def test_all_errors_are_reported_in_the_order_of_the_query(errors):
    query = "year=x&colour=red&brand=Koga&sold.gt=true&limit=0&year.lt=x&year=x"
    assert errors(query) == [
        ("year", "value"),
        ("colour", "unknown"),
        ("sold.gt", "operator"),
        ("limit", "value"),
        ("year.lt", "value"),
        ("year", "value"),
    ]
