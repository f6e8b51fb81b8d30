VOWELS = "aeiou"


def translate(text):
    return " ".join(translate_word(word) for word in text.split())


def translate_word(word):
    if word.startswith(("xr", "yt")):
        return word + "ay"
    split = head_length(word)
    return word[split:] + word[:split] + "ay"


def head_length(word):
    """Return how many leading letters of the word move to its end."""
    for index, letter in enumerate(word):
        if letter == "u" and index > 0 and word[index - 1] == "q":
            return index + 1
        if letter in VOWELS or (letter == "y" and index > 0):
            return index
    return 0
