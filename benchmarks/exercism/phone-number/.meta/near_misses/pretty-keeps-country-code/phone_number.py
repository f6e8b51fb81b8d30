# pretty() puts the country code in front of a number that was given with one.
import re


class PhoneNumber:
    def __init__(self, number):
        if any(char.isalpha() for char in number):
            raise ValueError("letters not permitted")
        if re.search(r"[^0-9 .()+-]", number):
            raise ValueError("punctuations not permitted")

        digits = re.sub("[^0-9]", "", number)
        if len(digits) < 10:
            raise ValueError("must not be fewer than 10 digits")
        if len(digits) > 11:
            raise ValueError("must not be greater than 11 digits")
        if len(digits) == 11 and digits[0] != "1":
            raise ValueError("11 digits must start with 1")

        self.country_code = digits[:-10]
        self.number = digits[-10:]
        self.area_code = self.number[:3]
        self.exchange_code = self.number[3:6]

        for label, code in (("area", self.area_code), ("exchange", self.exchange_code)):
            if code.startswith("0"):
                raise ValueError(f"{label} code cannot start with zero")
            if code.startswith("1"):
                raise ValueError(f"{label} code cannot start with one")

    def pretty(self):
        local = f"({self.area_code})-{self.exchange_code}-{self.number[6:]}"
        return f"+{self.country_code} {local}" if self.country_code else local
