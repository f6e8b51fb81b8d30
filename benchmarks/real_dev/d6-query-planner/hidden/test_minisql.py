import copy

import pytest
from minisql import QueryError, query

PEOPLE = [
    {"id": 1, "name": "Bo", "age": 30, "city": "Oslo", "active": True},
    {"id": 2, "name": "Ada", "age": None, "city": "Bern", "active": False},
    {"id": 3, "name": "Cy", "age": 41.5, "city": None, "active": None},
    {"id": 4, "name": "Di", "age": 30, "city": "Oslo", "active": True, "note": "it's"},
    {"id": 5, "name": "ada", "age": 7, "city": "Bern", "active": None},
]
TABLES = {
    "people": PEOPLE,
    "empty": [],
    "odd": [{"id": 1, "v": True}, {"id": 2, "v": 1}, {"id": 3, "v": "1"}, {"id": 4}, {"id": 5, "v": 1.0}],
    "my table": [{"select": 1, 'a"b': 2, "": 3}],
}


def run(text):
    return query(text, TABLES)


def ids(condition, table="people"):
    return [row["id"] for row in run(f"SELECT id FROM {table} WHERE {condition}")]


def sorted_ids(keys, table="people"):
    return [row["id"] for row in run(f"SELECT id FROM {table} ORDER BY {keys}")]


def values(text):
    """Return the rows as tuples."""
    return [tuple(row.values()) for row in run(text)]


def position(text):
    with pytest.raises(QueryError) as caught:
        run(text)
    assert isinstance(caught.value, ValueError)
    return caught.value.position


# Items


def test_items_are_columns_and_named_literals_in_their_order():
    rows = run("select name AS who, 5 as five, id, -1.5 AS x, 'it''s' as s, NULL as n, true as t from people limit 1")
    assert rows == [{"who": "Bo", "five": 5, "id": 1, "x": -1.5, "s": "it's", "n": None, "t": True}]
    assert list(rows[0]) == ["who", "five", "id", "x", "s", "n", "t"]
    assert isinstance(rows[0]["five"], int)


def test_a_star_gives_all_columns_in_order_of_first_appearance():
    rows = run("SELECT * FROM people")
    assert [list(row) for row in rows] == [["id", "name", "age", "city", "active", "note"]] * 5
    assert [row["note"] for row in rows] == [None, None, None, "it's", None]


def test_keywords_are_known_in_any_case_and_blanks_mean_nothing():
    assert run("sElEcT\n\tid\nFrom people wHeRe id=1 oR id\t>=5") == [{"id": 1}, {"id": 5}]


def test_names_can_be_quoted_and_be_those_of_functions():
    assert run('SELECT "select", "a""b" AS "x y" FROM "my table"') == [{"select": 1, "x y": 2}]
    assert run('SELECT "id" FROM people WHERE "name" = \'"Bo"\' OR name = \'Bo\'') == [{"id": 1}]
    assert query("SELECT count, max AS min FROM sum", {"sum": [{"count": 1, "max": 2}]}) == [{"count": 1, "min": 2}]


def test_nothing_is_changed_and_rows_are_new():
    before = copy.deepcopy(TABLES)
    rows = run("SELECT * FROM people ORDER BY age DESC")
    rows[0]["id"] = 99
    assert before == TABLES


# Conditions


def test_comparisons():
    assert ids("age = 30") == [1, 4]
    assert ids("age <> 30") == [3, 5]
    assert ids("30 > age") == [5]
    assert ids("age >= 30.0") == [1, 3, 4]
    assert ids("name < 'a'") == [1, 2, 3, 4]
    assert ids("active = false") == [2]
    assert ids("active < true") == [2]
    assert ids("age = NULL OR age <> NULL OR NULL = NULL") == []
    assert ids("age IS NULL") == [2]
    assert ids("age IS NOT NULL") == [1, 3, 4, 5]
    assert ids("NOT note IS NULL") == [4]


def test_values_of_different_kinds_compare_as_unknown():
    assert ids("v = 1", "odd") == [2, 5]
    assert ids("NOT v = 1", "odd") == []
    assert ids("v <> 'x'", "odd") == [3]
    assert ids("v < 5 OR v >= '0'", "odd") == [2, 3, 5]
    assert ids("v = TRUE", "odd") == [1]
    assert ids("v IN (1, 'x')", "odd") == [2, 5]


def test_not_of_unknown_is_unknown():
    assert ids("NOT age = 30") == [3, 5]
    assert ids("NOT NOT age = 30") == [1, 4]
    assert ids("NOT (active = true)") == [2]


def test_and_and_or_know_three_values():
    assert ids("NOT (age = 30 AND active = true)") == [2, 3, 5]
    assert ids("NOT (age = 1 AND NULL = 1)") == [1, 3, 4, 5]
    assert ids("active = true OR id = 3") == [1, 3, 4]
    assert ids("NOT (active = true OR id = 3)") == [2]


