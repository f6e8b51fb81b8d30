import mailing
import pytest
from templates import Environment, Safe, TemplateError


def render(text, autoescape=True, filters=None, **values):
    return Environment({"page": text}, autoescape=autoescape, filters=filters).render("page", values)


def error_of(templates, **values):
    templates = {"page": templates} if isinstance(templates, str) else templates
    with pytest.raises(TemplateError) as caught:
        Environment(templates).render("page", values)
    return caught.value


class Plot:
    number = 7
    _secret = "key"

    def __init__(self):
        self.owner = {"name": "Ida", "items": "spade"}


# Printing


def test_text_outside_of_tags_is_kept_exactly():
    text = "  a\n\n { b } }} %} #} 100 % \t\n"
    assert render(text) == text
    assert render("a{% if x %}\n b\n{% endif %}\n", x=1) == "a\n b\n\n"
    assert render("a {# one\n {{ nobody }} #} b\n") == "a  b\n"


def test_operands():
    assert render("{{'a'}}{{ \"b'c\" }}{{ 12 }}{{ -3 }}{{\n x\n}}", autoescape=False, x=1.5) == "ab'c12-31.5"
    assert render("{{ a }}{{ b }}{{ c }}", a=None, b=False, c=0) == "False0"


def test_marks_in_texts_have_no_meaning():
    text = """{{ "}}" }}{{ '%}|' | lower }}{% if x == "%}" %}yes{% endif %}{{ l | join: "{{,}}" }}"""
    assert render(text, x="%}", l=[1, 2]) == "}}%}|yes1{{,}}2"


def test_paths_look_for_keys_then_indexes_then_attributes():
    values = {"plot": Plot(), "rows": [["a", "b"], ("c", "d")], "by": {"0": "zero"}}
    text = "{{ plot.owner.name }} {{ plot.owner.items }} {{ plot.number }} {{ rows.1.0 }} {{ by.0 }}"
    assert render(text, **values) == "Ida spade 7 c zero"


def test_an_undefined_path_is_an_error_without_default():
    values = {"plot": Plot(), "rows": [1, 2]}
    for path in ("x", "plot.x", "plot._secret", "rows.2", "rows.x", "plot.owner.name.x"):
        error = error_of("a\n{{ " + path + " }}", **values)
        assert (error.template, error.line) == ("page", 2)
        assert error_of("\n\n{{ " + path + " | upper }}", **values).line == 3
        assert render("{{ " + path + " | default: 'none' }}", **values) == "none"


def test_values_are_escaped_last():
    assert render("{{ x }}", x='<a href="\'">&') == "&lt;a href=&quot;&#x27;&quot;&gt;&amp;"
    assert render("{{ x | upper }} {{ x | length }}", x="<&b>") == "&lt;&amp;B&gt; 4"
    assert render("{{ x }}", x=["<"]) == "[&#x27;&lt;&#x27;]"
    assert render("<{{ x }}>", autoescape=False, x="<'>") == "<<'>>"


def test_safe_text_is_not_escaped_until_a_filter_changes_it():
    assert render("{{ x }}{{ y | safe }}{{ y | upper | safe }}", x=Safe("<b>"), y="<i>") == "<b><i><I>"
    assert render("{{ x | upper }}{{ y | safe | upper }}", x=Safe("<b>"), y="<i>") == "&lt;B&gt;&lt;I&gt;"
    assert render("{{ x | default: 'none' }}", x=Safe("<b>")) == "<b>"
    assert render("{{ x | bold }}", filters={"bold": lambda text: Safe(f"<b>{text}</b>")}, x="y") == "<b>y</b>"


def test_filters_in_a_chain_with_arguments():
    text = "{{ x | trim | lower }}|{{ l | join: s | upper }}|{{ l | length }}"
    assert render(text, x="  A b ", l=["a", 1], s="-") == "a b|A-1|2"
    filters = {"between": lambda value, left, right: f"{left}{value}{right}"}
    assert render("{{ x | between: '(', y.0 }}", filters=filters, x=5, y=["]"]) == "(5]"


def test_default_replaces_only_undefined_and_none():
    text = "{{ a | default: 1 }} {{ b | default: c }} {{ d | default: 2 }} [{{ e | default: 3 }}]"
    assert render(text, a=None, c="see", d=0, e="") == "1 see 0 []"


# Conditions


def test_the_first_branch_that_holds_is_taken():
    text = "{% if x == 1 %}one{% elif x == 2 %}two{% elif x %}three{% else %}else{% endif %}"
    assert [render(text, x=x) for x in (1, 2, 3, None)] == ["one", "two", "three", "else"]


def holds(condition):
    values = {"yes": True, "no": False, "x": "a", "nothing": None, "items": [1, 2]}
    return render("{% if " + condition + " %}yes{% else %}no{% endif %}", **values) == "yes"


def test_or_binds_less_than_and_and_and_less_than_not():
    assert holds("yes or yes and no")
    assert holds("no and yes or yes")
    assert not holds("not no and no")
    assert holds("not x == 1")


def test_comparisons_and_undefined_paths_in_conditions():
    assert not holds("x != 'a' or nobody")
    assert holds("nobody.name == nothing")
    assert holds("items | length == 2")


