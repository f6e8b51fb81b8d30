import copy

from crossing_river import plan

FARMER, FOX, HEN, CORN = ("Farmer", 70, True), ("Fox", 10, False), ("Hen", 3, False), ("Corn", 20, False)
FARM = [("Fox", "Hen", "Farmer"), ("Hen", "Corn", "Farmer")]


def people(names, rowers=None, weight=1):
    return [(name, weight, rowers is None or name in rowers) for name in names]


def crossings(result):
    return None if result is None else " ".join("".join(name[0] for name in names) for names in result)


def test_example_of_the_instructions():
    result = plan([FARMER, FOX, HEN], 80, [("Fox", "Hen", "Farmer")])
    assert result == [["Farmer", "Fox"], ["Farmer"], ["Farmer", "Hen"]]


def test_nobody_needs_no_crossing():
    assert plan([], 10, []) == []


def test_all_go_at_once_if_they_can():
    assert plan(people("abc"), 3, [("a", "b", None)]) == [["a", "b", "c"]]


def test_names_stand_in_the_order_of_the_travellers():
    assert plan(people("cab"), 3, []) == [["c", "a", "b"]]


def test_load_may_be_used_up_but_not_exceeded():
    assert plan([("a", 5, True), ("b", 6, False)], 11, []) == [["a", "b"]]
    assert plan([("a", 5, True), ("b", 6, False)], 10, []) is None


def test_boat_needs_somebody_who_rows():
    assert plan(people("ab", rowers="b"), 1, []) is None
    assert crossings(plan(people("abc", rowers="b"), 2, [])) == "ab b bc"
    assert plan(people("ab", rowers=""), 2, []) is None


def test_somebody_must_bring_the_boat_back():
    assert crossings(plan(people("abc"), 2, [])) == "ab a ac"


def test_first_plan_in_the_order_of_the_list_is_taken():
    assert crossings(plan(people("cba"), 2, [])) == "cb c ca"


def test_smaller_crossing_comes_before_one_that_goes_on():
    assert crossings(plan(people("abcd", rowers="a"), 3, [])) == "ab a acd"


def test_crossing_with_more_travellers_may_come_first():
    assert crossings(plan(people("abcd", rowers="cd"), 3, [])) == "abc ac acd"


def test_order_of_plans_is_decided_by_the_first_difference():
    assert crossings(plan(people("abcd", rowers="bd"), 3, [("a", "c", None)])) == "ab b bcd"


def test_quarrels_on_both_banks():
    assert plan([FARMER, FOX, ("Hen", 11, False), CORN], 90, FARM) == [
        ["Farmer", "Hen"],
        ["Farmer"],
        ["Farmer", "Fox"],
        ["Farmer", "Hen"],
        ["Farmer", "Corn"],
        ["Farmer"],
        ["Farmer", "Hen"],
    ]


def test_quarrel_on_the_far_bank():
    travellers = people("abcd")
    assert crossings(plan(travellers, 2, [("b", "c", None)])) == "ab a ac b bd"


def test_quarrel_in_the_boat_does_no_harm():
    assert crossings(plan(people("abc", rowers="c"), 3, [("a", "b", None)])) == "abc"
    assert crossings(plan(people("ab"), 2, [("a", "b", None)])) == "ab"


def test_quarrel_while_the_boat_is_at_the_bank_does_no_harm():
    assert crossings(plan(people("abc", rowers="c"), 2, [("a", "b", None)])) == "ac c bc"


def test_keeper_in_the_boat_does_not_keep():
    assert plan(people("kab", rowers="k"), 2, [("a", "b", "k")]) == [["k", "a"], ["k"], ["k", "b"]]
    assert plan(people("kabc", rowers="k"), 2, [("a", "b", "k"), ("b", "c", "k"), ("a", "c", "k")]) is None


def test_keeper_must_be_on_the_same_bank():
    assert crossings(plan(people("kabr", rowers="r"), 2, [("a", "b", "k")])) == "ar r kr r br"


def test_keeper_keeps_only_his_own_quarrel():
    assert crossings(plan(people("kabcr", rowers="r"), 2, [("a", "b", "k"), ("b", "c", None)])) == "br r kr r ar r cr"


def test_two_quarrels_of_the_same_travellers_each_need_their_keeper():
    quarrels = [("a", "b", "k"), ("a", "b", "l")]
    assert crossings(plan(people("klabr", rowers="r"), 3, quarrels)) == "kar r lbr"
    assert crossings(plan(people("krlab", rowers="rab"), 2, quarrels)) == "ka a ra r rl r rb"


def test_keeper_may_be_in_the_quarrel_himself():
    assert crossings(plan(people("abr", rowers="r"), 2, [("a", "b", "a")])) == "ar r br"


def test_way_back_may_take_several():
    assert plan([FARMER, FOX, HEN, CORN], 90, [*FARM, ("Fox", "Corn", "Farmer")]) == [
        ["Farmer", "Fox", "Hen"],
        ["Farmer", "Fox"],
        ["Farmer", "Corn"],
        ["Farmer", "Hen"],
        ["Farmer", "Fox", "Hen"],
    ]


def test_heavy_travellers_go_one_by_one():
    travellers = [("Ox", 90, True), ("Bull", 100, True), ("Kid", 40, True), ("Lad", 50, True)]
    assert crossings(plan(travellers, 100, [])) == "KL K O L KL K B L KL"


def test_impossible_quarrels_have_no_plan():
    assert plan(people("abc", rowers="c"), 1, []) is None
    assert plan([FARMER, FOX, ("Hen", 11, False), CORN], 90, [*FARM, ("Fox", "Corn", "Farmer")]) is None


def test_many_travellers():
    travellers = people("abcdefghi", rowers="aei")
    assert (
        crossings(plan(travellers, 2, [("b", "c", "a"), ("f", "g", "e"), ("d", "h", None)]))
        == "di i ab a af a ae a ac e ei e eg i hi"
    )
    assert plan(travellers, 1, []) is None


def test_arguments_are_not_changed():
    arguments = ([FARMER, FOX, HEN], 80, [("Fox", "Hen", "Farmer")])
    before = copy.deepcopy(arguments)
    assert len(plan(*arguments)) == 3
    assert arguments == before
