# The folds call themselves once per item, so a long list exceeds the recursion limit.
def append(list1, list2):
    return [*list1, *list2]


def concat(lists):
    return foldl(append, lists, [])


def filter(function, list):
    return [item for item in list if function(item)]


def length(list):
    return foldl(lambda count, _: count + 1, list, 0)


def map(function, list):
    return [function(item) for item in list]


def foldl(function, list, initial):
    if not list:
        return initial
    first, *rest = list
    return foldl(function, rest, function(initial, first))


def foldr(function, list, initial):
    if not list:
        return initial
    *rest, last = list
    return foldr(function, rest, function(initial, last))


def reverse(list):
    return foldr(lambda done, item: [*done, item], list, [])
