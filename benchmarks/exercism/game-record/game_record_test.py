import pytest
from game_record import Node, RecordError, parse, write


def value(text):
    return parse("{a=|" + text + "|}").properties["a"][0]


def position(text):
    with pytest.raises(RecordError) as caught:
        parse(text)
    return caught.value.position


def test_the_smallest_record_is_an_empty_node():
    assert parse("{}") == Node({}, [])


def test_a_node_has_properties_and_children():
    text = "{player=|Ann||Bo|{move=|e4|{move=|d6|note=|bold|}{move=|d5|}}}"
    variations = [Node({"move": ["d6"], "note": ["bold"]}), Node({"move": ["d5"]})]
    assert parse(text) == Node({"player": ["Ann", "Bo"]}, [Node({"move": ["e4"]}, variations)])


def test_properties_keep_the_order_of_the_text():
    node = parse("{zeta=|1|alpha=|2|mid=|3|}")
    assert list(node.properties.items()) == [("zeta", ["1"]), ("alpha", ["2"]), ("mid", ["3"])]


def test_nodes_do_not_share_lists_or_dictionaries():
    node = parse("{{}{}}")
    node.children[0].properties["a"] = ["1"]
    node.children[0].children.append(Node())
    assert node.children[1] == Node({}, [])


def test_blanks_may_stand_everywhere_outside_of_names_and_values():
    text = " \n{ \t a\n= |1|\n|2| b =|3| {\n} { c\t=\t|4| } \n} \t\n"
    assert parse(text) == Node({"a": ["1", "2"], "b": ["3"]}, [Node(), Node({"c": ["4"]})])


def test_a_comment_is_a_blank_wherever_it_stands():
    text = "# {\n{#}\na#=|0|\n=#|x|\n|1|# |2|\n|3|{}#\n}# the end | `"
    assert parse(text) == Node({"a": ["1", "3"]}, [Node()])


def test_a_hash_in_a_value_is_no_comment():
    assert parse("{a=|# 1|b=|2 # 3|}") == Node({"a": ["# 1"], "b": ["2 # 3"]})


def test_names_may_have_dashes_in_any_place():
    assert parse("{a-b=|1|-=|2|--c-=|3|}").properties == {"a-b": ["1"], "-": ["2"], "--c-": ["3"]}


def test_a_value_keeps_its_blanks_and_brackets():
    assert value(" {a= }\n\n\tb ") == " {a= }\n\n\tb "
    assert value("") == ""
    assert value("\r\n\u2028") == "\r\n\u2028"


def test_a_backtick_escapes_in_a_value():
    assert value("1`|2``3`n4") == "1|2`3\n4"


def test_an_escaped_backtick_does_not_escape_what_follows():
    assert value("``n") == "`n"
    assert value("```|````n") == "`|``n"
    assert parse("{a=|``||``|}").properties == {"a": ["`", "`"]}


def test_a_backtick_at_the_end_of_a_line_joins_it_with_the_next():
    assert value("one `\n two`\n`\n") == "one  two"


def test_deep_variations_are_read():
    node = parse("{" * 60 + "m=|x|" + "}" * 60)
    for _ in range(59):
        assert node.properties == {}
        [node] = node.children
    assert node == Node({"m": ["x"]})


def test_an_error_is_a_value_error():
    assert issubclass(RecordError, ValueError)
    with pytest.raises(ValueError):
        parse("no record")


def test_a_text_that_ends_too_early_is_an_error_at_its_end():
    for text in ["", " # {}", "{", "{a", "{a=", "{a=|1", "{a=|1|", "{a=|1|a", "{a=|1`|", "{a=|`", "{{}", "{ # }"]:
        assert position(text) == len(text)


def check_positions(cases):
    for before, after in cases:
        assert position(before + after) == len(before), before + after


def test_what_stands_around_the_record_is_an_error_where_it_begins():
    check_positions([("", "a=|1|"), ("", "|1|"), ("{}", "{}"), ("{} # more\n ", "}")])


def test_a_property_that_is_not_complete_is_an_error_where_it_breaks_off():
    check_positions([("{a", "}"), ("{a ", "b=|1|}"), ("{a=", "1}"), ("{a=", "}"), ("{a=|1| ", "= |2|}"), ("{", "|1|}")])
    check_positions([("{a=|1|a ", "}")])


def test_a_character_that_names_do_not_have_is_an_error():
    check_positions([("{a", "B=|1|}"), ("{a", "_b=|1|}"), ("{", "\u00e4=|1|}"), ("{a", "1=|1|}")])


def test_a_character_that_is_not_one_of_the_blanks_is_an_error():
    check_positions([("{", "\u00a0}"), ("{", "\r\n}"), ("{a=|1|", "\f}")])


def test_a_property_after_a_child_is_an_error():
    check_positions([("{{}", "a=|1|}")])


@pytest.mark.parametrize("text", ["{a=|1`t|}", "{a=|`N|}", "{a=|` \n|}"])
def test_an_unknown_escape_is_an_error(text):
    with pytest.raises(RecordError):
        parse(text)


def test_an_unknown_escape_is_an_error_at_the_character_after_the_backtick():
    assert position("{a=|12`t|}") == 7
    assert position("{a=|`N|}") == 5


def test_a_second_property_of_the_same_name_is_an_error():
    with pytest.raises(RecordError):
        parse("{move=|a|b=|c|move=|a|}")


def test_a_second_property_of_the_same_name_is_an_error_at_its_name():
    assert position("{move=|a|b=|c| move=|d|}") == 15
    assert position("{a=|1|{a=|2|a=") == 12
    assert parse("{a=|1|{a=|2|}}") == Node({"a": ["1"]}, [Node({"a": ["2"]})]), "another node may have the same name"


def test_a_record_is_written_without_blanks():
    text = "{ player = |Ann| |Bo|   # white first\n  { move=|e4| {move=|d6|note=|bold|} {move=|d5|} }\n}"
    assert write(parse(text)) == "{player=|Ann||Bo|{move=|e4|{move=|d6|note=|bold|}{move=|d5|}}}"


def test_only_special_characters_are_written_with_a_backtick():
    node = Node({"a": ["`|\n", "", " #{}=\t\r\\n"]})
    assert write(node) == "{a=|```|`n|||| #{}=\t\r\\n|}"


def test_what_was_written_can_be_read():
    node = Node({"b": ["``n", "|`", "\n\n"], "a": ["n`"]}, [Node({"a": [""]}), Node({}, [Node({"-": ["`\n"]})])])
    assert parse(write(node)) == node
    assert list(parse(write(node)).properties) == ["b", "a"]
