import os
import tempfile
import unittest

from grep import grep

TEXTS = {
    "harbour.txt": (
        "The ferry leaves at nine.\n"
        "No dogs on the upper deck\n"
        "Tickets (return) cost 4.50\n"
        "the ferry returns at noon\n"
        "Mind the gap\n"
    ),
    "kitchen.txt": (
        "Soak the beans overnight\n  Steep for ten minutes\nSaffron, 4x50 grams\nStir, and stir again\nmind the gap\n"
    ),
    "workshop.txt": "Oil the hinges\nReturn all clamps\nNo smoking\n",
    "echo.txt": "knock\nknock\nknock\n",
    "unfinished.txt": "first draft\nsecond draft",
}


class GrepTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for name, text in TEXTS.items():
            with open(os.path.join(folder.name, name), "w") as stream:
                stream.write(text)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)

    def check(self, arguments, expected):
        result = grep(*arguments)
        self.assertEqual(result, expected, f"wrong result of grep{arguments!r}")

    # One file

    def test_a_matching_line_is_returned_without_its_file_name(self):
        self.check(("upper", "", ["harbour.txt"]), "No dogs on the upper deck\n")

    def test_all_matching_lines_are_returned_in_file_order(self):
        self.check(
            ("ferry", "", ["harbour.txt"]),
            "The ferry leaves at nine.\nthe ferry returns at noon\n",
        )

    def test_case_matters_without_the_i_flag(self):
        self.check(("The", "", ["harbour.txt"]), "The ferry leaves at nine.\n")

    def test_nothing_found_gives_an_empty_string(self):
        self.check(("zebra", "-n -i", ["harbour.txt"]), "")

    def test_special_characters_in_the_pattern_stand_for_themselves(self):
        self.check(("(return)", "", ["harbour.txt"]), "Tickets (return) cost 4.50\n")

    def test_a_dot_matches_only_a_dot(self):
        self.check(
            ("4.50", "", ["harbour.txt", "kitchen.txt"]),
            "harbour.txt:Tickets (return) cost 4.50\n",
        )

    def test_blanks_around_a_line_are_kept(self):
        self.check(("Steep", "", ["kitchen.txt"]), "  Steep for ten minutes\n")

    def test_last_line_without_newline_gets_one(self):
        self.check(("draft", "", ["unfinished.txt"]), "first draft\nsecond draft\n")

    def test_n_numbers_lines_from_one(self):
        self.check(
            ("ferry", "-n", ["harbour.txt"]),
            "1:The ferry leaves at nine.\n4:the ferry returns at noon\n",
        )

    def test_i_ignores_case_in_pattern_and_line(self):
        self.check(("STIR", "-i", ["kitchen.txt"]), "Stir, and stir again\n")
        self.check(
            ("tHE fErry", "-i", ["harbour.txt"]),
            "The ferry leaves at nine.\nthe ferry returns at noon\n",
        )

    def test_v_selects_the_other_lines(self):
        self.check(("the", "-v", ["workshop.txt"]), "Return all clamps\nNo smoking\n")

    def test_x_wants_the_whole_line(self):
        self.check(("No smoking", "-x", ["workshop.txt"]), "No smoking\n")
        self.check(("smoking", "-x", ["workshop.txt"]), "")

    def test_x_counts_blanks_as_part_of_the_line(self):
        self.check(("Steep for ten minutes", "-x", ["kitchen.txt"]), "")

    def test_x_with_i_compares_whole_lines_in_any_case(self):
        self.check(("NO SMOKING", "-i -x", ["workshop.txt"]), "No smoking\n")

    def test_x_with_v_drops_only_the_equal_line(self):
        self.check(
            ("No smoking", "-v -x", ["workshop.txt"]),
            "Oil the hinges\nReturn all clamps\n",
        )

    def test_l_names_a_file_once_for_many_matches(self):
        self.check(("knock", "-l", ["echo.txt"]), "echo.txt\n")

    # Several files

    def test_several_files_put_the_name_before_each_line(self):
        self.check(
            ("No ", "", ["harbour.txt", "workshop.txt"]),
            "harbour.txt:No dogs on the upper deck\nworkshop.txt:No smoking\n",
        )

    def test_file_name_is_shown_even_if_only_one_of_the_files_matches(self):
        self.check(
            ("hinges", "", ["harbour.txt", "workshop.txt", "echo.txt"]),
            "workshop.txt:Oil the hinges\n",
        )

    def test_files_are_searched_in_the_order_given(self):
        self.check(
            ("No ", "-l", ["workshop.txt", "echo.txt", "harbour.txt"]),
            "workshop.txt\nharbour.txt\n",
        )

    def test_line_numbers_start_anew_in_each_file(self):
        self.check(
            ("the", "-n", ["kitchen.txt", "workshop.txt"]),
            "kitchen.txt:1:Soak the beans overnight\nkitchen.txt:5:mind the gap\nworkshop.txt:1:Oil the hinges\n",
        )

    def test_l_makes_n_irrelevant(self):
        self.check(
            ("gap", "-n -l", ["harbour.txt", "workshop.txt", "kitchen.txt"]),
            "harbour.txt\nkitchen.txt\n",
        )

    def test_l_with_v_names_files_with_at_least_one_other_line(self):
        self.check(
            ("knock", "-l -v", ["echo.txt", "workshop.txt"]),
            "workshop.txt\n",
        )
        self.check(("gap", "-v -l", ["harbour.txt", "echo.txt"]), "harbour.txt\necho.txt\n")

    def test_all_line_flags_work_together(self):
        self.check(
            ("MIND THE GAP", "-x -n -i", ["harbour.txt", "kitchen.txt", "echo.txt"]),
            "harbour.txt:5:Mind the gap\nkitchen.txt:5:mind the gap\n",
        )


if __name__ == "__main__":
    unittest.main()
