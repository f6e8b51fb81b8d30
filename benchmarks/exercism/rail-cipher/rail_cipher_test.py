import pytest
from rail_cipher import decode, encode, find_keys


@pytest.mark.parametrize(
    ("text", "terraces", "start", "signal"),
    [
        ("GOATSCLIMB", 3, 0, "GSMBICTOAL"),
        ("GOATSCLIMB", 3, 1, "TIMLSAGOCB"),
        ("GOATSCLIMB", 3, 2, "ALBICTOGSM"),
        ("GOATSCLIMB", 2, 0, "GASLMBICTO"),
        ("GOATSCLIMB", 2, 1, "OTCIBMLSAG"),
        ("GOATSCLIMB", 4, 2, "SBCTGALMIO"),
        ("GOATSCLIMB", 1, 0, "GOATSCLIMB"),
        ("GOATS", 5, 0, "GOATS"),
        ("GOATS", 5, 4, "STAOG"),
        ("GOATS", 9, 5, "GOSAT"),
        ("Up, up and away!", 3, 0, "Uunw!aadap p,  y"),
        ("\u00e9t\u00e9 \u00e0 la mer", 4, 1, " rel\u00e0\u00e9t am \u00e9"),
        ("", 4, 2, ""),
        ("X", 2, 1, "X"),
    ],
)
def test_text_and_signal_belong_together(text, terraces, start, signal):
    assert encode(text, terraces, start) == signal
    assert decode(signal, terraces, start) == text


def test_way_starts_at_the_top_by_default():
    assert encode("GOATSCLIMB", 3) == "GSMBICTOAL"
    assert decode("GSMBICTOAL", 3) == "GOATSCLIMB"


def test_every_key_can_be_decoded():
    text = "Twenty-three goats on eleven terraces"
    for terraces in range(1, 45):
        for start in range(terraces):
            assert decode(encode(text, terraces, start), terraces, start) == text, (terraces, start)


@pytest.mark.parametrize(("terraces", "start"), [(0, 0), (-2, 0), (3, 3), (3, -1), (1, 1)])
def test_impossible_keys_are_refused(terraces, start):
    with pytest.raises(ValueError):
        encode("GOATS", terraces, start)
    with pytest.raises(ValueError):
        decode("GOATS", terraces, start)


def test_only_key_is_found():
    assert find_keys("GOATSCLIMB", "GSMBICTOAL") == [(3, 0)]


def test_several_keys_are_found_in_order():
    assert find_keys("AAB", "ABA") == [(2, 0), (2, 1)]


def test_as_many_terraces_as_characters_are_tried():
    assert find_keys("ABC", "ABC") == [(1, 0), (3, 0)]


def test_start_below_the_top_is_found():
    assert find_keys("GOATSCLIMB", "TIMLSAGOCB") == [(3, 1)]


def test_no_key_is_found():
    assert find_keys("GOATS", "GOATZ") == []
    assert find_keys("GOATS", "GOAT") == []
    assert find_keys("", "") == []