def test_not_binds_before_and_before_or():
    assert ids("NOT id = 1 AND id < 3") == [2]
    assert ids("id = 1 OR id = 2 AND id = 3") == [1]
    assert ids("id = 2 AND id = 3 OR id = 1") == [1]
    assert ids("(id = 1 OR id = 2) AND ((id = 2))") == [2]
    assert ids("NOT (id = 1 OR id = 2) AND NOT id = 5") == [3, 4]


def test_in_and_not_in_with_and_without_null():
    assert ids("age IN (7, 30)") == [1, 4, 5]
    assert ids("age NOT IN (7, 30)") == [3]
    assert ids("age IN (7, NULL)") == [5]
    assert ids("age NOT IN (7, NULL)") == []
    assert ids("NOT 1 IN (2, NULL) OR id = 1") == [1]
    assert ids("city NOT IN ('Oslo')") == [2, 5]


def test_between_and_not_between_with_and_without_null():
    assert ids("age BETWEEN 7 AND 30") == [1, 4, 5]
    assert ids("age NOT BETWEEN 8 AND 30 AND id > 0") == [3, 5]
    assert ids("age NOT BETWEEN 35 AND NULL") == [1, 4, 5]
    assert ids("5 NOT BETWEEN age AND 4 AND id < 4") == [1, 2, 3]
    assert ids("age BETWEEN 30 AND 7") == []


# Groups


def test_aggregates_ignore_null():
    (row,) = run("SELECT COUNT(*), count(age), Sum(age), AVG( age ), MIN(age), max(name), count(note) AS n FROM people")
    assert row == {
        "count(*)": 5,
        "count(age)": 4,
        "sum(age)": 108.5,
        "avg(age)": 27.125,
        "min(age)": 7,
        "max(name)": "ada",
        "n": 1,
    }


def test_aggregates_over_nothing():
    for source in ("empty", "people WHERE id > 9", "people WHERE id = 2"):
        rows = values(f"SELECT count(age), sum(age), avg(age), min(age), max(age) FROM {source}")
        assert rows == [(0, None, None, None, None)]


def test_aggregates_tell_kinds_apart():
    assert values("SELECT sum(v), avg(v), min(v), max(v), count(v) FROM odd") == [(2, 1.0, True, "1", 4)]
    (row,) = run("SELECT min(v) AS v FROM odd")
    assert row["v"] is True


def test_groups_come_in_the_order_of_their_first_rows_with_null_as_a_group():
    text = "SELECT city, count(*), sum(age) AS total, 1 AS one FROM people GROUP BY city"
    assert values(text) == [("Oslo", 2, 60, 1), ("Bern", 2, 7, 1), (None, 1, 41.5, 1)]
    assert run("SELECT city FROM people WHERE id > 9 GROUP BY city") == []
    assert run("SELECT count(*) FROM empty GROUP BY city") == []
    text = "SELECT count(*) AS n, active FROM people GROUP BY city, active"
    assert values(text) == [(2, True), (1, False), (1, None), (1, None)]
    assert values("SELECT max(id) FROM people GROUP BY city") == [(4,), (5,), (3,)]


def test_values_of_different_kinds_are_different_groups():
    assert values("SELECT min(id), count(*) FROM odd GROUP BY v") == [(1, 1), (2, 2), (3, 1), (4, 1)]


# Order and limit


def test_rows_are_sorted_by_all_keys_and_equal_rows_stay_as_they_were():
    assert sorted_ids("name") == [2, 1, 3, 4, 5]
    assert sorted_ids("city desc, age asc") == [1, 4, 5, 2, 3]
    assert sorted_ids("city, age desc, name DESC") == [5, 2, 4, 1, 3]


def test_null_comes_last_in_both_directions():
    assert sorted_ids("age") == [5, 1, 4, 3, 2]
    assert sorted_ids("age DESC") == [3, 1, 4, 5, 2]
    assert sorted_ids("active, id DESC") == [2, 4, 1, 5, 3]


def test_kinds_are_sorted_one_after_another():
    assert sorted_ids("v", "odd") == [1, 2, 5, 3, 4]
    assert sorted_ids("v DESC", "odd") == [3, 2, 5, 1, 4]


def test_an_item_goes_before_a_column_of_the_same_name():
    assert values("SELECT id AS name, name AS id FROM people ORDER BY id LIMIT 2") == [(2, "Ada"), (1, "Bo")]
    assert values("SELECT age AS x, id FROM people ORDER BY x, id DESC LIMIT 3") == [(7, 5), (30, 4), (30, 1)]


