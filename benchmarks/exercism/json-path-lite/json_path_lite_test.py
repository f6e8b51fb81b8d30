import copy

import pytest
from json_path_lite import select

DATA = {
    "name": "North pier",
    "boats": [
        {"name": "Tern", "length": 9, "crew": ["Ada", "Ben"], "sold": False},
        {"name": "Gull", "length": 12.5, "crew": [], "sold": True},
        {"name": "Auk", "length": 7, "crew": ["Cy"], "owner": None},
    ],
    "crew": {"head": {"name": "Dee"}},
    "a b": {'"': 1, "\u00e9": 2, "1": 3, "_x9": 4},
}


def values(query, data=DATA):
    return [value for _, value in select(data, query)]


def names(condition, key="name"):
    return values(f".boats[?{condition}].{key}")


def test_empty_query_selects_the_data():
    assert select(DATA, "") == [((), DATA)]
    assert select(5, "") == [((), 5)]


def test_key_position_and_path():
    assert select(DATA, ".boats[1].name") == [(("boats", 1, "name"), "Gull")]
    assert select(DATA, ".boats[-1].crew[0]") == [(("boats", 2, "crew", 0), "Cy")]


def test_quoted_keys_are_json_strings():
    assert values('["a b"]["\\""]') == [1]
    assert select(DATA, '["a b"]["\\u00e9"]') == [(("a b", "\u00e9"), 2)]
    assert values('["a b"].1') == [3]
    assert values('["a b"]["1"]') == [3]
    assert values('["a b"]._x9') == [4]
    assert values('["a]b"]', {"a]b": 1}) == [1]


def test_step_that_does_not_apply_selects_nothing():
    for query in [
        ".nothing",
        ".boats.name",
        ".crew[0]",
        ".name[0]",
        ".name[0:2]",
        ".boats[3]",
        ".boats[-4]",
        ".name.*",
    ]:
        assert select(DATA, query) == [], query
    assert select(DATA, ".boats[1].crew.*") == select(DATA, ".boats[9:]") == []


@pytest.mark.parametrize(
    ("part", "positions"),
    [("1:3", [1, 2]), (":2", [0, 1]), ("-2:", [3, 4]), (":", [0, 1, 2, 3, 4]), ("-9:1", [0])],
)
def test_slices(part, positions):
    assert select(list("abcde"), f"[{part}]") == [((position,), "abcde"[position]) for position in positions]
    assert select(list("abcde"), "[3:2]") == []


def test_star_selects_all_in_order():
    assert select({"b": 1, "a": [2, {}]}, ".*") == [(("b",), 1), (("a",), [2, {}])]
    assert select(DATA, ".boats.*.length") == [
        (("boats", n, "length"), length) for n, length in enumerate([9, 12.5, 7])
    ]


def test_two_dots_select_the_value_and_everything_inside_in_order():
    data = {"b": [1, {"c": 2}], "a": 3}
    assert select(data, "..") == [
        ((), data),
        (("b",), [1, {"c": 2}]),
        (("b", 0), 1),
        (("b", 1), {"c": 2}),
        (("b", 1, "c"), 2),
        (("a",), 3),
    ]


def test_steps_after_two_dots():
    assert values("...name") == ["North pier", "Tern", "Gull", "Auk", "Dee"]
    assert values("..[0]") == [DATA["boats"][0], "Ada", "Cy"]
    assert values(".crew...name") == ["Dee"]


def test_no_path_is_given_twice():
    data = {"a": [{"a": 1}]}
    assert select(data, "....") == select(data, "..")
    assert select(data, "...*") == select(data, "..")[1:]


def test_equal_values_with_different_paths_are_all_given():
    assert select([1, 1, 1], ".*") == [((0,), 1), ((1,), 1), ((2,), 1)]


def test_filter_by_existence():
    assert names(".owner") == ["Auk"]
    assert names(".sold") == ["Tern", "Gull"]
    assert names(".crew[0]") == ["Tern", "Auk"]


