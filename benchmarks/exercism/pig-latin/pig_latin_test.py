import unittest

from pig_latin import translate


class PigLatinTest(unittest.TestCase):
    def check(self, **words):
        for word, expected in words.items():
            self.assertEqual(translate(word), expected, f"wrong translation of {word!r}")

    # Words that stay as they are

    def test_words_with_an_initial_vowel_only_get_the_ending(self):
        self.check(acorn="acornay", eel="eelay", island="islanday", orange="orangeay", uncle="uncleay")

    def test_qu_after_an_initial_vowel_is_not_moved(self):
        self.check(aquarium="aquariumay", equip="equipay")

    def test_initial_xr_counts_as_a_vowel(self):
        self.check(xrays="xraysay")

    def test_initial_yt_counts_as_a_vowel(self):
        self.check(ytterbium="ytterbiumay")

    # Consonants

    def test_one_consonant_moves_to_the_end(self):
        self.check(banana="ananabay", zebra="ebrazay", melon="elonmay")

    def test_two_consonants_move_to_the_end(self):
        self.check(plum="umplay", cherry="errychay")

    def test_three_consonants_move_to_the_end(self):
        self.check(splash="ashsplay", three="eethray")

    def test_x_before_another_letter_than_r_is_a_consonant(self):
        self.check(xenia="eniaxay")

    def test_inner_consonants_stay_where_they_are(self):
        self.check(magnet="agnetmay", nostrils="ostrilsnay")

    # qu

    def test_initial_qu_moves_as_a_whole(self):
        self.check(quilt="iltquay", queue="euequay")

    def test_qu_after_a_consonant_moves_with_it(self):
        self.check(squeal="ealsquay", squid="idsquay")

    def test_qu_after_two_consonants_moves_with_them(self):
        self.check(schquare="areschquay")

    def test_q_without_u_is_an_ordinary_consonant(self):
        self.check(qi="iqay", qoph="ophqay")

    def test_qu_after_the_first_vowel_stays(self):
        self.check(request="equestray", mosquito="osquitomay")

    # y

    def test_initial_y_is_a_consonant(self):
        self.check(yogurt="ogurtyay", yes="esyay")

    def test_y_after_one_consonant_is_a_vowel(self):
        self.check(gym="ymgay", xylophone="ylophonexay")

    def test_y_after_several_consonants_is_a_vowel(self):
        self.check(style="ylestay", sphynx="ynxsphay")

    def test_y_as_the_last_of_two_letters_is_a_vowel(self):
        self.check(by="ybay")

    def test_y_after_the_first_vowel_stays(self):
        self.check(player="ayerplay", baby="abybay")

    # Phrases

    def test_each_word_of_a_phrase_is_translated(self):
        self.assertEqual(translate("green tea please"), "eengray eatay easeplay")

    def test_each_word_of_a_phrase_follows_its_own_rule(self):
        self.assertEqual(
            translate("yes my aunt squashed ten quinces"),
            "esyay ymay auntay ashedsquay entay incesquay",
        )


if __name__ == "__main__":
    unittest.main()
