# Treats every punctuation character as decoration.
import string

IGNORED = string.punctuation + string.whitespace


class PhoneNumber:
    def __init__(self, number):
        digits = ""
        for char in number:
            if char.isalpha():
                raise ValueError("letters not permitted")
            if char in string.digits:
                digits += char
            elif char not in IGNORED:
                raise ValueError("punctuations not permitted")

        if len(digits) < 10:
            raise ValueError("must not be fewer than 10 digits")
        if len(digits) > 11:
            raise ValueError("must not be greater than 11 digits")
        if len(digits) == 11:
            if digits[0] != "1":
                raise ValueError("11 digits must start with 1")
            digits = digits[1:]

        names = {"0": "zero", "1": "one"}
        if digits[0] in names:
            raise ValueError(f"area code cannot start with {names[digits[0]]}")
        if digits[3] in names:
            raise ValueError(f"exchange code cannot start with {names[digits[3]]}")

        self.number = digits
        self.area_code = digits[:3]

    def pretty(self):
        return f"({self.area_code})-{self.number[3:6]}-{self.number[6:]}"
