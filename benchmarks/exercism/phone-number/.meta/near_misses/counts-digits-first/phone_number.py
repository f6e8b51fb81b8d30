# Counts the digits before it looks for letters and punctuation, so the wrong message comes first.
import re


class PhoneNumber:
    def __init__(self, number):
        digits = re.sub(r"\D", "", number)
        if len(digits) < 10:
            raise ValueError("must not be fewer than 10 digits")
        if len(digits) > 11:
            raise ValueError("must not be greater than 11 digits")
        if re.search("[a-zA-Z]", number):
            raise ValueError("letters not permitted")
        if re.search(r"[^-0-9 .()+]", number):
            raise ValueError("punctuations not permitted")
        if len(digits) == 11:
            if not digits.startswith("1"):
                raise ValueError("11 digits must start with 1")
            digits = digits[1:]

        for start, label in ((0, "area"), (3, "exchange")):
            if digits[start] == "0":
                raise ValueError(f"{label} code cannot start with zero")
            if digits[start] == "1":
                raise ValueError(f"{label} code cannot start with one")

        self.number = digits
        self.area_code = digits[:3]

    def pretty(self):
        return f"({self.area_code})-{self.number[3:6]}-{self.number[6:]}"
