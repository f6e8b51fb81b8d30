# append adds the items to its first argument instead of to a new list.
def append(list1, list2):
    for item in list2:
        list1.append(item)
    return list1


def concat(lists):
    result = []
    for part in lists:
        append(result, part)
    return result


def filter(function, list):
    result = []
    for item in list:
        if function(item):
            result.append(item)
    return result


def length(list):
    return foldl(lambda count, _: count + 1, list, 0)


def map(function, list):
    result = []
    for item in list:
        result.append(function(item))
    return result


def foldl(function, list, initial):
    accumulator = initial
    for item in list:
        accumulator = function(accumulator, item)
    return accumulator


def foldr(function, list, initial):
    return foldl(function, reverse(list), initial)


def reverse(list):
    return list[::-1]
