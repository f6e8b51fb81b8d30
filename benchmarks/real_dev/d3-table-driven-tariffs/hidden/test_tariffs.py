import ast
from collections import Counter
from pathlib import Path

import pytest
import tariffs
from berths import NotAllowed, Stay
from invoice import invoice

ROOT = Path(__file__).resolve().parent
OURS = ["standard", "weekly", "season", "club", "regatta", "winter", "dry-dock"]
ALIASES = ["guest", "member", "friend-of-the-club", "off-season"]
MONO = Stay(1010, 3, people=2)
CAT = Stay(1010, 3, people=2, multihull=True)


@pytest.fixture
def registry():
    from registry import TariffRegistry

    return TariffRegistry()


def tree_of(module):
    return ast.parse((ROOT / f"{module}.py").read_text(encoding="utf-8"))


def flat(stay):
    return 1001


# The tariffs as before


@pytest.mark.parametrize(
    ("name", "mono", "cat"),
    [
        ("standard", 7920 + 900, 11880 + 900),
        ("guest", 7920 + 900, 11880 + 900),
        ("season", 48500, 48500),
        ("club", 3960, 5940),
        ("friend-of-the-club", 3960, 5940),
        ("regatta", 1500 + 900, 1500 + 900),
        ("winter", 2970 + 900, 2970 + 900),
        ("off-season", 2970 + 900, 2970 + 900),
        ("dry-dock", 1980, 1980),
    ],
)
def test_fees_are_what_they_were(name, mono, cat):
    assert (tariffs.fee(name, MONO), tariffs.fee(name, CAT)) == (mono, cat)


def test_the_rules_of_weekly_and_regatta_boats_are_kept():
    fees = [tariffs.fee("weekly", Stay(700, nights, people=0)) for nights in (5, 6, 7, 8, 15)]
    assert fees == [8400, 9100, 9100, 10780, 19880], "a week is cheaper than its days"
    assert tariffs.fee("regatta", Stay(700, 4)) == 2600
    with pytest.raises(NotAllowed):
        tariffs.fee("regatta", Stay(700, 5))


def test_labels_and_online_booking_are_what_they_were():
    found = {name: (tariffs.label(name), tariffs.bookable_online(name)) for name in OURS + ALIASES}
    assert found == {
        "standard": ("Guest berth", True),
        "guest": ("Guest berth", True),
        "weekly": ("Guest berth by the week", True),
        "season": ("Season berth", False),
        "club": ("Club berth", False),
        "member": ("Club berth", False),
        "friend-of-the-club": ("Club berth", False),
        "regatta": ("Regatta berth", False),
        "winter": ("Winter berth", True),
        "off-season": ("Winter berth", True),
        "dry-dock": ("Place ashore", False),
    }


def test_names_start_with_ours_in_their_order():
    assert tariffs.names()[: len(OURS)] == OURS
    tariffs.names().clear()
    assert tariffs.names()[: len(OURS)] == OURS, "the list that names returns is the caller's own"


def test_case_and_blanks_do_not_matter():
    assert tariffs.label("  DRY \t dock ") == "Place ashore"
    assert tariffs.fee("Friend of the Club", MONO) == 3960
    assert invoice("Petrel", "Guest ", MONO) == "Petrel, 3 nights, Guest berth: 88.20"


def test_an_unknown_tariff_is_named_as_it_was_given():
    for ask in (tariffs.label, tariffs.bookable_online, lambda name: tariffs.fee(name, MONO)):
        with pytest.raises(tariffs.UnknownTariff) as caught:
            ask("Royal  Yacht")
        assert caught.value.name == "Royal  Yacht"
        assert "Royal  Yacht" in str(caught.value)


# Structure


