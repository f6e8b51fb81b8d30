# Treats y as a vowel even if it is the first letter.
import re

HEAD = re.compile(r"(?!xr|yt)([^aeiouy]*qu|[^aeiouy]+)(.*)")


def translate(text):
    words = []
    for word in text.split():
        match = HEAD.fullmatch(word)
        if match:
            head, tail = match.groups()
            word = tail + head
        words.append(word + "ay")
    return " ".join(words)
