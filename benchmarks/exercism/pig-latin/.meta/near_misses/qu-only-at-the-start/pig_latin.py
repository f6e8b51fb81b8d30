# Handles qu at the start of a word, but not after other consonants.
VOWELS = set("aeiou")


def pig(word):
    if word[0] in VOWELS or word.startswith(("xr", "yt")):
        return word + "ay"
    if word.startswith("qu"):
        return word[2:] + "quay"
    for i, letter in enumerate(word[1:], start=1):
        if letter in VOWELS or letter == "y":
            return word[i:] + word[:i] + "ay"
    return word + "ay"


def translate(text):
    return " ".join(pig(word) for word in text.split(" "))
