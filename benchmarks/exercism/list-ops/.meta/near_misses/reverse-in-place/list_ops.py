# reverse swaps the items of its argument instead of building a new list.
def append(list1, list2):
    return list1 + list2


def concat(lists):
    return foldl(append, lists, [])


def filter(function, list):
    result = []
    for item in list:
        if function(item):
            result += [item]
    return result


def length(list):
    total = 0
    for _ in list:
        total += 1
    return total


def map(function, list):
    result = []
    for item in list:
        result += [function(item)]
    return result


def foldl(function, list, initial):
    for item in list:
        initial = function(initial, item)
    return initial


def foldr(function, list, initial):
    for index in range(length(list) - 1, -1, -1):
        initial = function(initial, list[index])
    return initial


def reverse(list):
    left, right = 0, length(list) - 1
    while left < right:
        list[left], list[right] = list[right], list[left]
        left += 1
        right -= 1
    return list
