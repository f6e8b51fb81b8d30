# Forgets that words with initial xr or yt stay as they are.
def split_word(word):
    for i, letter in enumerate(word):
        if letter == "u" and word[:i].endswith("q"):
            continue
        if letter in "aeiou" or (letter == "y" and i > 0):
            return word[:i], word[i:]
    return "", word


def translate(text):
    result = []
    for word in text.split():
        head, tail = split_word(word)
        result.append(f"{tail}{head}ay")
    return " ".join(result)
