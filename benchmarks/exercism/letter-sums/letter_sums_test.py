import signal

import letter_sums


def stop(signum, frame):
    raise TimeoutError("more than a second")


def solve(*arguments, **options):
    """Gives the call one second of processor time."""
    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 1)
    try:
        return letter_sums.solve(*arguments, **options)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def solution(letters, *digits):
    return dict(zip(letters, digits))


def test_a_sum_with_one_solution_is_solved():
    assert solve("ALL + ALL = EELS") == [solution("AELS", 5, 1, 9, 8)]
    assert solve("TEA + TEA = SEAT") == [solution("AEST", 4, 7, 1, 8)]


def test_200_words_are_solved_in_time():
    assert solve("TIN + " * 190 + " + ".join(["NIT"] * 8) + " = COINS") == [solution("CINOST", 5, 0, 1, 8, 4, 3)]


def test_all_solutions_are_found():
    assert solve("AB + C = DA", base=6) == [solution("ABCD", 1, 3, 4, 2), solution("ABCD", 1, 4, 3, 2)]
    assert solve("TOT + TOT = OAR") == [solution("AORT", 0, 5, 4, 2), solution("AORT", 4, 7, 6, 3)]


def test_the_solutions_are_ordered_by_the_digits_of_the_letters_in_alphabetical_order():
    assert solve("D - B = C - A", base=4) == [
        solution("ABCD", 0, 1, 2, 3),
        solution("ABCD", 0, 2, 1, 3),
        solution("ABCD", 1, 0, 3, 2),
        solution("ABCD", 1, 3, 0, 2),
        solution("ABCD", 2, 0, 3, 1),
        solution("ABCD", 2, 3, 0, 1),
        solution("ABCD", 3, 1, 2, 0),
        solution("ABCD", 3, 2, 1, 0),
    ]
    assert solve("TEAR - ROE = RATE") == [
        solution("AEORT", 5, 4, 6, 8, 9),
        solution("AEORT", 8, 2, 3, 4, 5),
        solution("AEORT", 9, 1, 6, 2, 3),
    ]


def test_different_letters_have_different_digits():
    assert solve("AA = BB") == []
    assert solve("A + B = C", base=3) == []


def test_a_word_of_one_letter_may_be_zero():
    assert solve("A + A = A") == [{"A": 0}]
    assert solve("A = A", base=3) == [{"A": 0}, {"A": 1}, {"A": 2}]


def test_a_longer_word_does_not_begin_with_zero():
    assert solve("AA = AA", base=4) == [{"A": 1}, {"A": 2}, {"A": 3}]
    assert solve("BA = A + BA - A", base=2) == [{"A": 0, "B": 1}]


def test_a_letter_that_begins_a_long_word_is_not_zero_in_a_short_word_either():
    assert solve("A + AB = BA - BA + AB + A", base=2) == []
    assert solve("A + AB = AB", base=2) == []


def test_words_on_both_sides_are_added_and_subtracted():
    expected = [solution("AEORT", 8, 5, 4, 7, 1), solution("AEORT", 9, 1, 0, 3, 7)]
    assert solve("AREA - TORE + TEA = ROOT") == expected
    assert solve("ROOT = AREA - TORE + TEA") == expected
    assert solve("AREA + TEA = ROOT + TORE") == expected
    assert solve("AREA - ROOT = TORE - TEA") == expected


def test_a_difference_may_need_borrowing():
    solutions = solve("AREA - EEL = TREE")
    assert len(solutions) == 36
    digits = [[solution[letter] for letter in "AELRT"] for solution in solutions]
    assert digits == sorted(digits)
    assert solutions[0] == solution("AELRT", 2, 9, 3, 0, 1)


def test_spaces_do_not_matter():
    expected = [solution("ABCD", 1, 3, 4, 2), solution("ABCD", 1, 4, 3, 2)]
    assert solve("AB+C=DA", 6) == solve("  AB+ C  =DA ", 6) == expected


def test_more_letters_than_digits_have_no_solution():
    assert solve("A + B = C + D", base=3) == []
    assert solve("ABCDEF = GHIJKL") == []


def test_the_base_decides_which_digits_there_are():
    assert solve("A + A = B", base=5) == [{"A": 1, "B": 2}, {"A": 2, "B": 4}]
    assert solve("A + A = B", base=2) == []
    assert len(solve("A + A = B", base=16)) == 7
    assert solve("SSWWS + SWW + SSWWSW + SWS = SWSWSWW", base=2) == [{"S": 1, "W": 0}]


def test_ten_letters_are_solved_in_time():
    assert solve("CDKOHM + HONMHRC = NDPMGKN") == [
        solution("CDGHKMNOPR", 5, 1, 9, 2, 0, 8, 3, 6, 4, 7),
        solution("CDGHKMNOPR", 9, 4, 7, 1, 0, 3, 2, 5, 6, 8),
    ]
    solutions = solve("KNOT + STONE = PEARL")
    assert len(solutions) == 2
    assert solutions == [
        solution("AEKLNOPRST", 7, 1, 2, 0, 3, 4, 6, 8, 5, 9),
        solution("AEKLNOPRST", 7, 1, 2, 0, 4, 3, 6, 8, 5, 9),
    ]


def test_fourteen_letters_in_base_16_are_solved_in_time():
    assert solve("GVTDVUKBRL + LTECVMTLBK = UTCRSHHHMBT", base=16) == [
        solution("BCDEGHKLMRSTUV", 10, 2, 0, 8, 13, 6, 14, 9, 4, 15, 3, 7, 1, 11)
    ]
