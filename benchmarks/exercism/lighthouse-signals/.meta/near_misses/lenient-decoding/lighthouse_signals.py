# decode does not check that encode would produce the signal.
from string import ascii_lowercase, ascii_uppercase, digits

FLASHES = "wgr"
SHIFT = "www"
REPEAT = "="


def encode(text: str) -> str:
    return " / ".join(_encode_word(word) for word in text.split(" ") if word)


def decode(signal: str) -> str:
    if not signal:
        return ""
    text = " ".join(_decode_word(word) for word in signal.split(" / "))
    return text


def _group(number: int) -> str:
    return FLASHES[number // 9] + FLASHES[number // 3 % 3] + FLASHES[number % 3]


def _encode_word(word: str) -> str:
    groups = []
    alphabet = ascii_uppercase
    for character in word:
        if character in ascii_lowercase:
            character = character.upper()
        if character not in alphabet:
            alphabet = digits if alphabet == ascii_uppercase else ascii_uppercase
            groups.append(SHIFT)
        if character not in alphabet:
            raise ValueError(f"{character!r} can not be sent")
        groups.append(_group(alphabet.index(character) + 1))
    sent = groups[:1]
    for previous, group in zip(groups, groups[1:]):
        sent.append(REPEAT if group == previous else group)
    return " ".join(sent)


def _decode_word(word: str) -> str:
    text = ""
    alphabet = ascii_uppercase
    for group in word.split(" "):
        if group == SHIFT:
            alphabet = digits if alphabet == ascii_uppercase else ascii_uppercase
        elif group == REPEAT:
            text += text[-1:]
        else:
            text += _character(group, alphabet)
    return text


def _character(group: str, alphabet: str) -> str:
    for number, character in enumerate(alphabet, start=1):
        if group == _group(number):
            return character
    raise ValueError(f"{group!r} has no meaning here")