def test_groups_are_sorted_by_items_and_by_columns_of_the_group():
    assert values("SELECT count(*) AS n, city FROM people GROUP BY city ORDER BY n, city DESC") == [
        (1, None),
        (2, "Oslo"),
        (2, "Bern"),
    ]
    assert values("SELECT max(id) FROM people GROUP BY city ORDER BY city") == [(5,), (4,), (3,)]
    assert values('SELECT count(*), city FROM people GROUP BY city ORDER BY "count(*)", city') == [
        (1, None),
        (2, "Bern"),
        (2, "Oslo"),
    ]


def test_limit_and_offset_count_sorted_rows():
    assert values("SELECT id FROM people ORDER BY id DESC LIMIT 2") == [(5,), (4,)]
    assert values("SELECT id FROM people ORDER BY id DESC LIMIT 2 OFFSET 3") == [(2,), (1,)]
    assert values("SELECT id FROM people LIMIT 0") == []
    assert values("SELECT id FROM people LIMIT 9 OFFSET 4") == [(5,)]
    assert values("SELECT id FROM people LIMIT 9 OFFSET 5") == []


# Errors, with a ^ before the position


ERRORS = {
    "wrong word": [
        "^people",
        "SELECT ^FROM people",
        "SELECT id   ^people",
        "SELECT id, ^* FROM people",
        "SELECT * FROM ^where",
        "SELECT id FROM people WHERE id ^ORDER BY id",
        "SELECT id FROM people WHERE id NOT ^= 1",
        "SELECT id FROM people WHERE id = 1 ^id",
        "SELECT id FROM people WHERE id IN ( ^)",
        "SELECT id FROM people WHERE id IN (1, ^id)",
        "SELECT id FROM people WHERE id IS ^5",
        "SELECT id FROM people WHERE id BETWEEN 1 ^OR 2",
        "SELECT id FROM people WHERE (id = 1 ^LIMIT 2",
        "SELECT id FROM people GROUP ^id",
        "SELECT id FROM people ORDER BY id\n\n  ^GROUP BY id",
        "SELECT id FROM people LIMIT ^-1",
        "SELECT id FROM people LIMIT ^1.5",
        "SELECT id FROM people OFFSET 1".replace("OFFSET", "^OFFSET"),
        "SELECT sum(^*) FROM people",
        "SELECT 1 AS ^2 FROM people",
    ],
    "early end, missing quote, foreign character": [
        "^",
        "SELECT id FROM^",
        "SELECT id FROM people WHERE id = ^",
        "SELECT id FROM people WHERE (id = 1\n^",
        "SELECT id FROM people ORDER BY^",
        "SELECT id FROM people WHERE name = ^'Bo",
        "SELECT id FROM people WHERE name = ^'it''s",
        'SELECT ^"id FROM people',
        "SELECT id FROM people^;",
        "SELECT id ^+ 1 FROM people",
        "SELECT ^é FROM people",
    ],
    "unknown table, column or function": [
        "SELECT id FROM ^nowhere WHERE id = 1",
        'SELECT id FROM ^"People"',
        "SELECT id, ^Name FROM people",
        "SELECT max(^x) FROM people",
        "SELECT id FROM people WHERE id = 1 AND ^x = 1",
        "SELECT id AS i FROM people WHERE ^i = 1",
        "SELECT id FROM people WHERE 1 BETWEEN id AND ^x",
        "SELECT count(*) FROM people GROUP BY city, ^x",
        "SELECT ^median(age) FROM people",
        "SELECT id, ^upper (name) AS n FROM empty",
    ],
    "item without name or with that of another": [
        "SELECT id, ^5 FROM people",
        "SELECT ^'x' FROM empty",
        "SELECT id, name AS n, ^id FROM people",
        "SELECT id, ^age AS id FROM people",
        "SELECT sum(age), ^SUM( age ) FROM people",
    ],
    "item or key that is not allowed": [
        "SELECT city, ^name FROM people GROUP BY city",
        "SELECT count(*), ^name AS n FROM people",
        "SELECT ^id, count(*) FROM empty",
        "SELECT ^* FROM people GROUP BY id",
        "SELECT id FROM people ORDER BY id, ^x DESC",
        "SELECT name AS n FROM people GROUP BY name ORDER BY ^id",
        "SELECT count(*) AS n FROM empty ORDER BY ^id",
    ],
}


@pytest.mark.parametrize("kind", ERRORS)
def test_errors_have_a_position(kind):
    for marked in ERRORS[kind]:
        text = marked.replace("^", "")
        assert position(text) == marked.index("^"), marked


def test_text_errors_come_before_others():
    assert position("SELECT x, y FROM nowhere WHERE z = 1 z") == 37
    assert position("SELECT count(*), name FROM people WHERE z") == 41
    assert position("SELECT median(age), 5 FROM people LIMIT") == 39


def test_a_table_without_rows_has_any_column():
    assert run("SELECT x, y AS z FROM empty WHERE q = 1 ORDER BY w") == []
    assert run("SELECT * FROM empty ORDER BY w") == []
