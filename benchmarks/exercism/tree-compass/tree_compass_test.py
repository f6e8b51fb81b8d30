import pytest
from tree_compass import Compass, Tree


def t(label, *children):
    return Tree(label, children)


B = t("b", t("c"), t("d", t("e")), t("f"))
G = t("g")
H = t("h", t("i"))
TREE = t("a", B, G, H)


def at(*path, tree=TREE):
    compass = Compass(tree)
    for index in path:
        compass = compass.down(index)
    return compass


def test_a_new_compass_stands_at_the_root():
    compass = Compass(TREE)
    assert compass.here() is TREE
    assert compass.whole() is TREE
    assert compass.path() == ()


def test_down_goes_to_the_child_with_the_index():
    assert (at(0, 1).here(), at(0, 1).path()) == (t("d", t("e")), (0, 1))
    assert at(2).down().here() == t("i")


def test_indices_without_a_child_lead_nowhere():
    assert at().down(3) is None
    assert at().down(-1) is None
    assert at(1).down() is None


def test_up_goes_to_the_parent():
    assert at(0, 1).up() == at(0)
    assert at().up() is None


def test_left_and_right_go_to_siblings():
    assert at(0, 1).left() == at(0, 0)
    assert at(0, 1).right() == at(0, 2)
    assert [at(0, 0).left(), at(0, 2).right(), at().left(), at().right()] == [None] * 4


def test_next_visits_all_nodes_in_preorder():
    compass, labels = Compass(TREE), []
    while compass is not None:
        labels.append(compass.here().label)
        compass = compass.next()
    assert labels == list("abcdefghi")
    assert Compass(t("x")).next() is None


def test_next_climbs_as_far_as_it_must():
    tree = t("a", t("b", t("c", t("d", t("e")))), t("f"))
    assert at(0, 0, 0, 0, tree=tree).next() == at(1, tree=tree)


def test_walking_keeps_the_object_of_the_whole_tree():
    assert at(0, 1, 0).whole() is TREE
    assert at(0, 1, 0).up().up().right().right().down().next() is None
    assert at(0, 1, 0).up().up().right().whole() is TREE


def test_compasses_are_equal_if_tree_and_path_are():
    copy = t("a", t("b", t("c"), t("d", t("e")), t("f")), t("g"), t("h", t("i")))
    assert at(0, 1) == at(0, 1, tree=copy)
    twins = t("a", t("x"), t("x"))
    assert at(0, tree=twins) != at(1, tree=twins), "same nodes at different places"
    assert at(1) != at(1, tree=t("a", B, G)), "same nodes in different trees"
    assert Compass(TREE) != TREE


def test_equal_compasses_have_equal_hashes():
    assert len({at(0, 1), at(0, 0).right(), at(0, 1, 0).up(), at(0, 2)}) == 2


def test_relabel_changes_one_label():
    changed = at(0, 1).relabel("D")
    assert changed.whole() == t("a", t("b", t("c"), t("D", t("e")), t("f")), G, H)
    assert (changed.path(), changed.here()) == ((0, 1), t("D", t("e")))
    assert Compass(TREE).relabel("A").whole() == t("A", B, G, H)


def test_a_change_can_be_walked_about_in():
    changed = at(0, 1).relabel("D").down().relabel("E").up().right().relabel("F").up().right()
    assert changed == at(1, tree=t("a", t("b", t("c"), t("D", t("E")), t("F")), G, H))


def test_replace_puts_a_tree_in_the_place():
    new = t("x", t("y"))
    changed = at(0, 1).replace(new)
    assert changed.here() is new
    assert changed.path() == (0, 1)
    assert changed.whole() == t("a", t("b", t("c"), new, t("f")), G, H)
    assert Compass(TREE).replace(new) == Compass(new)


def test_insert_left_stays_at_the_node():
    changed = at(1).insert_left(t("x"))
    assert changed.whole() == t("a", B, t("x"), G, H)
    assert (changed.here(), changed.path()) == (G, (2,))


def test_insert_right_stays_at_the_node():
    changed = at(1).insert_right(t("x"))
    assert changed.whole() == t("a", B, G, t("x"), H)
    assert (changed.here(), changed.path()) == (G, (1,))


def test_siblings_are_inserted_at_the_ends():
    assert at(0).insert_left(t("x")).whole() == t("a", t("x"), B, G, H)
    assert at(2).insert_right(t("x")).whole() == t("a", B, G, H, t("x"))


def test_add_child_adds_behind_all_children():
    changed = at(0).add_child(t("x"))
    assert changed.whole().children[0] == t("b", t("c"), t("d", t("e")), t("f"), t("x"))
    assert changed.path() == (0,)
    assert at(1).add_child(t("x")).here() == t("g", t("x"))


def test_remove_goes_to_the_sibling_after():
    assert at(0, 1).remove() == at(0, 1, tree=t("a", t("b", t("c"), t("f")), G, H))
    assert at(0).remove() == at(0, tree=t("a", G, H))


def test_remove_of_a_last_child_goes_to_the_sibling_before():
    assert at(2).remove() == at(1, tree=t("a", B, G))


def test_remove_of_an_only_child_goes_to_the_parent():
    assert at(2, 0).remove() == at(2, tree=t("a", B, G, t("h")))


def test_the_root_has_no_siblings_and_cannot_be_removed():
    for change in (Compass(TREE).remove, lambda: Compass(TREE).insert_left(G), lambda: Compass(TREE).insert_right(G)):
        with pytest.raises(ValueError):
            change()


@pytest.mark.parametrize(
    "change",
    [
        lambda compass: compass.relabel("x"),
        lambda compass: compass.replace(G),
        lambda compass: compass.insert_left(G),
        lambda compass: compass.insert_right(G),
        lambda compass: compass.add_child(G),
        lambda compass: compass.remove(),
    ],
    ids=["relabel", "replace", "insert_left", "insert_right", "add_child", "remove"],
)
def test_a_change_leaves_the_compass_as_it_was_and_shares_the_rest(change):
    compass = at(0, 1)
    changed = change(compass)
    assert compass == at(0, 1)
    assert compass.whole() is TREE
    assert compass.here() is B.children[1]
    assert changed.whole() != TREE
    assert changed.whole().children[1] is G
    assert changed.whole().children[2] is H
    assert changed.whole().children[0].children[0] is B.children[0]
    assert changed.whole().children[0].children[-1] is B.children[-1]


def test_the_subtree_below_a_new_label_is_shared():
    assert at(0).relabel("x").here().children[1] is B.children[1]
    assert at(0).add_child(G).here().children[1] is B.children[1]