def test_filter_selects_values_of_a_dictionary_too():
    assert select(DATA, ".crew[?.name]") == [(("crew", "head"), {"name": "Dee"})]
    assert select({"a": 1, "b": 5, "c": 9}, "[?>4]") == [(("b",), 5), (("c",), 9)]


def test_filter_compares_with_literals():
    assert names('.name="Gull"') == ["Gull"]
    assert names(".length=7.0") == ["Auk"]
    assert names(".sold=true") == ["Gull"]
    assert names(".owner=null") == ["Auk"]
    assert names(".length>=9") == ["Tern", "Gull"]
    assert names(".length<1.2e1") == ["Tern", "Auk"]
    assert names('.name<="Gull"') == ["Gull", "Auk"]
    assert names(".length>-1") == ["Tern", "Gull", "Auk"]


def test_unequal_needs_a_value():
    assert names(".sold!=true") == ["Tern"]
    assert names(".owner!=5") == ["Auk"]


def test_one_of_several_values_is_enough():
    assert names('.crew.*="Ben"') == ["Tern"]
    assert names('.crew.*!="Ben"') == ["Tern", "Auk"]


def test_types_are_kept_apart():
    data = [1, True, "1", None, 0, False, 1.0, [], [1], {}]
    assert select(data, "[?=1]") == [((0,), 1), ((6,), 1.0)]
    assert select(data, "[?=true]") == [((1,), True)]
    assert values("[?=false]", data) == [False]
    assert [path for path, _ in select(data, "[?!=1]")] == [(n,) for n in (1, 2, 3, 4, 5, 7, 8, 9)]


def test_only_strings_and_numbers_have_an_order():
    data = [1, True, "1", None, 0, [0], {}]
    assert select(data, "[?>=0]") == [((0,), 1), ((4,), 0)]
    assert values('[?<"2"]', data) == ["1"]
    assert values("[?<=true]", data) == values("[?>=null]", data) == []


def test_spaces_in_filters():
    assert names(' .name  =  "Gull" ') == ["Gull"]
    assert names(" .owner ") == ["Auk"]
    assert names('.crew[? ="Ben" ]') == ["Tern"]


def test_strings_in_filters_may_hold_anything():
    data = [{"k": 'a]"= b'}, {"k": "\u00e9\\"}]
    assert select(data, '[?.k="a]\\"= b"]') == [((0,), data[0])]
    assert select(data, '[?["k"]="\\u00e9\\\\"].k') == [((1, "k"), "\u00e9\\")]


def test_filters_in_filters():
    data = [{"tags": ["new"]}, {"tags": ["old", "new"]}, {"tags": []}, {}]
    assert select(data, '[?.tags[?="old"]]') == [((1,), data[1])]
    assert names('.crew[?>"B"]') == ["Tern", "Auk"]
    assert values('..[?.crew[?="Cy"]].name') == ["Auk"]


@pytest.mark.parametrize(
    "queries",
    [
        ["name", ".", ".na-me", "..name", ".name.", ".\u00e9", "*"],
        ["[", "[]", "[a]", "[1", "[1.5]", "[+1]", "[1:2:3]", "[\u0663]", "[*]"],
        ["['a']", '["a', '["a"', '["\\x"]', '["a\nb"]', '["\\u12"]'],
        [
            "[?",
            "[?.a",
            "[?.a=]",
            "[?.a==1]",
            "[?.a=b]",
            "[?.a='b']",
            "[?=01]",
            "[?=1 2]",
            "[?.a=.b]",
            "[?1=1]",
            "[?=nul]",
            "[?.a = [1]]",
        ],
        [". name", ".name ", " .name", "[ 1]", "[1 ]", ".boats [0]", ".. .name", "[? .a .b]"],
    ],
    ids=["names", "positions", "keys", "filters", "spaces"],
)
def test_malformed_queries_are_refused(queries):
    for query in queries:
        for data in (DATA, 5):
            with pytest.raises(ValueError):
                result = select(data, query)
                pytest.fail(f"{query!r} selected {result}")


def test_data_is_not_changed():
    data = copy.deepcopy(DATA)
    assert len(select(data, "..[?.name].*")) == 13
    assert data == DATA