def test_the_right_side_is_looked_at_only_if_it_matters():
    text = "{% if no and x | boom %}a{% elif yes or x | boom %}b{% endif %}"
    assert render(text, filters={"boom": lambda value: 1 / 0}, no=0, yes=1, x=1) == "b"


# Loops


def test_loop_variables():
    body = "{{ loop.index0 }}{{ loop.index }}{{ x }}{% if loop.first %}<{% endif %}{% if loop.last %}>{% endif %} "
    text = "{% for x in l %}" + body + "{% endfor %}"
    assert render(text, l=["a", "b", "c"]) == "01a< 12b 23c> "
    assert render(text, l=iter("a")) == "01a<> ", "any iterable will do"


def test_else_of_a_loop_is_for_no_items():
    text = "{% for x in l %}{{ x }}{% else %}nothing{% endfor %}"
    loops = [[1, 2], [], (number for number in ()), {"k": 1}]
    assert [render(text, l=items) for items in loops] == ["12", "nothing", "nothing", "k"]


def test_names_are_restored_after_a_loop():
    inner = "{% for x in x %}{{ x }}{{ loop.index }}{% endfor %}"
    text = "{{ x }}{% for x in l %}" + inner + "{{ loop.index }},{% endfor %}{{ x }}{{ loop }}"
    values = {"x": "X", "loop": "L", "l": ["ab", "c"]}
    assert render(text, **values) == "Xa1b21,c12,XL"
    assert values == {"x": "X", "loop": "L", "l": ["ab", "c"]}
    assert error_of("{% for y in l %}{% endfor %}\n{{ y }}", l=[1]).line == 2


# Includes


def test_an_include_sees_the_variables_of_its_place():
    page = "{% for x in l %}{% include 'row' %}{% endfor %}{{ x }}"
    templates = {"page": page, "row": "[{{ x }}{{ y }}{{ loop.index }}]"}
    assert Environment(templates).render("page", {"l": "<b", "y": "!", "x": "-"}) == "[&lt;!1][b!2]-"


def test_errors_in_an_included_template_name_it():
    error = error_of({"page": "\n\n{% include 'part' %}", "part": "\n{{ x }}"})
    assert (error.template, error.line) == ("part", 2)
    error = error_of({"page": "\n\n{% include 'gone' %}"})
    assert (error.template, error.line) == ("page", 3)


def test_includes_may_recurse_up_to_a_limit():
    templates = {"page": "{{ n.v }}\n{% for n in n.next %}{% include 'page' %}{% endfor %}"}
    node = {"v": 20, "next": []}
    for number in reversed(range(20)):
        node = {"v": number, "next": [node]}
    assert Environment(templates).render("page", {"n": node}).split() == [str(number) for number in range(21)]
    error = error_of(templates, n={"v": -1, "next": [node]})
    assert (error.template, error.line) == ("page", 2)


def test_an_unknown_template_is_a_key_error():
    with pytest.raises(KeyError):
        Environment({}).render("page", {})


def test_the_mails_of_the_club():
    items = [{"what": "Water & power", "cents": 1205}, {"what": "Hoe", "cents": 350}]
    text = mailing.mail("bill.html", {"items": items, "member": {"name": "Ida"}})
    assert text.split() == "<p>Dear Ida,</p> <ul> <li>1. Water &amp; power: 12.05 <li>2. Hoe: 3.50 </ul>".split()
    assert "nothing to pay" in mailing.mail("bill.html", {"items": []})


# Errors


WRONG = {
    "tags not closed": [("a\n{{ x", 2), ("a\n\n{% if x", 3), ("{# a\n", 1), ("\n{{ 'x }}", 2)],
    "never reached": [("{% if no %}\n{{ x | nonsense }}{% endif %}", 2), ("{% for y in l %}\n{{ }}{% endfor %}", 2)],
    "unknown words": [("{# a\n\n #}\n{% dance %}", 4), ("a\n{{ x | nonsense }}", 2)],
    "over several lines": [("\n{{\n\nx y\n}}", 2), ("{{\nx\n}}\n{{ x y }}", 4)],
    "expressions": [("\n{{ }}", 2), ("\n{{ x y }}", 2), ("\n{{ x | }}", 2), ("\n{{ x | default: }}", 2)],
    "statements": [
        ("\n{% if %}{% endif %}", 2),
        ("\n{% for x of l %}{% endfor %}", 2),
        ("\n{% include part %}", 2),
    ],
    "blocks not closed": [("a\n{% if no %}\n\nb\n", 2), ("a\n{% for x in l %}{% if no %}{% endif %}\n\n", 2)],
    "ends that do not fit": [
        ("a\n\n{% endif %}", 3),
        ("{% if no %}\n{% else %}\n{% elif no %}{% endif %}", 3),
        ("{% for x in l %}\n{% endif %}{% endfor %}", 2),
    ],
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_syntax_is_reported_with_the_line_of_its_tag(kind):
    for text, line in WRONG[kind]:
        error = error_of(text, x=1, no=False, l=[])
        assert (error.template, error.line) == ("page", line), text


def test_errors_at_work_keep_their_cause():
    error = error_of("\n{{ x | length }}", x=5)
    assert (error.line, type(error.__cause__)) == (2, TypeError)
    error = error_of("\n\n{% for y in x %}{% endfor %}", x=5)
    assert (error.line, type(error.__cause__)) == (3, TypeError)
