import unittest

from phone_number import PhoneNumber


class PhoneNumberTest(unittest.TestCase):
    def check_number(self, text, expected):
        self.assertEqual(PhoneNumber(text).number, expected, f"wrong number for {text!r}")

    def check_refused(self, text, message):
        with self.assertRaises(ValueError, msg=f"{text!r} was accepted") as caught:
            PhoneNumber(text)
        self.assertEqual(caught.exception.args, (message,), f"wrong message for {text!r}")

    # Valid numbers

    def test_bare_digits_are_kept(self):
        self.check_number("6135550142", "6135550142")

    def test_parentheses_spaces_and_hyphens_are_removed(self):
        self.check_number("(613) 555-0142", "6135550142")

    def test_dots_are_removed(self):
        self.check_number("613.555.0142", "6135550142")

    def test_runs_of_spaces_are_removed(self):
        self.check_number("  613  555   0142 ", "6135550142")

    def test_country_code_is_dropped(self):
        self.check_number("19025550177", "9025550177")

    def test_country_code_with_plus_sign_is_dropped(self):
        self.check_number("+1 (902) 555-0177", "9025550177")

    def test_only_the_first_digit_of_each_code_is_restricted(self):
        self.check_number("210-201-0000", "2102010000")

    def test_area_code(self):
        self.assertEqual(PhoneNumber("613-555-0142").area_code, "613")

    def test_area_code_of_a_number_with_country_code(self):
        self.assertEqual(PhoneNumber("1 902 555 0177").area_code, "902")

    def test_pretty(self):
        self.assertEqual(PhoneNumber("6135550142").pretty(), "(613)-555-0142")

    def test_pretty_leaves_out_the_country_code(self):
        self.assertEqual(PhoneNumber("+1 902.555.0177").pretty(), "(902)-555-0177")

    # Unexpected characters

    def test_letters_are_refused_however_many_digits_there_are(self):
        self.check_refused("613-call-0142", "letters not permitted")
        self.check_refused("613-555-0142 ext", "letters not permitted")

    def test_punctuation_in_place_of_digits_is_refused(self):
        self.check_refused("613-#*!-0142", "punctuations not permitted")

    def test_punctuation_beside_ten_digits_is_refused(self):
        self.check_refused("613/555/0142", "punctuations not permitted")

    def test_letters_are_reported_before_punctuation(self):
        self.check_refused("613-#5x-0142", "letters not permitted")

    # Number of digits

    def test_nine_digits_are_too_few(self):
        self.check_refused("613-555-014", "must not be fewer than 10 digits")

    def test_an_empty_text_has_too_few_digits(self):
        self.check_refused("", "must not be fewer than 10 digits")

    def test_twelve_digits_are_too_many(self):
        self.check_refused("461355501421", "must not be greater than 11 digits")
        self.check_refused("161355501421", "must not be greater than 11 digits")

    def test_eleven_digits_need_the_country_code_one(self):
        self.check_refused("46135550142", "11 digits must start with 1")

    # First digits of the codes

    def test_area_code_must_not_start_with_zero_or_one(self):
        self.check_refused("(013) 555-0142", "area code cannot start with zero")
        self.check_refused("(113) 555-0142", "area code cannot start with one")

    def test_exchange_code_must_not_start_with_zero_or_one(self):
        self.check_refused("(613) 055-0142", "exchange code cannot start with zero")
        self.check_refused("(613) 155-0142", "exchange code cannot start with one")

    def test_area_code_is_checked_after_the_country_code(self):
        self.check_refused("1 (013) 555-0142", "area code cannot start with zero")
        self.check_refused("+1 (113) 555-0142", "area code cannot start with one")

    def test_exchange_code_is_checked_after_the_country_code(self):
        self.check_refused("1 (613) 055-0142", "exchange code cannot start with zero")
        self.check_refused("+1 (613) 155-0142", "exchange code cannot start with one")

    def test_area_code_is_reported_before_exchange_code(self):
        self.check_refused("113-055-0142", "area code cannot start with one")


if __name__ == "__main__":
    unittest.main()
