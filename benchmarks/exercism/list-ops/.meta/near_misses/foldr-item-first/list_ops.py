# foldr calls the function with the item first and the accumulator second.
def append(list1, list2):
    return list1 + list2


def concat(lists):
    result = []
    for part in lists:
        for item in part:
            result.append(item)
    return result


def filter(function, list):
    return [item for item in list if function(item)]


def length(list):
    count = 0
    for _ in list:
        count += 1
    return count


def map(function, list):
    return [function(item) for item in list]


def foldl(function, list, initial):
    for item in list:
        initial = function(initial, item)
    return initial


def foldr(function, list, initial):
    for item in reverse(list):
        initial = function(item, initial)
    return initial


def reverse(list):
    return list[::-1]
