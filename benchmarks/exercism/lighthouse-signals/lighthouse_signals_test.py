import pytest
from lighthouse_signals import decode, encode

PAIRS = [
    ("Z", "rrr"),
    ("SEA", "rwg wgr wwg"),
    ("ICE FOG", "gww wgw wgr / wrw grw wrg"),
    ("AAAA", "wwg = = ="),
    ("A AB", "wwg / wwg wwr"),
    ("B B B", "wwr / wwr / wwr"),
    ("0", "www wwg"),
    ("B7 11", "wwr www wrr / www wwr ="),
    ("A0", "wwg www wwg"),
    ("K9B", "gwr www gwg www wwr"),
    ("10 20", "www wwr wwg / www wgw wwg"),
    ("7 7UP", "www wrr / www wrr www rgw grg"),
    ("0A0AA", "www wwg www wwg www wwg www wwg ="),
    ("", ""),
]


@pytest.mark.parametrize(("text", "signal"), PAIRS, ids=[text or "nothing" for text, _ in PAIRS])
def test_text_and_signal_belong_together(text, signal):
    assert encode(text) == signal
    assert decode(signal) == text


def test_lower_case_is_sent_like_upper_case():
    assert encode("Aa bEe") == "wwg = / wwr wgr ="


def test_superfluous_spaces_are_not_sent():
    assert encode("  A   B ") == "wwg / wwr"
    assert encode("   ") == ""


@pytest.mark.parametrize("text", ["A-B", "A, B", "caf\u00e9", "x\u00b2", "A\tB", "stra\u00dfe"])
def test_other_characters_can_not_be_sent(text):
    with pytest.raises(ValueError):
        encode(text)


def refused(signals):
    for signal in signals:
        with pytest.raises(ValueError):
            text = decode(signal)
            pytest.fail(f"{signal!r} was read as {text!r}")


def test_unknown_groups_are_refused():
    refused(["wwx", "wg", "wwgg", "wwgwwr", "WWG", "?", "A", "wwg  wwr", "wwg/wwr"])


def test_repetition_without_a_group_to_repeat_is_refused():
    refused(["=", "= wwg", "wwg / ="])


def test_group_sent_twice_is_refused():
    refused(["wwg wwg", "wwg = wwg"])


def test_shift_without_need_is_refused():
    refused(["www", "wwg www", "www wwg www / wwg", "wwg www www wwr", "www www wwg", "wwg www = wwr"])


def test_repetition_of_the_shift_is_refused():
    refused(["www =", "www = wwg", "wwg www wwg www ="])


def test_group_without_a_digit_is_refused_while_digits_are_in_force():
    refused(["www grw", "www wwg gwr"])


def test_wrong_separators_are_refused():
    refused([" ", "wwg ", " wwg", "wwg / / wwr", "wwg / ", "/", "wwg /  wwr"])
