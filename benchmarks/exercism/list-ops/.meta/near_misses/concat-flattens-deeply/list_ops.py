# concat flattens inner lists at every depth.
def append(list1, list2):
    return [*list1, *list2]


def concat(lists):
    result = []
    for item in lists:
        if isinstance(item, type(result)):
            result += concat(item)
        else:
            result.append(item)
    return result


def filter(function, list):
    return [item for item in list if function(item)]


def length(list):
    return foldl(lambda count, _: count + 1, list, 0)


def map(function, list):
    return [function(item) for item in list]


def foldl(function, list, initial):
    accumulator = initial
    for item in list:
        accumulator = function(accumulator, item)
    return accumulator


def foldr(function, list, initial):
    return foldl(function, reverse(list), initial)


def reverse(list):
    return list[::-1]