def test_each_name_stands_once_in_tariffs_and_never_in_the_registry():
    counts = {}
    for module in ("tariffs", "registry"):
        nodes = ast.walk(tree_of(module))
        counts[module] = Counter(node.value for node in nodes if isinstance(node, ast.Constant))
    assert {name: counts["tariffs"][name] for name in OURS + ALIASES} == dict.fromkeys(OURS + ALIASES, 1)
    assert [name for name in OURS + ALIASES if counts["registry"][name]] == []


def test_no_chain_of_branches_is_left():
    for module in ("tariffs", "registry"):
        for node in ast.walk(tree_of(module)):
            assert not isinstance(node, ast.Match)
            if isinstance(node, ast.If) and len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
                assert node.orelse[0].col_offset != node.col_offset, f"an elif in {module}.py"


# A tariff from elsewhere


def test_a_tariff_from_elsewhere_works_everywhere():
    @tariffs.TARIFFS.register("Pilot  Boat", label="Pilots", aliases=["pilot"], online=True)
    def pilot(stay):
        return 1001 * stay.nights

    assert tariffs.fee("PILOT", CAT) == 3003 + 1501 + 900
    assert tariffs.label("pilot boat") == "Pilots"
    assert tariffs.bookable_online("pilot-boat") is True
    assert tariffs.names().count("pilot-boat") == 1
    assert "pilot" not in tariffs.names()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 1001 + 500 + 900),
        ({"multihull_surcharge": False}, 1001 + 900),
        ({"visitors_tax": False}, 1001 + 500),
        ({"multihull_surcharge": False, "visitors_tax": False}, 1001),
    ],
)
def test_options_decide_about_surcharge_and_tax(options, expected):
    name = "-".join(["flat", *options])
    tariffs.TARIFFS.register(name, label="Flat", **options)(flat)
    assert tariffs.fee(name, CAT) == expected
    assert tariffs.bookable_online(name) is False, "online is off unless asked for"


def test_the_decorated_function_stays_what_it_is(registry):
    assert registry.register("flat", label="Flat")(flat) is flat
    assert registry.find("flat").berth_fee is flat


def test_an_entry_has_what_was_registered(registry):
    registry.register("Old  Timer", label="Classics", aliases=("Gaffer",), online=True, visitors_tax=False)(flat)
    entry = registry.find(" gaffer ")
    assert (entry.name, entry.label, entry.online) == ("old-timer", "Classics", True)
    assert (entry.multihull_surcharge, entry.visitors_tax) == (True, False)
    assert registry.names() == ["old-timer"]


def test_aliases_may_come_from_a_generator(registry):
    registry.register("flat", label="Flat", aliases=(word for word in ["level", "even"]))(flat)
    assert [registry.find(name).name for name in ("flat", "level", "even")] == ["flat"] * 3


@pytest.mark.parametrize(
    ("name", "aliases"),
    [("Flat", ["new"]), ("LEVEL", []), ("other", ["more", " flat"]), ("other", ["more", "Level"])],
    ids=["name as name", "alias as name", "name as alias", "alias as alias"],
)
def test_a_taken_name_is_refused_and_nothing_changes(registry, name, aliases):
    from registry import UnknownTariff

    registry.register("flat", label="Flat", aliases=["level"])(flat)
    with pytest.raises(ValueError):
        registry.register(name, label="Second", aliases=aliases)(lambda stay: 0)
    assert registry.names() == ["flat"]
    assert registry.find("flat").label == registry.find("level").label == "Flat"
    for word in ("new", "more", "other"):
        with pytest.raises(UnknownTariff):
            registry.find(word)


def test_a_name_may_be_its_own_alias(registry):
    registry.register("flat", label="Flat", aliases=["FLAT", "level", "level"])(flat)
    assert registry.names() == ["flat"]
    assert registry.find("level").name == "flat"


def test_registries_are_independent(registry):
    registry.register("season", label="Another season")(flat)
    assert tariffs.label("season") == "Season berth"
    assert registry.names() == ["season"]
    with pytest.raises(tariffs.UnknownTariff):
        registry.find("weekly")
