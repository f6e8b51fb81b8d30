import random
import unittest

from robot_name import Robot

NAME = r"\A[A-Z]{2}[0-9]{3}\Z"


def build(count):
    """Return `count` robots, each of which has been asked for its name once."""
    robots = [Robot() for _ in range(count)]
    for robot in robots:
        robot.name  # noqa: B018 - a robot may choose its name when it is first asked
    return robots


def names_of(robots):
    return [robot.name for robot in robots]


class RobotNameTest(unittest.TestCase):
    def setUp(self):
        random.seed("workshop")

    def check_distinct(self, names, what):
        self.assertEqual(len(set(names)), len(names), f"{what}: some names occur twice")

    # The form of a name

    def test_name_is_two_letters_and_three_digits(self):
        self.assertRegex(Robot().name, NAME)

    def test_every_name_has_the_right_form(self):
        for name in names_of(build(500)):
            self.assertRegex(name, NAME)

    def test_name_after_reset_has_the_right_form(self):
        for robot in build(200):
            robot.reset()
            self.assertRegex(robot.name, NAME)

    def test_numbers_with_leading_zeros_occur(self):
        names = names_of(build(500))
        self.assertTrue(any(int(name[2:]) < 100 for name in names), "none of 500 names has a number below 100")

    def test_all_letters_occur_in_both_places(self):
        names = names_of(build(2000))
        for place in (0, 1):
            letters = {name[place] for name in names}
            self.assertEqual(len(letters), 26, f"only {sorted(letters)} at index {place} of 2000 names")

    # One robot

    def test_name_stays_the_same(self):
        robot = Robot()
        names = {robot.name for _ in range(20)}
        self.assertEqual(len(names), 1, f"one robot answered with several names: {sorted(names)}")

    def test_name_stays_the_same_while_others_are_built(self):
        robot = Robot()
        name = robot.name
        build(10)
        self.assertEqual(robot.name, name, "the name changed when other robots were built")

    def test_name_stays_the_same_after_reset(self):
        robot = Robot()
        robot.reset()
        names = {robot.name for _ in range(20)}
        self.assertEqual(len(names), 1, f"one robot answered with several names: {sorted(names)}")

    def test_reset_gives_a_new_name(self):
        for robot in build(50):
            name = robot.name
            robot.reset()
            self.assertNotEqual(robot.name, name, "reset kept the name")

    def test_reset_gives_a_new_name_with_the_same_seed(self):
        random.seed("same again")
        robot = Robot()
        name = robot.name
        random.seed("same again")
        robot.reset()
        self.assertNotEqual(robot.name, name, "reset kept the name")

    def test_reset_concerns_one_robot_only(self):
        robot, other = build(2)
        name = other.name
        robot.reset()
        self.assertEqual(other.name, name, "the reset of one robot renamed another")

    # Several robots

    def test_many_robots_have_different_names(self):
        self.check_distinct(names_of(build(5000)), "5000 new robots")

    def test_robots_built_with_the_same_seed_have_different_names(self):
        robots = []
        for _ in range(5):
            random.seed("twins")
            robots += build(3)
        self.check_distinct(names_of(robots), "robots built with the same seed")

    def test_reset_does_not_take_the_name_of_another_robot(self):
        random.seed("collision")
        robots = build(4)
        for robot in robots[1:]:
            random.seed("collision")
            robot.reset()
            self.check_distinct(names_of(robots), "robots after a reset")

    def test_new_robot_does_not_take_the_name_that_a_reset_gave(self):
        robot = Robot()
        random.seed("newcomer")
        robot.reset()
        name = robot.name
        random.seed("newcomer")
        newcomer = Robot()
        self.assertNotEqual(newcomer.name, name, "a new robot has the name of an existing one")

    def test_names_do_not_come_in_order(self):
        names = names_of(build(30))
        self.assertNotEqual(names, sorted(names), "the names come in ascending order")
        self.assertNotEqual(names, sorted(names, reverse=True), "the names come in descending order")


if __name__ == "__main__":
    unittest.main()
