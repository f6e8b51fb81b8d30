# Moves the letter after a q along with it, whether or not it is a u.
def translate_word(word):
    if word[0] in "aeiou" or word.startswith(("xr", "yt")):
        return word + "ay"
    end = 1
    while end < len(word) and word[end] not in "aeiouy":
        end += 1
    if word[end - 1] == "q":
        end += 1
    return word[end:] + word[:end] + "ay"


def translate(text):
    return " ".join(translate_word(word) for word in text.split())
