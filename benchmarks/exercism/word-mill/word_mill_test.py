from word_mill import grind, longest


def words(text):
    return [word for word, _ in grind(text)]


def test_words_are_counted():
    assert grind("red fish blue fish") == [("fish", 2), ("red", 1), ("blue", 1)]


def test_words_with_equal_counts_stand_in_the_order_of_the_text():
    assert grind("zoo ant zoo bee ant cow") == [("zoo", 2), ("ant", 2), ("bee", 1), ("cow", 1)]


def test_a_text_without_words_gives_empty_lists():
    assert grind(" 12 -- '' \n") == []
    assert longest(" 12 -- '' \n") == []
    assert longest("") == []


def test_case_is_ignored_and_the_first_form_is_given():
    assert grind("The cat. the Cat! THE end") == [("The", 3), ("cat", 2), ("end", 1)]
    assert grind("STRASSE Straße straße") == [("STRASSE", 3)]


def test_both_joints_are_the_same():
    assert grind("Don't stop! DON\u2019T \u2014 stop, Ann-Marie.") == [
        ("Don't", 2),
        ("stop", 2),
        ("Ann", 1),
        ("Marie", 1),
    ]
    assert grind("l\u2019eau L'EAU") == [("l\u2019eau", 2)]


def test_a_joint_stands_between_two_letters():
    assert words("'tis' o'clock' 'n' 5'o x'5") == ["tis", "o'clock", "n", "o", "x"]
    assert grind("o'clock ' o' clock") == [("o'clock", 1), ("o", 1), ("clock", 1)]


def test_a_word_may_have_several_joints_but_not_two_in_a_row():
    assert words("o'er'th'hill") == ["o'er'th'hill"]
    assert words("rock''n rock'\u2019m") == ["rock", "n", "m"]


def test_other_quotation_marks_are_no_joints():
    assert words("don\u2018t can`s won\u02b9t") == ["don", "t", "can", "s", "won\u02b9t"]


def test_digits_hyphens_and_underscores_separate_words():
    assert words("b2b snake_case twenty-one \u0661x\u00b2y") == ["b", "snake", "case", "twenty", "one", "x", "y"]


def test_numbers_that_look_like_letters_separate_words():
    assert words("a\u2160b c\u24d0d") == ["a", "b", "c", "d"]


def test_letters_of_all_scripts_form_words():
    assert grind("\u041c\u0418\u0420 \u043c\u0438\u0440 \u6f22\u5b57 \u00aa") == [
        ("\u041c\u0418\u0420", 2),
        ("\u6f22\u5b57", 1),
        ("\u00aa", 1),
    ]


def test_composed_and_decomposed_letters_are_the_same():
    assert grind("cafe\u0301 caf\u00e9 CAFE\u0301") == [("caf\u00e9", 3)]
    assert grind("\u212bngstr\u00f6m a\u030angstro\u0308m") == [("\u00c5ngstr\u00f6m", 2)]


def test_a_letter_keeps_its_marks():
    assert words("q\u0307x\u0323\u0302 \u0928\u093f") == ["q\u0307x\u0323\u0302", "\u0928\u093f"]


def test_words_that_differ_in_a_mark_differ():
    assert grind("resume r\u00e9sume q\u0307 q") == [("resume", 1), ("r\u00e9sume", 1), ("q\u0307", 1), ("q", 1)]


def test_a_mark_without_a_letter_is_no_part_of_a_word():
    assert words("\u0301abc 1\u0302def -\u0307ghi") == ["abc", "def", "ghi"]


def test_a_mark_after_a_joint_ends_the_word():
    assert words("o'\u0307clock") == ["o", "clock"]


def test_a_joint_may_follow_a_mark():
    assert words("q\u0307'x \u0301'y") == ["q\u0307'x", "y"]


def test_soft_hyphens_are_removed_from_words():
    assert grind("co\u00adop coop co-op") == [("coop", 2), ("co", 1), ("op", 1)]
    assert words("don\u00ad't don'\u00adt") == ["don't"]


def test_the_key_is_normalised_after_case_folding():
    assert grind("\u01f0x J\u030cX") == [("\u01f0x", 2)]
    assert grind("\u0390 \u03aa\u0301") == [("\u0390", 2)]


def test_the_longest_words_are_given_in_their_order():
    assert longest("one three seven two three") == ["three", "seven"]


def test_joints_do_not_count_for_the_length():
    assert longest("Don't stop! Marie can't.") == ["Marie"]
    assert longest("can't four") == ["can't", "four"]


def test_marks_do_not_count_for_the_length():
    assert longest("four x\u0323\u0302y\u0307z") == ["four"]
    assert longest("abc q\u0307\u0302\u0323") == ["abc"]


def test_longest_gives_each_word_once_in_its_first_form():
    assert longest("Stop STOP stop no") == ["Stop"]
    assert longest("Stra\u00dfe STRASSE abcdef") == ["Stra\u00dfe", "abcdef"]
