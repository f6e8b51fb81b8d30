# Never treats y as a vowel.
def translate(text):
    return " ".join(map(translate_word, text.split()))


def translate_word(word):
    if word[0] in "aeiou" or word[:2] in ("xr", "yt"):
        return word + "ay"
    position = 0
    while position < len(word) and word[position] not in "aeiou":
        position += 1
    if word[position - 1 : position + 1] == "qu":
        position += 1
    return word[position:] + word[:position] + "ay"
