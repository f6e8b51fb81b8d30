import pytest
from family_reroot import centre, reroot, route

TREE = ("Ada", (("Ben", (("Cleo", ()), ("Dov", ()), ("Eda", ()))), ("Finn", ())))
WIDE = (
    "a",
    (
        ("b", (("c", ()), ("d", (("e", ()), ("f", (("g", ()),)), ("h", ()))), ("i", ()))),
        ("j", ()),
        ("k", (("l", ()),)),
    ),
)


def chain(names):
    tree = (names[-1], ())
    for name in reversed(names[:-1]):
        tree = (name, (tree,))
    return tree


def walk_down(tree):
    names = []
    while True:
        name, branches = tree
        names.append(name)
        if not branches:
            return names
        assert len(branches) == 1
        [tree] = branches


DEEP = [f"p{number}" for number in range(2000)]


def test_the_top_stays_the_top():
    assert reroot(TREE, "Ada") == TREE
    assert reroot(("Ada", ()), "Ada") == ("Ada", ())


def test_a_branch_of_the_top_becomes_the_top():
    assert reroot(TREE, "Finn") == ("Finn", (("Ada", (TREE[1][0],)),))


def test_a_person_far_below_becomes_the_top():
    assert reroot(TREE, "Dov") == ("Dov", (("Ben", (("Eda", ()), ("Ada", (("Finn", ()),)), ("Cleo", ()))),))


def test_the_person_above_becomes_the_last_branch_of_the_new_top():
    assert reroot(TREE, "Ben") == ("Ben", (("Cleo", ()), ("Dov", ()), ("Eda", ()), ("Ada", (("Finn", ()),))))


@pytest.mark.parametrize(
    ("name", "branches"),
    [("Cleo", ["Dov", "Eda", "Ada"]), ("Dov", ["Eda", "Ada", "Cleo"]), ("Eda", ["Ada", "Cleo", "Dov"])],
)
def test_the_links_around_a_person_keep_their_order_after_the_link_upwards(name, branches):
    [(below, others)] = reroot(TREE, name)[1]
    assert (below, [other for other, _ in others]) == ("Ben", branches)


def test_the_branches_of_the_old_top_begin_after_the_link_upwards():
    tree = ("a", (("b", ()), ("c", ()), ("d", ()), ("e", ())))
    assert reroot(tree, "c") == ("c", (("a", (("d", ()), ("e", ()), ("b", ()))),))


def test_every_person_on_the_way_is_turned_around():
    top = ("a", (("j", ()), ("k", (("l", ()),))))
    second = ("b", (("i", ()), top, ("c", ())))
    third = ("d", (("h", ()), second, ("e", ())))
    assert reroot(WIDE, "f") == ("f", (("g", ()), third))


def test_the_old_tree_comes_back_but_for_the_first_branch_of_the_top():
    assert reroot(reroot(TREE, "Dov"), "Ada") == (
        "Ada",
        (("Finn", ()), ("Ben", (("Cleo", ()), ("Dov", ()), ("Eda", ())))),
    )


def test_branches_away_from_the_way_stay_as_they_are():
    tree = ("x", (("y", (("1", ()), ("2", ()))), ("z", (("3", ()), ("4", ())))))
    assert reroot(tree, "4") == ("4", (("z", (("x", (("y", (("1", ()), ("2", ()))),)), ("3", ()))),))


@pytest.mark.parametrize(
    ("start", "goal", "names"),
    [
        ("Ada", "Dov", "Ada Ben Dov"),
        ("Dov", "Ada", "Dov Ben Ada"),
        ("Cleo", "Eda", "Cleo Ben Eda"),
        ("Eda", "Finn", "Eda Ben Ada Finn"),
        ("Ben", "Finn", "Ben Ada Finn"),
        ("Ben", "Cleo", "Ben Cleo"),
    ],
)
def test_a_route_goes_only_as_far_up_as_it_must(start, goal, names):
    assert route(TREE, start, goal) == names.split()


def test_a_route_to_oneself_has_one_name():
    assert route(TREE, "Ben", "Ben") == ["Ben"]
    assert route(TREE, "Ada", "Ada") == ["Ada"]


def test_an_unknown_name_is_refused():
    with pytest.raises(KeyError):
        reroot(TREE, "Gus")
    with pytest.raises(KeyError):
        route(TREE, "Gus", "Ada")
    with pytest.raises(KeyError):
        route(TREE, "Ada", "ada")


def test_an_unknown_name_is_refused_as_start_and_goal_at_once():
    with pytest.raises(KeyError):
        route(TREE, "Gus", "Gus")


def test_two_persons_can_share_the_centre():
    assert centre(TREE) == ["Ada", "Ben"]
    assert centre(("x", (("a", ()),))) == ["a", "x"]


def test_a_single_centre_can_lie_below_the_top():
    assert centre(WIDE) == ["b"]
    assert centre(chain("vwxyz")) == ["x"]


def test_the_centre_can_be_the_top():
    assert centre(("top", (("a", (("b", ()),)), ("c", (("d", ()), ("e", ()), ("f", ())))))) == ["top"]


def test_a_person_alone_is_the_centre():
    assert centre(("Ada", ())) == ["Ada"]


def test_the_centre_is_not_the_person_with_the_most_links():
    star = ("hub", tuple((str(number), ()) for number in range(9)) + (chain("abcdef"),))
    assert centre(star) == ["b", "c"]


def test_the_centre_does_not_depend_on_the_top():
    for name in "abcdefghijkl":
        assert centre(reroot(WIDE, name)) == ["b"]


def test_a_deep_tree_is_turned_around():
    assert walk_down(reroot(chain(DEEP), DEEP[-1])) == DEEP[::-1]


def test_a_route_through_a_deep_tree_is_found():
    assert route(chain(DEEP), DEEP[-1], DEEP[0]) == DEEP[::-1]


def test_the_centre_of_a_deep_tree_is_found():
    assert centre(chain(DEEP)) == sorted(DEEP[999:1001])


def test_a_wide_tree_is_no_problem():
    leaves = tuple((name, ()) for name in DEEP)
    top = reroot(("top", leaves), DEEP[777])
    assert (top[0], len(top[1])) == (DEEP[777], 1)
    assert top[1][0] == ("top", leaves[778:] + leaves[:777])
    assert centre(("top", leaves)) == ["top"]
    assert route(("top", leaves), DEEP[5], DEEP[6]) == [DEEP[5], "top", DEEP[6]]
