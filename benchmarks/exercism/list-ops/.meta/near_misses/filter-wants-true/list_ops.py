# filter keeps an item only if the function returns True itself, not any truthy value.
def append(list1, list2):
    return list1 + list2


def concat(lists):
    return [item for part in lists for item in part]


def filter(function, list):
    kept = []
    for item in list:
        if function(item) is True:
            kept.append(item)
    return kept


def length(list):
    total = 0
    for _ in list:
        total += 1
    return total


def map(function, list):
    return [function(item) for item in list]


def foldl(function, list, initial):
    for item in list:
        initial = function(initial, item)
    return initial


def foldr(function, list, initial):
    return foldl(function, reverse(list), initial)


def reverse(list):
    return list[::-1]
