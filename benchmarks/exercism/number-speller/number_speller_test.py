import pytest
from number_speller import read, spell


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "nul"),
        (7, "gul"),
        (10, "ar"),
        (11, "ar-so"),
        (110, "om-soar"),
        (342, "corom-disar-bel"),
        (333, "corom-soar-so"),
        (303, "corom-so"),
        (313, "corom-ar-cor"),
        (101, "om-so"),
        (1000, "tam"),
        (2001, "bel tam ul an"),
        (1_200_000, "lun belom tam"),
        (5_000_044, "eth lun ul disar-so"),
        (30_003, "corar tam ul cor"),
        (1105, "tam om-eth"),
        (111_111, "om-soar-so tam om-soar-so"),
        (1_001_001_001, "sil lun tam ul an"),
        (99_000_000_500, "istar-so sil ethom"),
        (-45, "min disar-eth"),
        (-1_000_020, "min lun ul belar"),
        (999_999_999_999, "istom-soar-so sil istom-soar-so lun istom-soar-so tam istom-soar-so"),
    ],
)
def test_number_and_words_belong_together(number, words):
    assert spell(number) == words
    assert read(words) == number


@pytest.mark.parametrize("number", [10**12, -(10**12)])
def test_numbers_out_of_range_are_refused(number):
    with pytest.raises(ValueError):
        spell(number)


def refused(texts):
    for text in texts:
        with pytest.raises(ValueError):
            number = read(text)
            pytest.fail(f"{text!r} was read as {number}")


def test_texts_that_are_no_words_are_refused():
    refused(
        [
            "",
            " ",
            "x",
            "Gul",
            " gul",
            "gul ",
            "bel  tam",
            "7",
            "belar_bel",
            "an-",
            "-an",
            "bel-tam",
            "ararar",
            "min",
            "minan",
        ]
    )


def test_wrong_groups_are_refused():
    refused(
        [
            "anar",
            "anom",
            "corar-cor",
            "om-ar",
            "so",
            "soar",
            "bel-cor",
            "belar-corom",
            "belar-corar",
            "nulom",
            "ar-ar",
            "corom-soom",
        ]
    )


def test_wrong_sequences_of_groups_are_refused():
    refused(
        [
            "an tam",
            "tam tam",
            "tam lun",
            "bel cor",
            "nul tam",
            "tam nul",
            "tam an",
            "bel tam om ul eth",
            "ul an",
            "tam ul",
        ]
    )
    refused(["tam ul om", "lun ul tam", "eth lun so", "min nul", "min min an", "an min", "bel tam ul ul an", "ul"])


def test_every_number_below_2000_is_read_as_it_was_spelt():
    texts = {number: spell(number) for number in range(-1999, 2000)}
    assert len(set(texts.values())) == len(texts), "two numbers have the same words"
    assert all(read(text) == number for number, text in texts.items())
