# Treats the whole text as one word, so phrases come out wrong.
import re


def translate(text):
    if re.match(r"[aeiou]|xr|yt", text):
        return text + "ay"
    head = re.match(r"[^aeiou]*?qu|y?[^aeiouy]*", text).group()
    return text[len(head) :] + head + "ay"
