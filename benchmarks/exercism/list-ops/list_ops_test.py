import unittest

from list_ops import append, concat, foldl, foldr, length, reverse
from list_ops import filter as list_filter
from list_ops import map as list_map

MANY = 20_000


class ListOpsTest(unittest.TestCase):
    def test_append_puts_the_second_list_after_the_first(self):
        self.assertEqual(append(["a", "b"], ["b", "c", "d"]), ["a", "b", "b", "c", "d"])

    def test_append_with_an_empty_side(self):
        self.assertEqual(append([], [7, 8]), [7, 8], "first list empty")
        self.assertEqual(append([7, 8], []), [7, 8], "second list empty")
        self.assertEqual(append([], []), [], "both lists empty")

    def test_append_keeps_inner_lists(self):
        self.assertEqual(append([[1]], [[], [2, 3]]), [[1], [], [2, 3]])

    def test_append_leaves_both_arguments_alone(self):
        first, second = [1, 2], [3]
        self.assertEqual(append(first, second), [1, 2, 3])
        self.assertEqual((first, second), ([1, 2], [3]), "append changed its arguments")

    def test_append_returns_a_new_list_even_if_one_side_is_empty(self):
        first = [1, 2]
        append(first, []).append("x")
        self.assertEqual(first, [1, 2], "the result is the same object as the argument")

    def test_concat_joins_lists_in_order(self):
        self.assertEqual(concat([["p"], [], ["q", "r"], ["s"]]), ["p", "q", "r", "s"])

    def test_concat_of_nothing_is_empty(self):
        self.assertEqual(concat([]), [], "no lists")
        self.assertEqual(concat([[], []]), [], "only empty lists")

    def test_concat_joins_one_level_only(self):
        self.assertEqual(concat([[[1, 2]], [[], [[3]]], [4]]), [[1, 2], [], [[3]], 4])

    def test_concat_leaves_its_parts_alone(self):
        parts = [[1], [2, 3]]
        self.assertEqual(concat(parts), [1, 2, 3])
        self.assertEqual(parts, [[1], [2, 3]], "concat changed its argument")

    def test_filter_keeps_matching_items_in_order(self):
        self.assertEqual(list_filter(lambda word: len(word) > 3, ["tree", "ox", "river", "sun"]), ["tree", "river"])

    def test_filter_of_an_empty_list(self):
        self.assertEqual(list_filter(lambda item: True, []), [])

    def test_filter_accepts_any_truthy_answer(self):
        self.assertEqual(list_filter(lambda number: number % 3, [3, 4, 5, 6]), [4, 5])

    def test_filter_can_keep_falsy_items(self):
        self.assertEqual(list_filter(lambda item: item != 1, [0, 1, None, "", []]), [0, None, "", []])

    def test_length_counts_items(self):
        self.assertEqual(length([]), 0, "empty list")
        self.assertEqual(length([None, 0, [], [1, 2]]), 4, "list of odd items")

    def test_map_applies_the_function_in_order(self):
        self.assertEqual(list_map(str.upper, ["b", "a", "c"]), ["B", "A", "C"])
        self.assertEqual(list_map(str.upper, []), [])

    def test_map_keeps_falsy_results(self):
        self.assertEqual(list_map(lambda number: number - 1, [1, 2, 1]), [0, 1, 0])

    def test_foldl_passes_the_accumulator_first_and_starts_at_the_left(self):
        self.assertEqual(foldl(lambda acc, item: f"({acc}{item})", ["a", "b", "c"], "-"), "(((-a)b)c)")
        self.assertEqual(foldl(lambda acc, item: acc - item, [1, 2, 4], 10), 3)

    def test_foldr_passes_the_accumulator_first_and_starts_at_the_right(self):
        self.assertEqual(foldr(lambda acc, item: f"({acc}{item})", ["a", "b", "c"], "-"), "(((-c)b)a)")
        self.assertEqual(foldr(lambda acc, item: acc // item, [4, 1, 3], 50), 4)

    def test_folds_of_an_empty_list_return_the_initial_value(self):
        self.assertEqual(foldl(lambda acc, item: acc + item, [], 9), 9, "foldl")
        self.assertEqual(foldr(lambda acc, item: acc + item, [], 9), 9, "foldr")

    def test_reverse_turns_the_outer_list_only(self):
        self.assertEqual(reverse([[1, 2], "xy", None, 3.5]), [3.5, None, "xy", [1, 2]])
        self.assertEqual(reverse([]), [])

    def test_reverse_leaves_its_argument_alone(self):
        items = [1, 2, 3]
        self.assertEqual(reverse(items), [3, 2, 1])
        self.assertEqual(items, [1, 2, 3], "reverse changed its argument")

    def test_long_lists_can_be_folded_and_counted(self):
        numbers = list(range(MANY))
        self.assertEqual(length(numbers), MANY)
        self.assertEqual(foldl(lambda acc, item: acc + item, numbers, 0), sum(numbers))
        self.assertEqual(foldr(lambda acc, item: item, numbers, None), 0)

    def test_long_lists_can_be_transformed(self):
        numbers = list(range(MANY))
        self.assertTrue(reverse(numbers) == numbers[::-1], "reverse of a long list is wrong")
        self.assertTrue(list_map(lambda n: n + 1, numbers) == numbers[1:] + [MANY], "map over a long list is wrong")
        self.assertTrue(list_filter(lambda n: n % 2, numbers) == numbers[1::2], "filter of a long list is wrong")
        self.assertTrue(append(numbers, [MANY]) == numbers + [MANY], "append to a long list is wrong")
        self.assertTrue(concat([[n] for n in numbers]) == numbers, "concat of many lists is wrong")


if __name__ == "__main__":
    unittest.main()
